//! What people and programs are shown of fixed events.

use serde_json::json;
use vendorbridge::ledger::{ErrorRecord, EventRecord, Status, StepReport};
use vendorbridge::{ErrorKind, Stage};

use super::*;

fn at(time: &str) -> Timestamp {
    format!("2026-01-29T{time}Z").parse().unwrap()
}

fn timeline(events: Vec<EventRecord>) -> Timeline {
    Timeline {
        vendor: "discovery".into(),
        entity: "course/c-1".parse().unwrap(),
        since: at("13:00:00"),
        until: at("15:00:00"),
        hours: 2,
        events: events.into_iter().map(Entry::from).collect(),
        unreadable: Unreadable::default(),
    }
}

fn event(id: &str, status: Status) -> EventRecord {
    let mut event = EventRecord::new(
        "discovery",
        "course/c-1",
        id,
        status,
        at("14:00:00"),
        at("14:00:01.5"),
        "m",
    );
    event.detail_type = Some("CourseChanged".into());
    event.attempt = Some(1);
    event
}

fn failed() -> EventRecord {
    let error = Error::retry(ErrorKind::Unavailable, Stage::Push, "found 503")
        .code("503")
        .in_step("staff");
    EventRecord {
        error: Some(ErrorRecord::from(&error)),
        wake_at: Some(at("14:01:00")),
        steps: vec![StepReport {
            name: "course".into(),
            id: Some("77".into()),
            at: Some(at("14:00:01")),
            took_ms: Some(20),
        }],
        not_done: vec!["staff".into(), "publish".into()],
        ..event("e-2", Status::Parked)
    }
}

#[test]
fn people_see_steps_and_the_point_of_failure() {
    let covered = EventRecord {
        by_event: Some("e-2".into()),
        attempt: None,
        ..event("e-3", Status::Covered)
    };
    insta::assert_snapshot!(timeline(vec![event("e-1", Status::Synced), failed(), covered]).text(120));
}

#[test]
fn an_empty_time_says_how_far_it_looked() {
    let text = timeline(vec![]).text(120);
    assert!(
        text.contains("from 2026-01-29 13:00:00Z") && text.contains("--since"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_told_beside_what_can() {
    for events in [vec![], vec![event("e-1", Status::Synced)]] {
        let mut damaged = timeline(events);
        let before = damaged.text(120);
        let key = "course/c-1#2026-01-29T14:00:00Z#e-9";
        damaged.unreadable = Unreadable {
            count: 1,
            keys: vec![key.into()],
        };
        let told = format!("{before}1 event record not readable, and left out: {key}\n");
        assert_eq!(damaged.text(120), told);
        let json = serde_json::to_value(damaged).unwrap();
        assert_eq!(json["unreadable"], json!({"count": 1, "keys": [key]}));
    }
}

#[test]
fn json_has_stable_names() {
    let json = serde_json::to_value(timeline(vec![failed()])).unwrap();
    let expected = json!({"vendor": "discovery", "entity": "course/c-1", "since": at("13:00:00"),
        "until": at("15:00:00"), "hours": 2, "events": [{"event_id": "e-2", "detail_type": "CourseChanged",
        "status": "PARKED", "event_time": at("14:00:00"), "settled_at": at("14:00:01.5"), "freshness_ms": 1500,
        "attempt": 1, "by_event": null, "rule": null, "link": null, "receipt": null, "version": null,
        "source_ms": null, "vendor_ms": null, "wake_at": at("14:01:00"),
        "error": {"stage": "push", "step": "staff", "field": null, "code": "503", "reason": "found 503",
            "kind": "unavailable", "verdict": "retry"},
        "steps": [{"name": "course", "id": "77", "at": at("14:00:01"), "took_ms": 20}],
        "not_done": ["staff", "publish"], "request_id": ""}],
        "unreadable": {"count": 0, "keys": []}});
    assert_eq!(json, expected);
}
