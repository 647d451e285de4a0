//! What people and programs are shown of fixed records.

use jiff::Timestamp;
use rstest::rstest;
use serde_json::json;
use vendorbridge::ErrorKind;
use vendorbridge::ledger::{Circuit, Window};

use super::queues::Queue;
use super::*;

fn at(time: &str) -> Timestamp {
    format!("2026-01-29T{time}Z").parse().unwrap()
}

fn running() -> VendorRecord {
    VendorRecord::new("mailchimp")
}

fn open() -> VendorRecord {
    let mut record = running();
    record.window = Window {
        since: at("14:36:00"),
        calls: 20,
        failures: 12,
    };
    record.circuit = Some(Circuit {
        since: at("14:36:26"),
        retry_at: at("14:36:56"),
        times: 1,
        kind: ErrorKind::Timeout,
        reason: "12 of 20 calls failed within 60 s".into(),
        probing_until: None,
    });
    record
}

fn paused_at_noon(record: &VendorRecord) -> VendorRecord {
    record.paused(Some("their release"), at("12:00:00")).unwrap()
}

fn probed() -> VendorRecord {
    open().probing(at("14:37:00"), &vendorbridge::circuit::Policy::default())
}

#[rstest]
#[case::running(running(), "14:36:30", &["state", "running", "closed", "31 entities"])]
#[case::paused(paused_at_noon(&running()), "14:36:30", &[
    "paused since 2026-01-29 12:00:00Z because: their release", "closed"
])]
#[case::open(open(), "14:36:30", &[
    "circuit open since 2026-01-29 14:36:26Z because: 12 of 20 calls failed within 60 s",
    "probes from 2026-01-29 14:36:56Z", "12 of 20 calls in the window from 2026-01-29 14:36:00Z"
])]
#[case::half_open(open(), "14:36:56", &["probes are due"])]
#[case::somebody_probes(probed(), "14:37:01", &["probes from 2026-01-29 14:39:00Z"])]
#[case::both(paused_at_noon(&open()), "14:36:30", &["because: their release", "probes from 2026-01-29 14:36:56Z"])]
fn people_read_how_it_stands(#[case] record: VendorRecord, #[case] now: &str, #[case] expected: &[&str]) {
    for width in [100, 120] {
        let text = VendorReport::of("s", &record, 31, at(now)).text(width);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.starts_with("mailchimp of s state "), "{text}");
        for expected in expected {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }
}

#[test]
fn json_has_stable_names() {
    let json = serde_json::to_value(VendorReport::of("s", &open(), 31, at("14:36:30"))).unwrap();
    let expected = json!({
        "stack": "s", "vendor": "mailchimp", "changed": null, "state": "circuit-open", "pause": null,
        "circuit": {"since": "2026-01-29T14:36:26Z", "probes_from": "2026-01-29T14:36:56Z", "times": 1,
            "error": "timeout", "reason": "12 of 20 calls failed within 60 s"},
        "window": {"since": "2026-01-29T14:36:00Z", "calls": 20, "failures": 12}, "waiting": 31,
        "queues": null,
    });
    assert_eq!(json, expected);
    let record = running().paused(None, at("12:00:00")).unwrap();
    let report = VendorReport::of("s", &record, 0, at("14:36:30"))
        .holding(Ok(vec![queue("s-mailchimp.fifo", 2, 1)]))
        .changed(true, "done".into());
    let expected = json!({
        "stack": "s", "vendor": "mailchimp", "changed": true, "state": "paused", "circuit": null, "window": null,
        "pause": {"since": "2026-01-29T12:00:00Z", "until": null, "reason": null}, "waiting": 0,
        "queues": [{"name": "s-mailchimp.fifo", "visible": 2, "in_flight": 1}],
    });
    assert_eq!(serde_json::to_value(report).unwrap(), expected);
}

fn queue(name: &str, visible: u64, in_flight: u64) -> Queue {
    Queue {
        name: name.to_owned(),
        visible,
        in_flight,
    }
}

#[test]
fn people_see_which_partition_is_empty() {
    let queues = vec![queue("s-webhook.fifo", 0, 0), queue("s-webhook_1.fifo", 7, 2)];
    let report = VendorReport::of("s", &running(), 0, at("14:36:30"));
    let text = report.clone().holding(Ok(queues)).text(120);
    assert!(text.contains("s-webhook.fifo: empty"), "{text}");
    assert!(
        text.contains("s-webhook_1.fifo: 7 waiting, 2 in flight"),
        "{text}"
    );
    let denied = CliError::NoVendor {
        found: "webhook".into(),
        known: "mailchimp".into(),
    };
    let text = report.holding(Err(denied)).text(120);
    assert!(
        text.contains("closed") && text.contains("found `webhook`"),
        "{text}"
    );
}

fn change(before: VendorRecord, written: Option<VendorRecord>) -> VendorChange {
    VendorChange { before, written }
}

#[rstest]
#[case::first(change(running(), Some(paused_at_noon(&running()))), "is paused now")]
#[case::again(change(paused_at_noon(&running()), None), "already, since 2026-01-29 12:00:00Z. Nothing is changed")]
#[case::another_reason(
    change(paused_at_noon(&running()), paused_at_noon(&running()).paused(Some("still"), at("13:00:00"))),
    "already, since 2026-01-29 12:00:00Z. Its reason or end is changed: it is paused until it is resumed."
)]
#[case::announced(
    change(running(), running().paused_until(Some(at("16:00:00")), None, at("13:00:00"))),
    "is paused now until 2026-01-29 16:00:00Z."
)]
#[case::after_one_that_was_over(
    change(
        running().paused_until(Some(at("13:00:00")), None, at("12:00:00")).unwrap(),
        running().paused(None, at("14:00:00")),
    ),
    "is paused now."
)]
fn a_pause_says_what_it_did(#[case] change: VendorChange, #[case] expected: &str) {
    let options = Pause {
        vendor: "mailchimp".into(),
        reason: None,
        until: None,
    };
    let text = paused(&change, &options);
    assert!(text.contains(expected), "{text}");
}

#[rstest]
#[case::paused(change(paused_at_noon(&running()), Some(running())), false, "mailchimp goes on.")]
#[case::not_paused(change(running(), None), false, "mailchimp was not paused.")]
#[case::open(change(open(), None), false, "--close-circuit lets probes go at once")]
#[case::probes(change(open(), open().probed_at_once(at("14:36:30"))), true, "Probes are due at once")]
#[case::closed(change(running(), None), true, "Its circuit is closed")]
fn a_resume_says_what_it_did(
    #[case] change: VendorChange,
    #[case] close_circuit: bool,
    #[case] expected: &str,
) {
    let options = Resume {
        vendor: "mailchimp".into(),
        close_circuit,
    };
    let text = resumed(&change, &options);
    assert!(text.contains(expected), "{text}");
}
