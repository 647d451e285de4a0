//! A function process that is killed in the middle of a batch loses nothing and doubles nothing.

use std::time::Duration;

use vendorbridge_testkit::cloud::until;
use vendorbridge_testkit::sandbox::mailchimp::WriteKind;
use vendorbridge_tests::{LIST, VENDORS, changes, differences, email, settle_everything};

use crate::processes::{kill_functions, shorten_visibility};
use crate::stage;

const CUSTOMERS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_and_doubles_nothing() {
    let world = stage::world("killed", |options| options.park_base_seconds = 1).await;
    // As soon again as the function's own timeout allows: the test waits for it in real time.
    for vendor in VENDORS {
        shorten_visibility(&world, vendor, 45).await;
    }
    world.sandbox.mailchimp.latency(Duration::from_millis(1_500));
    world.sandbox.webhook.latency(Duration::from_millis(1_500));
    let customers: Vec<_> = (0..CUSTOMERS).collect();
    let events = changes(&world, &customers).await.unwrap();
    // The vendors have begun to work on requests of a batch, and none of it is settled.
    until("a batch in flight", Duration::from_secs(30), async || {
        let busy = world.sandbox.mailchimp.calls() >= 3 && world.sandbox.webhook.calls() >= 3;
        Ok(busy.then_some(()))
    })
    .await
    .unwrap();
    let killed = kill_functions(&world);
    assert!(
        killed >= 2,
        "expected a process of each vendor function, killed {killed}"
    );
    world.sandbox.mailchimp.latency(Duration::ZERO);
    world.sandbox.webhook.latency(Duration::ZERO);
    let settled = settle_everything(&world, &events, Duration::from_mins(3))
        .await
        .unwrap();

    assert_eq!(differences(&world), Vec::<String>::new());
    for customer in 0..CUSTOMERS {
        let writes = world.sandbox.mailchimp.history(LIST, &email(customer));
        let created = writes
            .iter()
            .filter(|write| write.kind == WriteKind::Created)
            .count();
        assert_eq!(created, 1, "customer {customer}");
        let deliveries = world.sandbox.webhook.history_of(&format!("c-{customer}"));
        assert_eq!(
            deliveries.len(),
            1,
            "customer {customer}: a repeat must go under the same webhook-id"
        );
    }
    let repeats = world.sandbox.webhook.repeats();
    eprintln!("killed: {killed} processes, {repeats} deliveries repeated under the same webhook-id");
    for vendor in VENDORS {
        assert_eq!(settled[vendor].len(), CUSTOMERS);
        assert_eq!(
            world
                .queue_depth(&format!("DeadLetterQueueUrl{vendor}"))
                .await
                .unwrap(),
            0
        );
    }
    stage::end(world).await;
}
