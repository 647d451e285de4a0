//! What becomes of a record, and what only Algolia does.

use std::time::Duration;

use serde_json::json;
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Stand, State, Subject};
use vendorbridge_testkit::sandbox::Fault;

use crate::subject::{Algolia, INDEX, own, put};

const ID: &str = <Algolia as Subject>::ID;

#[tokio::test]
async fn an_attribute_that_is_gone_is_cleared_and_what_others_keep_stays() {
    let mut stand = Stand::<Algolia>::start().await;
    put(
        &stand,
        ID,
        json!({"title": "T-shirt", "stock": 12, "tags": ["new"], "published": true}),
    );
    stand.announce().await;
    put(
        &stand,
        ID,
        json!({"title": "T-shirt", "stock": 11, "published": true}),
    );
    assert_eq!(stand.announce().await, Status::Synced);
    let record = own(stand.sandbox.algolia.record(INDEX, ID).unwrap());
    let expected = json!({
        "title": "T-shirt", "stock": 11, "price": null, "currency": null, "tags": null, "attrs": null,
    });
    assert_eq!(serde_json::Value::Object(record), expected);
}

#[tokio::test]
async fn an_item_that_is_not_published_is_not_in_the_index() {
    let mut stand = Stand::<Algolia>::start().await;
    stand.set(State::First);
    stand.announce().await;
    put(&stand, ID, json!({"title": "T-shirt", "published": false}));
    assert_eq!(stand.announce().await, Status::Deleted);
    assert_eq!(stand.records(), 0);
    let calls = stand.calls();
    assert_eq!(stand.announce().await, Status::Deleted);
    assert_eq!(stand.calls(), calls, "it is known to be away");
    stand.set(State::Second);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.held(), Some(State::Second));
}

#[tokio::test]
async fn each_update_counts_up_so_that_a_late_one_is_ignored() {
    let mut stand = Stand::<Algolia>::start().await;
    let version = |stand: &Stand<Algolia>| {
        let record = stand.sandbox.algolia.record(INDEX, ID).unwrap();
        record["vendorbridgeVersion"].as_i64().unwrap()
    };
    stand.set(State::First);
    stand.announce().await;
    let first = version(&stand);
    stand.set(State::Second);
    stand.announce().await;
    assert!(version(&stand) > first);
    assert_eq!(stand.sandbox.algolia.ignored(), 0);
}

#[tokio::test]
async fn the_task_is_kept_in_the_events_record() {
    let mut stand = Stand::<Algolia>::start().await;
    stand.set(State::First);
    stand.announce().await;
    let task = stand.sandbox.algolia.last_task().to_string();
    assert_eq!(stand.ledger.event("e1").unwrap().receipt, Some(task));
    assert_eq!(stand.record().link.as_deref(), Some(ID));
}

#[tokio::test]
async fn a_record_that_the_plan_does_not_allow_is_rejected_with_its_size() {
    let mut stand = Stand::<Algolia>::start().await;
    put(
        &stand,
        ID,
        json!({"title": "x".repeat(12_000), "published": true}),
    );
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(
        error
            .message
            .starts_with("expected a record of at most 10000 bytes, found 12"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_record_that_the_settings_do_not_allow_is_not_even_sent() {
    let mut stand = Stand::<Algolia>::start().await;
    put(
        &stand,
        ID,
        json!({"title": "x".repeat(21_000), "published": true}),
    );
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(error.message.contains("at most 20000 bytes"), "{}", error.message);
    assert_eq!(stand.calls(), 0);
}

#[tokio::test]
async fn waiting_for_the_task_ends_when_it_is_published() {
    let mut stand = Stand::<Algolia<1, true>>::start().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    // Published after 300 ms; looked for after 200 and 600.
    assert_eq!(stand.calls(), 3);
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_waited_for_by_a_repeat() {
    let mut stand = Stand::<Algolia<1, true>>::start().await;
    stand.sandbox.algolia.publishes_after(Duration::from_mins(1));
    stand.set(State::First);
    let before = stand.now();
    assert_eq!(stand.announce().await, Status::Parked);
    assert!(
        stand.now().duration_since(before).as_secs() < 10 + 10,
        "ten of them before the announcement"
    );
    let error = stand.record().parked.unwrap().error;
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains("`notPublished`"), "{}", error.message);
    assert!(stand.record().unsure);
    stand.sandbox.algolia.publishes_after(Duration::ZERO);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(stand.records(), 1);
}

#[tokio::test]
async fn a_host_that_fails_is_passed_over_and_left_alone() {
    let mut stand = Stand::<Algolia<4>>::start().await;
    stand.sandbox.algolia.faults().for_all(Fault::Status(500));
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    let calls = stand.sandbox.algolia.calls_by_host();
    assert_eq!((calls[0], calls.iter().sum::<u64>()), (1, 2), "{calls:?}");
    stand.sandbox.algolia.faults().recover();
    stand.set(State::Second);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.sandbox.algolia.calls_by_host()[0], 1, "for five minutes");
    stand.wake().await;
    stand.set(State::Third);
    assert_eq!(stand.announce().await, Status::Synced);
    assert!(stand.sandbox.algolia.calls_by_host()[0] > 1, "and then no more");
    assert_eq!(stand.held(), Some(State::Third));
}

#[tokio::test]
async fn an_update_that_two_hosts_took_is_one_record() {
    let mut stand = Stand::<Algolia<4>>::start().await;
    stand.sandbox.algolia.faults().at(1, Fault::AcceptThenCut);
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!((stand.records(), stand.calls()), (1, 2));
    assert_eq!(stand.sandbox.algolia.ignored(), 1, "the second was no greater");
}

#[tokio::test]
async fn a_refusal_behind_a_broken_line_is_of_unknown_outcome() {
    let mut stand = Stand::<Algolia<4>>::start().await;
    stand.sandbox.algolia.faults().at(1, Fault::AcceptThenCut);
    for host in 1..4 {
        stand.sandbox.algolia.faults_at(host).for_all(Fault::Status(403));
    }
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Parked);
    assert!(stand.record().unsure, "the first host took it");
    assert_eq!(stand.record().parked.unwrap().error.kind, ErrorKind::Deauthorized);
    // Gone at the source meanwhile: what the first host took must go, although nothing is linked.
    stand.remove();
    stand.sandbox.algolia.faults_at(1).clear();
    stand.sandbox.algolia.faults_at(2).clear();
    stand.sandbox.algolia.faults_at(3).clear();
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Deleted);
    assert_eq!(stand.records(), 0);
}

#[tokio::test]
async fn too_many_jobs_are_waited_out_with_the_reason() {
    let mut stand = Stand::<Algolia>::start().await;
    stand.set(State::First);
    let fault = Fault::TooManyRequests { retry_after: None };
    stand.sandbox.algolia.faults().at(1, fault);
    assert_eq!(stand.announce().await, Status::Parked);
    let error = stand.record().parked.unwrap().error;
    assert_eq!(error.kind, ErrorKind::RateLimited);
    assert_eq!(error.message, "Injected by the sandbox.");
}
