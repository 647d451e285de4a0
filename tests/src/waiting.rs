//! Waiting on the ledger and the queues.

use std::collections::HashMap;
use std::time::Duration;

use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge_testkit::cloud::{CloudError, World, until};

use crate::{Published, VENDORS};

/// Waits until a vendor has a record of every event that `is_done` accepts; answers with them in the events' order.
///
/// # Errors
/// If that does not come within the time.
pub async fn outcomes(
    world: &World,
    vendor: &str,
    events: &[Published],
    within: Duration,
    is_done: impl Fn(&EventRecord) -> bool,
) -> Result<Vec<EventRecord>, CloudError> {
    let Some(since) = events.iter().map(|event| event.at).min() else {
        return Ok(Vec::new());
    };
    let what = format!("outcomes at {vendor}");
    until(&what, within, async || {
        let records = world.events_since(vendor, since).await?;
        let records: HashMap<_, _> = records
            .into_iter()
            .map(|record| (record.event_id.clone(), record))
            .collect();
        let find = |event: &Published| {
            records
                .get(&event.event_id)
                .filter(|record| is_done(record))
                .cloned()
        };
        Ok(events.iter().map(find).collect())
    })
    .await
}

/// Lets the waker run again and again until every event has a final status at every vendor and the queues are empty.
/// Answers with the records by vendor.
///
/// # Errors
/// If that does not come within the time.
pub async fn settle_everything(
    world: &World,
    events: &[Published],
    within: Duration,
) -> Result<HashMap<&'static str, Vec<EventRecord>>, CloudError> {
    let waking = async {
        loop {
            for vendor in VENDORS {
                world.wake(vendor).await?;
            }
            // Stands in for the schedule, which calls once a minute; nothing is synchronised by it.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let settling = async {
        let mut settled = HashMap::new();
        for vendor in VENDORS {
            let records = outcomes(world, vendor, events, within, |record| {
                record.status != Status::Parked
            })
            .await?;
            settled.insert(vendor, records);
            until("an empty queue", within, async || {
                let depth = world.queue_depth(&format!("QueueUrl{vendor}")).await?;
                Ok((depth == 0).then_some(()))
            })
            .await?;
        }
        Ok(settled)
    };
    tokio::select! {
        failed = waking => failed,
        settled = settling => settled,
    }
}
