//! Everything a function does, with its role and the queue policies enforced.

use std::time::Duration;

use vendorbridge::ledger::Status;
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_tests::{VENDORS, changes, differences, outcomes, settle_everything};

use crate::stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_roles_suffice() {
    let world = stage::world("roles", |options| {
        options.enforce_roles = true;
        options.park_base_seconds = 1;
    })
    .await;
    // The first call of each vendor fails, so that parking and waking are exercised too (a 503 would be tried again at once).
    world.sandbox.mailchimp.faults().at(1, Fault::Status(500));
    world.sandbox.webhook.faults().at(1, Fault::Status(500));
    let customers: Vec<_> = (0..20).collect();
    let events = changes(&world, &customers).await.unwrap();
    for vendor in VENDORS {
        let records = outcomes(&world, vendor, &events, Duration::from_mins(1), |_| true)
            .await
            .unwrap();
        assert!(
            records.iter().any(|record| record.status == Status::Parked),
            "{vendor} parked nothing"
        );
    }
    let settled = settle_everything(&world, &events, Duration::from_mins(1))
        .await
        .unwrap();
    for vendor in VENDORS {
        assert!(
            settled[vendor]
                .iter()
                .all(|record| record.status == Status::Synced)
        );
    }
    assert_eq!(differences(&world), Vec::<String>::new());
    stage::end(world).await;
}
