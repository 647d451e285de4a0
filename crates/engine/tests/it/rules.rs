//! What a rule keeps out is never called for, is recorded with the rule's name, and removes nothing.

use serde_json::{Value, json};
use vendorbridge::ledger::Status;
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::bench::{Bench, event_id, lock};
use crate::vendors::Booking;

fn bench() -> Bench {
    Bench::ruled(
        Booking,
        &json!([
            {"name": "drafts", "when": [{"field": "/name", "in": ["draft"]}]},
            {"name": "own-user", "on": "event", "when": [{"field": "/detail/user", "in": ["us"]}]},
            {"name": "kinds", "on": "event", "when": [{"field": "/detail/kind", "not_in": [null, 1]}]},
        ]),
    )
}

fn rule(bench: &Bench, event: &vendorbridge::message::Delivery) -> Option<String> {
    bench.ledger.event(&event_id(event)).unwrap().rule
}

#[tokio::test]
async fn what_is_kept_out_is_recorded_with_the_rules_name() {
    let mut bench = bench();
    bench.set("1", "draft", Some(1));
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Excluded);
    assert_eq!(rule(&bench, &event).as_deref(), Some("drafts"));
    let record = bench.record("1");
    assert_eq!(
        (record.status, record.rule.as_deref()),
        (Status::Excluded, Some("drafts"))
    );
    assert_eq!(lock(&bench.world).calls, Vec::<String>::new());
    // The same again costs the entity record no write.
    let before = bench.ledger.counts().settles;
    bench.advance(10);
    bench.set("1", "draft", Some(2));
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Excluded);
    assert_eq!(bench.ledger.counts().settles, before);
    // And once no rule holds any more, it is pushed.
    bench.set("1", "Ada", Some(3));
    bench.advance(10);
    let event = bench.event("1", Some(3));
    assert_eq!(bench.settle(&event).await, Status::Synced);
    assert_eq!(bench.record("1").rule, None);
}

#[tokio::test]
async fn what_the_vendor_holds_is_kept_true_whatever_the_rules_say() {
    let mut bench = bench();
    bench.set("1", "Ada", Some(1));
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Synced);
    bench.set("1", "draft", Some(2));
    bench.advance(10);
    let event = bench.event("1", Some(2));
    assert_eq!(bench.settle(&event).await, Status::Synced);
}

#[tokio::test]
async fn what_may_stand_at_the_vendor_is_not_kept_out() {
    let mut bench = bench();
    bench.set("1", "Ada", Some(1));
    let unknown = Error::new(ErrorKind::Timeout, Verdict::Unknown, Stage::Push, "late");
    lock(&bench.world).script.push_back((unknown, true));
    let event = bench.event("1", Some(1));
    assert_eq!(bench.settle(&event).await, Status::Parked);
    bench.set("1", "draft", Some(2));
    bench.advance(200);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_eq!(lock(&bench.world).rows.len(), 1);
}

#[tokio::test]
async fn a_rule_on_events_reads_nothing_and_hands_nothing_over() {
    let mut bench = bench();
    bench.set("1", "Ada", Some(1));
    let cases: [(&str, Value, &str, &str); 3] = [
        (
            "PersonChanged",
            json!({"id": "1", "user": "us"}),
            "own-user",
            "person/1",
        ),
        (
            "PersonMoved",
            json!({"id": "1", "kind": 1, "user": "us"}),
            "own-user",
            "person/1",
        ),
        ("PersonMoved", json!({"id": "1", "kind": 17}), "kinds", "-"),
    ];
    for (detail_type, detail, expected, entity) in cases {
        let mut event = bench.event_of(detail_type, "1", &detail);
        event.group = "intake".to_owned();
        assert_eq!(bench.settle(&event).await, Status::Excluded);
        assert_eq!(rule(&bench, &event).as_deref(), Some(expected));
        assert_eq!(bench.ledger.event(&event_id(&event)).unwrap().entity, entity);
    }
    assert_eq!(lock(&bench.world).reads, 0);
    assert!(bench.lanes.take().is_empty());
    let of_another = bench.event_of("PersonGrew", "1", &json!({"id": "1", "user": "us"}));
    assert_eq!(
        bench.settle(&of_another).await,
        Status::Rejected,
        "no rule hears it"
    );
}
