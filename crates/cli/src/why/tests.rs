//! Every status, alone and with a vendor that is not called.

use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge::ledger::{
    Circuit, Effect, EntityRecord, ErrorRecord, Parked, Reservation, StepRecord, Steps, Tried, VendorRecord,
};
use vendorbridge::{ErrorKind, Stage, Version};

use super::*;

fn at(time: &str) -> Timestamp {
    format!("2026-01-29T{time}Z").parse().unwrap()
}

fn key() -> EntityKey {
    EntityKey::new("customer", "c-4711").unwrap()
}

fn record(status: Status) -> EntityRecord {
    let unknown = EntityRecord::unknown("mailchimp", key());
    unknown.next(status, "e-1", at("14:36:20"), at("14:36:26"))
}

fn synced() -> EntityRecord {
    EntityRecord {
        link: Some("l-1".into()),
        pushed_hash: Some("h".into()),
        pushed_version: Some(Version::Number(12)),
        read_at: Some(at("14:36:25")),
        ..record(Status::Synced)
    }
}

fn failure(kind: ErrorKind) -> ErrorRecord {
    ErrorRecord::from(&Error::retry(kind, Stage::Push, "found 503").code("E503"))
}

fn parked(kind: ErrorKind, attempts: u32) -> EntityRecord {
    EntityRecord {
        attempts,
        parked: Some(Parked {
            trace: None,
            wake_at: at("14:40:00"),
            since: at("14:36:00"),
            event_id: "e-1".into(),
            event_time: at("14:36:20"),
            detail_type: "Changed".into(),
            version: None,
            lagging_since: None,
            denied_since: None,
            carried: None,
            asks: false,
            error: failure(kind),
        }),
        ..record(Status::Parked)
    }
}

fn rejected() -> EntityRecord {
    let error = Error::permanent(
        ErrorKind::Invalid,
        Stage::Map,
        "expected an e-mail address, found null",
    );
    EntityRecord {
        attempts: 1,
        error: Some(ErrorRecord::from(&error.at("/email"))),
        ..record(Status::Rejected)
    }
}

fn dead() -> EntityRecord {
    EntityRecord {
        status: Status::Dead,
        attempts: 57,
        error: Some(failure(ErrorKind::Timeout)),
        ..synced()
    }
}

fn doubtful() -> EntityRecord {
    let done = StepRecord {
        name: "course".into(),
        output: Value::Null,
        at: None,
        took_ms: None,
    };
    let effect = |name: &str, until| Effect {
        name: name.to_owned(),
        since: at("14:36:00"),
        until,
        output: Value::Null,
        took_ms: None,
        at: None,
    };
    EntityRecord {
        unsure: true,
        tried: Some(Tried {
            hash: "h".into(),
            revision: 3,
        }),
        reservation: Some(Reservation {
            key: "k".into(),
            until: at("14:37:00"),
        }),
        steps: Some(Steps {
            plan: "p".into(),
            done: vec![done],
            begun: vec!["price".into()],
            earlier: vec![],
            undoing: None,
        }),
        effects: vec![effect("charge", Some(at("14:37:00"))), effect("invite", None)],
        ..parked(ErrorKind::Unavailable, 2)
    }
}

fn excluded() -> EntityRecord {
    EntityRecord {
        rule: Some("drafts".into()),
        ..record(Status::Excluded)
    }
}

fn running() -> VendorRecord {
    VendorRecord::new("mailchimp")
}

fn paused() -> VendorRecord {
    running().paused(Some("their release"), at("12:00:00")).unwrap()
}

fn open(kind: ErrorKind) -> VendorRecord {
    VendorRecord {
        circuit: Some(Circuit {
            since: at("14:30:00"),
            retry_at: at("14:39:00"),
            times: 2,
            kind,
            reason: "12 of 20 calls failed within 60 s".into(),
            probing_until: None,
        }),
        ..running()
    }
}

fn answer(entity: Option<EntityRecord>, vendor: VendorRecord, now: &str) -> Answer {
    Answer::of(
        "vendorbridge",
        &key(),
        &EntityStanding { entity, vendor },
        at(now),
    )
}

const REPLAY: &str = "vendorbridge replay mailchimp --entity customer/c-4711";
const TIMELINE: &str = "vendorbridge timeline mailchimp customer/c-4711";
const DOCTOR: &str = "vendorbridge doctor --vendor mailchimp";

#[rstest]
#[case::never_seen(None, running(), false, "never-seen", DOCTOR)]
#[case::never_seen_and_paused(None, paused(), false, "never-seen paused", DOCTOR)]
#[case::synced(Some(synced()), running(), true, "at-vendor last-event", "")]
#[case::synced_while_paused(Some(synced()), paused(), true, "at-vendor paused last-event", "")]
#[case::unchanged(Some(record(Status::Unchanged)), running(), true, "at-vendor last-event", "")]
#[case::covered(
    Some(record(Status::Covered)),
    running(),
    true,
    "at-vendor last-event covered",
    ""
)]
#[case::coalesced(
    Some(record(Status::Coalesced)),
    running(),
    true,
    "at-vendor last-event coalesced",
    ""
)]
#[case::removed(Some(record(Status::Deleted)), running(), true, "removed last-event", "")]
#[case::excluded(
    Some(excluded()),
    running(),
    false,
    "excluded holds-nothing last-event",
    REPLAY
)]
#[case::rejected(
    Some(rejected()),
    running(),
    false,
    "rejected holds-nothing last-event",
    REPLAY
)]
#[case::dead(Some(dead()), running(), false, "used-up holds-earlier last-event", REPLAY)]
#[case::parked(
    Some(parked(ErrorKind::Timeout, 2)),
    running(),
    false,
    "parked holds-nothing last-event",
    TIMELINE
)]
#[case::parked_and_paused(
    Some(parked(ErrorKind::Paused, 0)),
    paused(),
    false,
    "parked paused holds-nothing last-event",
    "vendorbridge vendor resume mailchimp"
)]
#[case::parked_and_open(
    Some(parked(ErrorKind::CircuitOpen, 0)),
    open(ErrorKind::Timeout),
    false,
    "parked circuit-open holds-nothing last-event",
    "vendorbridge vendor probe mailchimp"
)]
#[case::in_doubt(
    Some(doubtful()),
    running(),
    false,
    "parked completed in-doubt last-event",
    TIMELINE
)]
#[case::unsure(
    Some(EntityRecord { unsure: true, ..synced() }), running(), false, "at-vendor in-doubt last-event", REPLAY
)]
fn every_case_has_its_chain_and_its_step(
    #[case] entity: Option<EntityRecord>,
    #[case] vendor: VendorRecord,
    #[case] is_at_vendor: bool,
    #[case] codes: &str,
    #[case] command: &str,
) {
    let answer = answer(entity, vendor, "14:38:00");
    let json = serde_json::to_value(&answer).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let found: Vec<_> = findings
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    assert_eq!(found.join(" "), codes);
    assert_eq!(answer.is_at_vendor, is_at_vendor);
    let next = answer.next.and_then(|next| next.command);
    assert_eq!(next.unwrap_or_default(), command);
}

#[test]
fn an_entity_that_nobody_wakes_is_a_matter_for_the_doctor() {
    let text = |now| answer(Some(parked(ErrorKind::Timeout, 2)), running(), now).text(80);
    assert!(text("14:44:00").contains(TIMELINE), "{}", text("14:44:00"));
    let overdue = text("14:45:01");
    assert!(
        overdue.contains("was due at") && overdue.contains(DOCTOR),
        "{overdue}"
    );
}

#[test]
fn a_refused_credential_is_the_first_thing_to_change() {
    let waiting = parked(ErrorKind::CircuitOpen, 0);
    let text = answer(Some(waiting), open(ErrorKind::Deauthorized), "14:40:00").text(80);
    assert!(
        text.contains("valid credential") && text.contains("probes may go now"),
        "{text}"
    );
}

#[test]
fn people_read_sentences() {
    let texts = [
        answer(None, running(), "14:38:00"),
        answer(Some(synced()), running(), "14:38:00"),
        answer(Some(rejected()), running(), "14:38:00"),
        answer(Some(excluded()), running(), "14:38:00"),
        answer(Some(record(Status::Deleted)), running(), "14:38:00"),
        answer(Some(dead()), open(ErrorKind::Timeout), "14:38:00"),
        answer(Some(parked(ErrorKind::Paused, 0)), paused(), "14:38:00"),
        answer(Some(doubtful()), running(), "14:38:00"),
        answer(Some(record(Status::Covered)), running(), "14:38:00"),
    ];
    insta::assert_snapshot!(texts.map(|answer| answer.text(120)).join("---\n"));
}

#[test]
fn json_has_stable_names() {
    let json = serde_json::to_value(answer(Some(rejected()), running(), "14:38:00")).unwrap();
    let findings = &json["findings"];
    assert_eq!(findings[0]["error"]["field"], "/email");
    let expected = json!({
        "stack": "vendorbridge", "vendor": "mailchimp", "entity": "customer/c-4711", "at": at("14:38:00"),
        "is_at_vendor": false, "status": "REJECTED", "findings": findings,
        "next": {"reason": json["next"]["reason"], "command": REPLAY},
    });
    assert_eq!(json, expected);
}
