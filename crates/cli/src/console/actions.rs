//! What the page can do, once a person has confirmed it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vendorbridge::EntityKey;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::VendorRecord;

use super::failure::Failure;
use crate::CliError;
use crate::error::one_line;
use crate::lanes::{VendorLanes, run_id};
use crate::session::Session;
use crate::vendor::Standing;

/// As many as a list shows.
const MAX_REPLAYED: usize = 500;
/// Of a reason for a pause, in characters: it stands in the ledger with every entity that waits.
const MAX_REASON: usize = 300;

/// `POST …/pause`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pause {
    reason: Option<String>,
    until: Option<Timestamp>,
}

/// `POST …/resume`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resume {
    close_circuit: bool,
}

/// `POST …/replay`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    entities: Vec<EntityKey>,
}

/// How many entities stand in the vendor's queue, and those that it refused.
#[derive(Debug, Serialize)]
pub(super) struct Replayed {
    vendor: String,
    sent: usize,
    refused: Vec<Refusal>,
}

/// An entity that was not sent.
#[derive(Debug, Serialize)]
struct Refusal {
    entity: EntityKey,
    reason: String,
}

/// How the vendor stands now, and whether there was something to change.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    vendor: String,
    #[serde(rename = "changed")]
    is_new: bool,
    #[serde(flatten)]
    standing: Standing,
}

pub(super) async fn pause(session: &Session, vendor: &str, pause: Pause) -> Result<Changed, Failure> {
    let now = SystemClock.now();
    let reason = pause
        .reason
        .as_deref()
        .map(one_line)
        .filter(|reason| !reason.is_empty());
    if reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > MAX_REASON)
    {
        return Err(Failure::bad_request(&format!(
            "expected a reason of at most {MAX_REASON} characters"
        )));
    }
    if pause.until.is_some_and(|until| until <= now) {
        return Err(Failure::bad_request(
            &"expected a time to come, found one that is over",
        ));
    }
    let next = |record: &VendorRecord| record.paused_until(pause.until, reason.as_deref(), now);
    change(session, vendor, now, next).await
}

pub(super) async fn resume(session: &Session, vendor: &str, resume: Resume) -> Result<Changed, Failure> {
    let now = SystemClock.now();
    let next = |record: &VendorRecord| {
        if resume.close_circuit {
            record.resumed_with_probes(now)
        } else {
            record.resumed()
        }
    };
    change(session, vendor, now, next).await
}

/// Asks for these entities in the vendor's own lanes, whatever was sent last.
pub(super) async fn replay(session: &Session, vendor: &str, replay: Replay) -> Result<Replayed, Failure> {
    let mut entities = replay.entities;
    entities.sort_unstable();
    entities.dedup();
    if entities.is_empty() || entities.len() > MAX_REPLAYED {
        let found = entities.len();
        return Err(Failure::bad_request(&format!(
            "expected 1 to {MAX_REPLAYED} entities, found {found}"
        )));
    }
    let seed = getrandom::u64().map_err(|error| CliError::Runtime(error.into()))?;
    let run = run_id("console", &mut fastrand::Rng::with_seed(seed));
    let refused = VendorLanes::open(session, vendor, &run)?;
    let refused = refused.sync_now(&entities, true).await;
    Ok(Replayed {
        vendor: vendor.to_owned(),
        sent: entities.len() - refused.len(),
        refused: refused
            .into_iter()
            .map(|refused| Refusal {
                entity: refused.entity,
                reason: refused.error.message().to_owned(),
            })
            .collect(),
    })
}

async fn change(
    session: &Session,
    vendor: &str,
    now: Timestamp,
    next: impl Fn(&VendorRecord) -> Option<VendorRecord>,
) -> Result<Changed, Failure> {
    session.deployment.chosen(Some(vendor))?;
    let change = session.reader().change_vendor(vendor, next).await;
    let change = change.map_err(|error| CliError::of_ledger("changing the vendor's record", &error))?;
    Ok(Changed {
        vendor: vendor.to_owned(),
        is_new: change.written.is_some(),
        standing: Standing::of(change.after(), now),
    })
}
