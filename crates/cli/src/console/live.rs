//! Fresh numbers for everyone who looks, read once for all of them, and not at all when nobody does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Mutex;
use vendorbridge::clock::{Clock, SystemClock};

use super::look::{Glance, Known};
use crate::session::Session;

/// Every tab is told this often.
pub(super) const EVERY: Duration = Duration::from_secs(4);

/// What was read last, and what it was made of.
#[derive(Debug, Default)]
pub(super) struct Live {
    desk: Mutex<Desk>,
}

#[derive(Debug, Default)]
struct Desk {
    vendors: BTreeMap<String, Known>,
    last: Option<(Timestamp, Arc<str>)>,
}

/// What the page gets every few seconds.
#[derive(Debug, Serialize)]
struct Overview<'a> {
    stack: &'a str,
    at: Timestamp,
    vendors: Vec<Glance>,
}

impl Live {
    /// The overview as JSON. Whoever asks first after a while reads; those who ask meanwhile wait for it and get the same.
    pub(super) async fn overview(&self, session: &Session) -> Arc<str> {
        let mut desk = self.desk.lock().await;
        let now = SystemClock.now();
        if let Some((again, last)) = &desk.last
            && now < *again
        {
            return Arc::clone(last);
        }
        let vendors = &session.deployment.vendors;
        for vendor in vendors {
            desk.vendors.entry(vendor.clone()).or_default();
        }
        let looking = desk
            .vendors
            .iter_mut()
            .map(|(vendor, known)| known.look(session, vendor, now));
        let mut glances = join_all(looking).await;
        // As they are deployed, not by name.
        glances.sort_by_key(|glance| vendors.iter().position(|vendor| *vendor == glance.vendor));
        let overview = Overview {
            stack: &session.stack,
            at: now,
            vendors: glances,
        };
        let text: Arc<str> = serde_json::to_string(&overview).unwrap_or_default().into();
        // A little less than the tabs' rhythm: each round reads.
        let again = SystemClock.now().saturating_add(EVERY / 2).unwrap_or(now);
        desk.last = Some((again, Arc::clone(&text)));
        text
    }

    /// Something was changed by hand: the next one to ask reads.
    pub(super) async fn changed(&self, vendor: &str) {
        let mut desk = self.desk.lock().await;
        desk.last = None;
        if let Some(known) = desk.vendors.get_mut(vendor) {
            known.forget_counts();
        }
    }
}
