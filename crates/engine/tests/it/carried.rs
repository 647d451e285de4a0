//! Event-carried state, and requests to sync.

use serde_json::json;
use vendorbridge::ledger::Status;
use vendorbridge::message::Delivery;
use vendorbridge::{ErrorKind, Verdict, Version};

use super::bench::{Bench, event_id, key, lock};

const DOWN: (ErrorKind, Verdict) = (ErrorKind::Unavailable, Verdict::Unknown);

fn stored(bench: &mut Bench, name: &str, version: u64) -> Delivery {
    let state = json!({"name": name, "password": "hunter2"});
    bench.event_of(
        "PersonStored",
        "p1",
        &json!({"id": "p1", "version": version, "state": state}),
    )
}

fn removed(bench: &mut Bench, version: u64) -> Delivery {
    bench.event_of("PersonRemoved", "p1", &json!({"id": "p1", "version": version}))
}

fn request(bench: &mut Bench, force: bool) -> Delivery {
    let detail = json!({"entity": "person/p1", "force": force});
    bench.event_of("SyncRequested", "p1", &detail)
}

fn again(delivery: &Delivery) -> Delivery {
    Delivery {
        receive_count: 2,
        ..delivery.clone()
    }
}

#[tokio::test]
async fn the_state_is_pushed_and_nobody_is_asked() {
    let mut bench = Bench::carrying(true);
    let event = stored(&mut bench, "Ada", 1);
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.held("p1").as_deref(), Some("Ada"));
    assert_eq!(lock(&bench.world).reads, 0);
}

#[tokio::test]
async fn an_older_state_never_follows_a_newer_one() {
    let mut bench = Bench::carrying(false);
    let (first, second) = (stored(&mut bench, "Ada", 1), stored(&mut bench, "Grace", 2));
    assert_eq!(bench.settle(&second).await, Status::Synced);
    bench.advance(60);
    assert_eq!(bench.settle(&first).await, Status::Covered);
    assert_eq!(bench.settle(&again(&first)).await, Status::Covered);
    assert_eq!(bench.held("p1").as_deref(), Some("Grace"));
    // The newest, delivered again, is pushed again: what its first delivery did is unknown.
    assert_eq!(bench.settle(&again(&second)).await, Status::Synced);
}

#[tokio::test]
async fn a_late_state_does_not_bring_back_what_was_removed() {
    let mut bench = Bench::carrying(false);
    let (first, second) = (stored(&mut bench, "Ada", 1), stored(&mut bench, "Grace", 2));
    let gone = removed(&mut bench, 3);
    bench.settle(&first).await;
    assert_eq!(bench.settle(&gone).await, Status::Deleted);
    assert_eq!(bench.settle(&second).await, Status::Covered);
    assert_eq!(bench.held("p1"), None);
}

/// A, then B, then A: the vendor has A, and B comes last.
#[tokio::test]
async fn a_state_that_changes_nothing_is_known_as_the_newest() {
    let mut bench = Bench::carrying(false);
    let first = stored(&mut bench, "Ada", 1);
    let late = stored(&mut bench, "Grace", 2);
    let third = stored(&mut bench, "Ada", 3);
    bench.settle(&first).await;
    assert_eq!(bench.settle(&third).await, Status::Unchanged);
    assert_eq!(bench.settle(&late).await, Status::Covered);
    assert_eq!(bench.held("p1").as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_state_that_cannot_be_mapped_is_not_followed_by_an_older_one() {
    let mut bench = Bench::carrying(false);
    let (first, second) = (stored(&mut bench, "Ada", 1), stored(&mut bench, "", 2));
    assert_eq!(bench.settle(&second).await, Status::Rejected);
    assert_eq!(bench.settle(&first).await, Status::Covered);
    assert_eq!(
        bench.record("p1").error.unwrap().pointer.as_deref(),
        Some("/name")
    );
    assert_eq!(bench.pushes(), 0);
}

#[tokio::test]
async fn a_retry_keeps_the_newest_state_and_only_what_is_used_of_it() {
    let mut bench = Bench::carrying(false);
    lock(&bench.world).fail_push.insert("p1".to_owned(), DOWN);
    let (first, second, third) = (
        stored(&mut bench, "Ada", 1),
        stored(&mut bench, "Grace", 3),
        stored(&mut bench, "Alan", 2),
    );
    assert_eq!(bench.settle(&first).await, Status::Parked);
    assert_eq!(bench.settle(&second).await, Status::Coalesced);
    assert_eq!(bench.settle(&third).await, Status::Coalesced);
    let waiting = bench.record("p1").parked.unwrap().carried.unwrap();
    assert_eq!(waiting.version, Version::Number(3));
    assert_eq!(waiting.state, Some(json!({"name": "Grace"})));
    lock(&bench.world).fail_push.clear();
    bench.advance(4000);
    bench.wake().await;
    assert_eq!(bench.held("p1").as_deref(), Some("Grace"));
    assert_eq!(bench.ledger.status(&event_id(&first)), Some(Status::Synced));
    assert!(bench.record("p1").parked.is_none());
}

#[tokio::test]
async fn where_there_is_a_source_a_notification_has_it_asked() {
    let mut bench = Bench::carrying(true);
    lock(&bench.world).fail_push.insert("p1".to_owned(), DOWN);
    let first = stored(&mut bench, "Ada", 1);
    bench.settle(&first).await;
    bench.set("p1", "Grace", Some(2));
    let notification = bench.event("p1", Some(2));
    assert_eq!(bench.settle(&notification).await, Status::Coalesced);
    assert!(bench.record("p1").parked.unwrap().asks);
    lock(&bench.world).fail_push.clear();
    bench.advance(4000);
    bench.wake().await;
    assert_eq!(bench.held("p1").as_deref(), Some("Grace"));
}

/// What was carried is not lost because a read was asked for that the source refuses.
#[tokio::test]
async fn a_source_that_refuses_to_answer_leaves_what_was_carried() {
    let mut bench = Bench::carrying(true);
    lock(&bench.world).fail_push.insert("p1".to_owned(), DOWN);
    let first = stored(&mut bench, "Ada", 1);
    bench.settle(&first).await;
    let plain = request(&mut bench, false);
    assert_eq!(bench.settle(&plain).await, Status::Coalesced);
    lock(&bench.world).fail_push.clear();
    lock(&bench.world).fail_source = Some((ErrorKind::Refused, Verdict::Permanent));
    bench.advance(4000);
    bench.wake().await;
    assert_eq!(bench.held("p1").as_deref(), Some("Ada"));
}

#[tokio::test]
async fn what_was_refused_is_tried_again_when_it_is_sent_again() {
    let mut bench = Bench::carrying(false);
    let refused = stored(&mut bench, "", 2);
    assert_eq!(bench.settle(&refused).await, Status::Rejected);
    let again = stored(&mut bench, "Grace", 2);
    assert_eq!(bench.settle(&again).await, Status::Synced);
    let repeat = stored(&mut bench, "Grace", 2);
    assert_eq!(bench.settle(&repeat).await, Status::Covered);
}

/// A removal can be announced with the place of the state that it removes.
#[tokio::test]
async fn a_removal_at_the_same_place_comes_after_the_state() {
    let mut bench = Bench::carrying(false);
    let (state, gone) = (stored(&mut bench, "Ada", 2), removed(&mut bench, 2));
    bench.settle(&state).await;
    assert_eq!(bench.settle(&gone).await, Status::Deleted);
    let late = stored(&mut bench, "Ada", 2);
    assert_eq!(bench.settle(&late).await, Status::Covered);
}

/// Several at once, and the process dies after the push: delivered again alone, the older one is known to be older.
#[tokio::test]
async fn of_several_the_newest_is_known_before_it_is_pushed() {
    let mut bench = Bench::carrying(false);
    let (first, second) = (stored(&mut bench, "Ada", 1), stored(&mut bench, "Grace", 2));
    bench.ledger.fail_settles_after(1);
    let both = [first.clone(), second.clone()];
    assert_eq!(bench.deliver(&both).await.len(), 2);
    assert_eq!(bench.held("p1").as_deref(), Some("Grace"));
    bench.ledger.heal();
    assert_eq!(bench.settle(&again(&first)).await, Status::Covered);
    assert_eq!(bench.held("p1").as_deref(), Some("Grace"));
}

#[tokio::test]
async fn after_a_read_that_found_nothing_an_older_state_is_not_believed() {
    let mut bench = Bench::carrying(true);
    let (first, second) = (stored(&mut bench, "Ada", 1), stored(&mut bench, "Grace", 2));
    bench.settle(&second).await;
    bench.advance(60);
    let notification = bench.event("p1", None);
    assert_eq!(bench.settle(&notification).await, Status::Deleted);
    // Nobody knows how new the answer was: the source is asked again.
    assert_eq!(bench.settle(&first).await, Status::Covered);
    assert_eq!(bench.held("p1"), None);
}

#[tokio::test]
async fn a_request_that_nobody_can_answer_says_nothing_about_the_entity() {
    let mut bench = Bench::carrying(false);
    let event = stored(&mut bench, "Ada", 1);
    bench.settle(&event).await;
    let before = bench.record("p1");
    bench.advance(60);
    let request = request(&mut bench, true);
    assert_eq!(bench.settle(&request).await, Status::Rejected);
    assert_eq!(bench.record("p1"), before);
    let rejected = bench.ledger.event(&event_id(&request)).unwrap();
    assert!(rejected.error.unwrap().message.contains("have its sender send"));
}

#[tokio::test]
async fn a_request_reads_and_a_forced_one_pushes_what_is_known() {
    let mut bench = Bench::new();
    bench.set("p1", "Ada", Some(1));
    let event = bench.event("p1", Some(1));
    bench.settle(&event).await;
    bench.advance(60);
    let plain = request(&mut bench, false);
    assert_eq!(bench.settle(&plain).await, Status::Unchanged);
    let forced = request(&mut bench, true);
    assert_eq!(bench.settle(&forced).await, Status::Synced);
    assert_eq!(bench.pushes(), 2);
    let keys = lock(&bench.world).keys.clone();
    assert_ne!(keys[0], keys[1], "a receiver must not take it for a repeat");
}

#[tokio::test]
async fn what_was_forced_stays_so_while_it_waits() {
    let mut bench = Bench::new();
    bench.set("p1", "Ada", Some(1));
    let event = bench.event("p1", Some(1));
    bench.settle(&event).await;
    lock(&bench.world).fail_source = Some(DOWN);
    bench.advance(60);
    let forced = request(&mut bench, true);
    assert_eq!(bench.settle(&forced).await, Status::Parked);
    lock(&bench.world).fail_source = None;
    bench.advance(4000);
    bench.wake().await;
    assert_eq!(bench.pushes(), 2);
    assert!(bench.ledger.entity(&key("p1")).unwrap().parked.is_none());
}

#[tokio::test]
async fn a_request_for_somebody_else_leaves_no_trace() {
    let mut bench = Bench::new();
    let other = bench.event_of(
        "SyncRequested",
        "p1",
        &json!({"entity": "person/p1", "vendor": "other"}),
    );
    assert_eq!(bench.deliver(&[other]).await, Vec::<String>::new());
    assert!(bench.ledger.entity(&key("p1")).is_none());
}
