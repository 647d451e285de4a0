//! An entity that always fails delays no other.

use std::time::Duration;

use serde_json::Value;
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::World;
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_tests::{VENDORS, changes, email, milliseconds, outcomes, percentile};

use crate::{command, stage};

const HEALTHY: usize = 200;
const FAILING: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_entity_waits_alone() {
    let world = stage::world("isolation", |_| {}).await;
    // Once without counting: the first batch of a run pays for the functions' start.
    measure(
        &world,
        &(2_000..2_000 + HEALTHY).collect::<Vec<_>>(),
        "warming up",
    )
    .await;
    let healthy: Vec<_> = (1_000..1_000 + HEALTHY).collect();
    let without = measure(&world, &healthy, "without").await;

    for faults in [world.sandbox.mailchimp.faults(), world.sandbox.webhook.faults()] {
        faults.always_for(&email(FAILING), Fault::Status(500));
        faults.always_for(&format!("c-{FAILING}"), Fault::Status(500));
    }
    let mut mixed: Vec<_> = (0..FAILING).collect();
    mixed.push(FAILING);
    mixed.extend(FAILING + 1..=HEALTHY);
    let with = measure(&world, &mixed, "with").await;

    // Every healthy one has settled by now; the failing one has had its first attempt and no second.
    assert_eq!(world.sandbox.mailchimp.calls_for(&email(FAILING)), 1);
    assert_eq!(world.sandbox.webhook.calls_for(&format!("c-{FAILING}")), 1);
    let status = command::run(&world, &["status", "--json"]).await;
    let text = serde_json::to_string(&serde_json::from_slice::<Value>(&status.stdout).unwrap()).unwrap();
    assert!(
        text.contains(&format!("customer/c-{FAILING}")) && text.contains("PARKED"),
        "{text}"
    );
    let table = command::run(&world, &["status"]).await;
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("PARKED") && table.contains("push"), "{table}");
    eprintln!("isolation: p99 without {without:?}, with {with:?} (mailchimp, webhook)");
    stage::end(world).await;
}

/// Announces a change of each customer and waits until all but the failing one have settled; answers with the 99th
/// percentiles of the healthy ones.
async fn measure(world: &World, customers: &[usize], what: &str) -> Vec<i64> {
    let events = changes(world, customers).await.unwrap();
    let mut percentiles = Vec::new();
    for vendor in VENDORS {
        let records = outcomes(world, vendor, &events, Duration::from_mins(2), |_| true)
            .await
            .unwrap();
        let (mut healthy_events, mut healthy) = (Vec::new(), Vec::new());
        for (event, record) in events.iter().zip(records) {
            if record.entity == format!("customer/c-{FAILING}") {
                assert_eq!(record.status, Status::Parked);
                assert_eq!(record.error.map(|error| error.kind), Some(ErrorKind::Unavailable));
            } else {
                assert_eq!(record.status, Status::Synced, "{record:?}");
                healthy_events.push(event.clone());
                healthy.push(record);
            }
        }
        assert_eq!(healthy.len(), HEALTHY);
        let times = milliseconds(&healthy_events, &healthy);
        eprintln!("isolation {what} {vendor}: p50 {} ms", percentile(&times, 50));
        percentiles.push(percentile(&times, 99));
    }
    percentiles
}
