//! Many changes of one entity become a handful of calls, and the last state is pushed.

use std::time::{Duration, Instant};

use vendorbridge_tests::{LIST, changes, differences, email, settle_everything};

use crate::stage;

const CHANGES: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_changes_are_at_most_twenty_calls() {
    let world = stage::world("coalescing", |_| {}).await;
    let started = Instant::now();
    let events = changes(&world, &[1; CHANGES]).await.unwrap();
    let published = started.elapsed();
    settle_everything(&world, &events, Duration::from_mins(2))
        .await
        .unwrap();
    assert_eq!(differences(&world), Vec::<String>::new());
    let calls = [world.sandbox.mailchimp.calls(), world.sandbox.webhook.calls()];
    eprintln!(
        "coalescing: {CHANGES} changes published in {published:.1?}, calls {calls:?}, source reads {}, writes {}",
        world.sandbox.infoservice.reads(),
        world.sandbox.mailchimp.history(LIST, &email(1)).len(),
    );
    assert!(calls.iter().all(|calls| *calls <= 20), "{calls:?}");
    stage::end(world).await;
}
