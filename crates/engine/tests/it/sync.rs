//! What a notification leads to when nothing fails.

use vendorbridge::Version;
use vendorbridge::ledger::Status;

use crate::bench::{Bench, event_id, lock};

#[tokio::test]
async fn the_vendor_gets_what_the_source_says() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(3));
    let event = bench.event("1", Some(3));
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
    let record = bench.record("1");
    assert_eq!(record.link.as_deref(), Some("link-1"));
    assert_eq!(record.pushed_version, Some(Version::Number(3)));
    assert_eq!(record.read_at, Some(bench.now()));
}

#[tokio::test]
async fn the_same_state_is_not_pushed_twice() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let first = bench.event("1", None);
    bench.settle(&first).await;
    bench.advance(10);
    let second = bench.event("1", None);
    assert_eq!(bench.settle(&second).await, Status::Unchanged);
    assert_eq!(bench.pushes(), 1);
}

#[tokio::test]
async fn an_older_notification_is_covered() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let old = bench.event("1", None);
    bench.advance(5);
    let new = bench.event("1", None);
    bench.settle(&new).await;
    assert_eq!(bench.settle(&old).await, Status::Covered);
    let record = bench.ledger.event(&event_id(&old)).unwrap();
    assert_eq!(record.by_event, Some(event_id(&new)));
    assert_eq!(lock(&bench.world).reads, 1);
}

#[tokio::test]
async fn a_duplicate_does_not_overwrite_the_outcome() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    let event = bench.event("1", Some(1));
    bench.settle(&event).await;
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.pushes(), 1);
}

#[tokio::test]
async fn a_redelivery_takes_no_shortcut() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(1));
    let mut event = bench.event("1", Some(1));
    bench.settle(&event).await;
    event.receive_count = 2;
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.pushes(), 2);
}

#[tokio::test]
async fn several_notifications_of_one_entity_are_one_push() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(7));
    let events: Vec<_> = (1..=7).map(|version| bench.event("1", Some(version))).collect();
    assert_eq!(bench.deliver(&events).await, Vec::<String>::new());
    assert_eq!(bench.pushes(), 1);
    let newest = event_id(&events[6]);
    for event in &events[..6] {
        let record = bench.ledger.event(&event_id(event)).unwrap();
        assert_eq!(
            (record.status, record.by_event.as_ref()),
            (Status::Coalesced, Some(&newest))
        );
    }
    assert_eq!(bench.ledger.status(&newest), Some(Status::Synced));
}

#[tokio::test]
async fn the_newest_version_leads_in_whatever_order_it_comes() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(2));
    let newer = bench.event("1", Some(2));
    let older = bench.event("1", Some(1));
    bench.deliver(&[newer.clone(), older.clone()]).await;
    assert_eq!(bench.ledger.status(&event_id(&newer)), Some(Status::Synced));
    assert_eq!(bench.ledger.status(&event_id(&older)), Some(Status::Coalesced));
}

#[tokio::test]
async fn what_the_source_no_longer_has_is_removed() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let first = bench.event("1", None);
    bench.settle(&first).await;
    lock(&bench.world).source.clear();
    bench.advance(10);
    let gone = bench.event("1", None);
    assert_eq!(bench.settle(&gone).await, Status::Deleted);
    assert_eq!(bench.held("1"), None);
    assert_eq!(bench.record("1").link, None);
    bench.set("1", "Ada", None);
    bench.advance(10);
    let back = bench.event("1", None);
    assert_eq!(bench.settle(&back).await, Status::Synced);
    assert_eq!(bench.held("1").as_deref(), Some("Ada"));
}

#[tokio::test]
async fn what_was_never_there_needs_no_call() {
    let mut bench = Bench::new();
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Deleted);
    assert_eq!(bench.pushes(), 0);
}
