//! What people and programs are shown of fixed records.

use serde_json::json;
use vendorbridge::ledger::{ErrorRecord, Parked};
use vendorbridge::{EntityKey, ErrorKind, Stage};

use super::*;

const REASON: &str = "expected an e-mail address because Mailchimp keys its members by it, found null in what the \
    source answered for this customer, who wants statements by e-mail all the same";

fn now() -> Timestamp {
    "2026-01-29T14:36:26Z".parse().unwrap()
}

fn rejected(id: &str) -> EntityRecord {
    let error = Error::permanent(ErrorKind::Invalid, Stage::Map, REASON).at("/email");
    let key = EntityKey::new("customer", id).unwrap();
    let mut record = EntityRecord::unknown("mailchimp", key).next(Status::Rejected, "e-1", now(), now());
    record.attempts = 1;
    record.error = Some(ErrorRecord::from(&error));
    record
}

fn parked(id: &str) -> EntityRecord {
    let error = Error::retry(ErrorKind::Unavailable, Stage::Push, "found 503").code("E503");
    let key = EntityKey::new("customer", id).unwrap();
    let mut record = EntityRecord::unknown("mailchimp", key).next(Status::Parked, "e-2", now(), now());
    record.attempts = 2;
    record.parked = Some(Parked {
        trace: None,
        wake_at: "2026-01-29T14:40:00Z".parse().unwrap(),
        since: now(),
        event_id: "e-2".into(),
        event_time: now(),
        detail_type: "Changed".into(),
        version: None,
        lagging_since: None,
        denied_since: None,
        carried: None,
        asks: false,
        error: ErrorRecord::from(&error),
    });
    record
}

fn nameless(id: &str) -> EventRecord {
    let error = Error::permanent(ErrorKind::Invalid, Stage::Intake, "found none").at("/detail/customerId");
    serde_json::from_value(json!({
        "vendor": "mailchimp", "entity": "-", "event_id": id, "status": "REJECTED", "message_id": "m",
        "event_time": now(), "settled_at": now(), "error": ErrorRecord::from(&error),
    }))
    .unwrap()
}

fn standing(record: &VendorRecord) -> Standing {
    Standing::of(record, now())
}

fn overview(events: Events, entities: Vec<(Vec<EntityRecord>, usize)>) -> Overview {
    Overview {
        stack: "s".into(),
        since: "2026-01-29T13:36:26Z".parse().unwrap(),
        until: now(),
        vendors: vec![AtVendor::of(
            standing(&VendorRecord::new("mailchimp")),
            "mailchimp",
            events,
            entities,
        )],
    }
}

#[test]
fn people_see_counts_and_reasons_that_wrap() {
    let mut events = Events::default();
    events.add(nameless("e-3"));
    let entities = vec![(vec![], 0), (vec![rejected("c-1")], 0), (vec![parked("c-2")], 7)];
    for width in [output::MIN_WIDTH, 120, 200] {
        let text = overview(
            Events {
                counts: events.counts.clone(),
                nameless: events.nameless.clone(),
                unreadable: Unreadable::default(),
            },
            entities.clone(),
        )
        .text(width);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= usize::from(width), "{widest} > {width}:\n{text}");
        assert!(text.ends_with("mailchimp: 7 more not shown\n"), "{text}");
    }
    let text = overview(events, entities).text(200);
    for expected in [
        "customer/c-1",
        "customer/c-2",
        "event e-3",
        "/email",
        "E503",
        "PARKED until",
        "14:40",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    for word in REASON.split_whitespace() {
        assert!(text.contains(word), "{word} in\n{text}");
    }
}

#[test]
fn json_has_stable_names_and_the_whole_reason() {
    let mut events = Events::default();
    events.add(nameless("e-3"));
    let entities = vec![(vec![], 0), (vec![rejected("c-1")], 0), (vec![parked("c-2")], 0)];
    let json = serde_json::to_value(overview(events, entities)).unwrap();
    let time = "2026-01-29T14:36:26Z";
    let expected = json!({"stack": "s", "since": "2026-01-29T13:36:26Z", "until": time, "vendors": [{
    "vendor": "mailchimp", "state": "running", "pause": null, "circuit": null, "total": 1, "attention_not_shown": 0,
    "events": {"SYNCED": 0, "DELETED": 0, "UNCHANGED": 0, "COVERED": 0, "EXCLUDED": 0, "COALESCED": 0,
        "PARKED": 0, "REJECTED": 1, "DEAD": 0},
    "attention": [
        {"entity": "customer/c-1", "event_id": null, "status": "REJECTED", "since": time, "wake_at": null,
            "attempts": 1, "error": {"stage": "map", "step": null, "field": "/email", "code": null, "reason": REASON,
            "kind": "invalid", "verdict": "permanent"}},
        {"entity": null, "event_id": "e-3", "status": "REJECTED", "since": time, "wake_at": null,
            "attempts": null, "error": {"stage": "intake", "step": null, "field": "/detail/customerId", "code": null,
            "reason": "found none", "kind": "invalid", "verdict": "permanent"}},
        {"entity": "customer/c-2", "event_id": null, "status": "PARKED", "since": time,
            "wake_at": "2026-01-29T14:40:00Z", "attempts": 2, "error": {"stage": "push", "step": null, "field": null,
            "code": "E503", "reason": "found 503", "kind": "unavailable", "verdict": "retry"}},
    ], "unreadable": {"count": 0, "keys": []}}]});
    assert_eq!(json, expected);
}

#[test]
fn at_most_fifty_are_listed_and_the_rest_is_counted() {
    let mut events = Events::default();
    for index in 0..60 {
        events.add(nameless(&index.to_string()));
    }
    let standing = standing(&VendorRecord::new("mailchimp"));
    let vendor = AtVendor::of(standing, "mailchimp", events, vec![(vec![rejected("c-1")], 3)]);
    assert_eq!((vendor.attention.len(), vendor.attention_not_shown), (50, 14));
    assert_eq!(
        vendor.attention[1].event_id.as_deref(),
        Some("59"),
        "newest first"
    );
}

#[test]
fn a_healthy_stack_says_so() {
    let text = overview(Events::default(), Vec::new()).text(120);
    assert!(text.contains("Nothing needs attention"), "{text}");
}

#[test]
fn what_cannot_be_read_is_told_under_the_counts() {
    let events = Events {
        unreadable: Unreadable {
            count: 1,
            keys: vec!["customer/c-1#t#e-1".into()],
        },
        ..Events::default()
    };
    let text = overview(events, Vec::new()).text(120);
    let line = "\nmailchimp: 1 event record not readable, and left out: customer/c-1#t#e-1\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn a_vendor_that_is_not_called_is_named() {
    let record = VendorRecord::new("mailchimp")
        .paused(Some("their release"), now())
        .unwrap();
    let mut overview = overview(Events::default(), Vec::new());
    overview.vendors[0].standing = standing(&record);
    let text = overview.text(120);
    let line = "mailchimp: paused since 2026-01-29 14:36:26Z because: their release";
    assert!(
        text.contains(line) && !text.contains("Nothing needs attention"),
        "{text}"
    );
    let json = serde_json::to_value(overview).unwrap();
    let vendor = &json["vendors"][0];
    assert_eq!(
        (&vendor["state"], &vendor["pause"]["reason"]),
        (&json!("paused"), &json!("their release"))
    );
}
