use std::collections::BTreeSet;

use rstest::rstest;
use serde::Serialize;
use serde_json::{Value, json};

use super::{settled, standing};
use crate::ledger::{ErrorRecord, EventRecord, Status};
use crate::wake::Standing;
use crate::{Error, ErrorKind, Stage, Version};

/// The schema of the specification: see `emf.rs`.
const SCHEMA: &str = include_str!("emf.schema.json");
/// What the template's alarms and dashboard read.
const METRICS: &str = include_str!("metrics.json");

fn written(line: &impl Serialize) -> (Value, usize) {
    let text = serde_json::to_string(line).unwrap();
    assert!(!text.contains('\n') && !text.contains("null"), "{text}");
    (serde_json::from_str(&text).unwrap(), text.len())
}

/// Checks what the specification says of a document, and answers with its metrics: name, unit and dimensions.
fn metrics(line: &Value) -> BTreeSet<String> {
    let schema = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    if let Err(error) = schema.validate(line) {
        panic!("{error}: {line}");
    }
    let mut found = BTreeSet::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive["Namespace"], "Vendorbridge");
        let dimensions = &directive["Dimensions"][0];
        for dimension in dimensions.as_array().unwrap() {
            let value = line[dimension.as_str().unwrap()].as_str().unwrap();
            assert!(!value.is_empty() && value.len() <= 1024, "{dimension}: {value}");
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name} is no number: {line}");
            let one = json!({"name": name, "unit": metric["Unit"], "dimensions": dimensions});
            assert!(found.insert(one.to_string()), "{name} twice: {line}");
        }
    }
    found
}

fn promised(line: &str) -> BTreeSet<String> {
    let all: Value = serde_json::from_str(METRICS).unwrap();
    all[line]
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// What an event record has at most.
fn full(status: Status) -> EventRecord {
    let error = Error::retry(ErrorKind::Timeout, Stage::Push, "late")
        .code("504")
        .at("/email");
    EventRecord {
        detail_type: Some("DeliveryPreferenceUpdated".into()),
        attempt: Some(2),
        by_event: Some("e-1".into()),
        rule: Some("drafts".into()),
        version: Some(Version::Number(12)),
        receipt: Some("task-1".into()),
        source_ms: Some(41),
        vendor_ms: Some(212),
        wake_at: Some("2026-01-29T14:37:00Z".parse().unwrap()),
        error: Some(ErrorRecord::from(&error)),
        trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            .parse()
            .ok(),
        request_id: "0d2f6c8e-3b7a-4a43-9d53-7d0b8f5b1c22".into(),
        ..plain(status)
    }
}

fn plain(status: Status) -> EventRecord {
    EventRecord::new(
        "mailchimp",
        "customer/c-4711",
        "7a0d4f5e-6b1c-4d28-9f3e-2c5b8e91a047",
        status,
        "2026-01-29T14:36:26Z".parse().unwrap(),
        "2026-01-29T14:36:27.18431Z".parse().unwrap(),
        "f3c2b5d0-8f0e-4f7a-9c35-2f1a7b0d6e11",
    )
}

const STATUSES: [Status; 9] = [
    Status::Synced,
    Status::Deleted,
    Status::Unchanged,
    Status::Covered,
    Status::Coalesced,
    Status::Excluded,
    Status::Parked,
    Status::Rejected,
    Status::Dead,
];

#[test]
fn a_settled_line_is_log_and_metrics() {
    let (line, _) = written(&settled::line(&full(Status::Synced)));
    assert_eq!(metrics(&line), promised("sync.settled"));
    let expected = json!({
        "timestamp": "2026-01-29T14:36:27.184310Z", "level": "INFO", "message": "sync.settled",
        "vendor": "mailchimp", "type": "customer", "entity": "customer/c-4711",
        "event_id": "7a0d4f5e-6b1c-4d28-9f3e-2c5b8e91a047", "detail_type": "DeliveryPreferenceUpdated",
        "status": "SYNCED", "attempt": 2, "by_event": "e-1", "rule": "drafts", "version": "12",
        "freshness_ms": 1184, "source_ms": 41, "vendor_ms": 212, "receipt": "task-1", "wake_at": "2026-01-29T14:37:00Z",
        "error": "timeout", "verdict": "retry", "stage": "push", "pointer": "/email", "code": "504",
        "message_id": "f3c2b5d0-8f0e-4f7a-9c35-2f1a7b0d6e11", "request_id": "0d2f6c8e-3b7a-4a43-9d53-7d0b8f5b1c22",
        "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "settled": 1, "_aws": line["_aws"],
    });
    assert_eq!(line, expected);
    assert_eq!(line["_aws"]["Timestamp"], 1_769_697_387_184_i64);
}

#[test]
fn every_status_is_counted_and_freshness_only_of_what_reached_the_vendor() {
    for status in STATUSES {
        for event in [full(status), plain(status)] {
            let (line, _) = written(&settled::line(&event));
            let found = metrics(&line);
            assert!(found.is_subset(&promised("sync.settled")), "{found:?}");
            let named = |name: &str| found.iter().any(|metric| metric.contains(&format!("\"{name}\"")));
            assert!(named("settled"));
            let is_at_vendor = ["SYNCED", "DELETED", "UNCHANGED"].contains(&status.name());
            assert_eq!(named("freshness_ms"), is_at_vendor, "{status}");
            assert_eq!(named("vendor_ms"), event.vendor_ms.is_some());
        }
    }
}

#[rstest]
#[case::none("-", None, "-")]
#[case::an_address("customer/ada@lovelace.example", Some("customer"), "sha256:")]
fn an_entity_without_a_type_or_with_an_address(
    #[case] entity: &str,
    #[case] entity_type: Option<&str>,
    #[case] shown: &str,
) {
    let (line, _) = written(&settled::line(&EventRecord {
        entity: entity.into(),
        ..plain(Status::Rejected)
    }));
    assert_eq!(line.get("type").and_then(Value::as_str), entity_type);
    assert!(line["entity"].as_str().unwrap().starts_with(shown), "{line}");
    assert!(!line.to_string().contains("lovelace"));
}

/// What docs/LOGGING.md says of bytes, and so of cost.
#[test]
fn lines_are_as_long_as_promised() {
    let synced = EventRecord {
        attempt: Some(1),
        source_ms: Some(41),
        vendor_ms: Some(212),
        ..full(Status::Synced)
    };
    let usual = EventRecord {
        by_event: None,
        rule: None,
        receipt: None,
        wake_at: None,
        error: None,
        trace: None,
        ..synced
    };
    let coalesced = EventRecord {
        by_event: Some("7a0d4f5e-6b1c-4d28-9f3e-2c5b8e91a047".into()),
        ..plain(Status::Coalesced)
    };
    let lengths = [usual, coalesced, full(Status::Parked)].map(|event| written(&settled::line(&event)).1);
    println!("bytes: {lengths:?}");
    assert!(
        lengths[0] <= 950 && lengths[1] <= 650 && lengths[2] <= 1200,
        "{lengths:?}"
    );
}

#[test]
fn a_standing_line_is_log_and_metrics() {
    let now = "2026-01-29T14:37:00.4122Z".parse().unwrap();
    let counted = Standing {
        parked: 7,
        rejected: 2,
        dead: 1,
        at_least: true,
        overdue_s: 65,
        is_open: true,
        is_paused: false,
    };
    let (line, bytes) = written(&standing::line("mailchimp", &counted, now));
    assert_eq!(metrics(&line), promised("vendor.standing"));
    let expected = json!({
        "timestamp": "2026-01-29T14:37:00.412200Z", "level": "INFO", "message": "vendor.standing", "vendor": "mailchimp",
        "parked": 7, "rejected": 2, "dead": 1, "at_least": true, "overdue_s": 65, "circuit_open": 1, "paused": 0,
        "_aws": line["_aws"],
    });
    assert_eq!(line, expected);
    println!("bytes: {bytes}");
    assert!(bytes <= 650, "{bytes}");
    let (line, _) = written(&standing::line("mailchimp", &Standing::default(), now));
    assert_eq!(metrics(&line), promised("vendor.standing"));
    assert_eq!(line.get("at_least"), None);
}
