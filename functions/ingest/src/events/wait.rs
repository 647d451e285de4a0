//! Waiting for what becomes of an event.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::accept::{event_id, not_taken};
use super::outcome::{Standing, in_plan, standing};
use super::store::Request;
use crate::app::Ingest;
use crate::problem::Problem;

/// The ledger is asked again after these pauses, the last of them over and over.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// How the entities of a request stand, as soon as that is known of all of them, or at `until`.
pub(super) async fn wait_for(ingest: &Ingest, request: &Request, until: Timestamp) -> Vec<Standing> {
    let last = PAUSES[PAUSES.len() - 1];
    let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(last));
    loop {
        // It is accepted: that the ledger cannot be read for a moment only means that nothing is known.
        let found = standings(ingest, request).await;
        let found = found.unwrap_or_else(|_| request.changes.iter().map(|_| Standing::Pending).collect());
        let left = until.duration_since(ingest.clock.now());
        let left: Duration = left.try_into().unwrap_or_default();
        if left.is_zero() || !found.iter().any(Standing::is_pending) {
            return found;
        }
        let pause = pauses.next().unwrap_or(last).min(left);
        ingest.clock.sleep(pause).await;
    }
}

pub(super) async fn standings(ingest: &Ingest, request: &Request) -> Result<Vec<Standing>, Problem> {
    let id = &event_id(request);
    let each = request.changes.iter().map(|change| async move {
        let outcome = ingest.store.outcome(&change.entity, request.at, id).await?;
        Ok(standing(&outcome, id, change.revision))
    });
    let found: Result<Vec<_>, vendorbridge::Error> = join_all(each).await.into_iter().collect();
    found.map(in_plan).map_err(|error| not_taken(&error))
}
