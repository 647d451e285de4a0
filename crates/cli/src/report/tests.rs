//! The counts of fixed events, in each form.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::json;

use super::*;

fn at(time: &str) -> Timestamp {
    format!("2026-01-29T{time}Z").parse().unwrap()
}

fn span() -> Span {
    Span::new(at("13:30:00"), at("15:00:00")).unwrap()
}

fn counts(events: &[(Status, &str, i64)]) -> Counts {
    let mut counts = Counts::default();
    for (status, time, took) in events {
        let event_time = at(time);
        let settled_at = event_time
            .checked_add(SignedDuration::from_millis(*took))
            .unwrap();
        counts.add(
            Counted {
                status: *status,
                event_time,
                settled_at,
            },
            span(),
        );
    }
    counts
}

fn mailchimp() -> Counts {
    let mut counts = counts(&[
        (Status::Synced, "13:30:00", 40),
        (Status::Synced, "14:10:00", 60),
        (Status::Synced, "13:29:59", 1), // before
        (Status::Synced, "15:00:00", 1), // after
    ]);
    counts.merge(self::counts(&[
        (Status::Deleted, "14:00:00", -5),
        (Status::Rejected, "14:20:00", 9_000),
        (Status::Parked, "14:20:00", 9_000),
        (Status::Coalesced, "14:20:00", 9_000),
    ]));
    counts
}

fn report(by: By) -> Report {
    let hour = (by == By::Hour).then_some("2026-01-29T14");
    let mut rows = mailchimp().rows("mailchimp", hour, by);
    rows.extend(Counts::default().rows("webhook", hour, by));
    Report {
        stack: "s".into(),
        since: span().since,
        until: span().until,
        by,
        rows,
        unreadable: BTreeMap::from(
            ["mailchimp", "webhook"].map(|vendor| (vendor.to_owned(), Unreadable::default())),
        ),
    }
}

#[test]
fn what_brought_the_vendor_in_step_counts_for_freshness() {
    let json = serde_json::to_value(report(By::Vendor)).unwrap();
    let none = json!({"SYNCED": 0, "DELETED": 0, "UNCHANGED": 0, "COVERED": 0, "EXCLUDED": 0, "COALESCED": 0,
        "PARKED": 0, "REJECTED": 0, "DEAD": 0});
    let mut some = none.clone();
    for (status, count) in [
        ("SYNCED", 2),
        ("DELETED", 1),
        ("REJECTED", 1),
        ("PARKED", 1),
        ("COALESCED", 1),
    ] {
        some[status] = count.into();
    }
    let expected = json!({"stack": "s", "since": at("13:30:00"), "until": at("15:00:00"), "by": "vendor", "rows": [
        {"vendor": "mailchimp", "status": null, "hour": null, "total": 6, "events": some,
            "freshness_p50_ms": 40, "freshness_p99_ms": 60},
        {"vendor": "webhook", "status": null, "hour": null, "total": 0, "events": none,
            "freshness_p50_ms": null, "freshness_p99_ms": null}],
        "unreadable": {"mailchimp": {"count": 0, "keys": []}, "webhook": {"count": 0, "keys": []}}});
    assert_eq!(json, expected);
}

#[rstest]
#[case(By::Status, &["mailchimp SYNCED 2 40 ms 60 ms", "mailchimp PARKED 1 - -", "mailchimp DELETED 1 0 ms 0 ms"])]
#[case(By::Hour, &["mailchimp 2026-01-29T14 6 2 1 0 0 0 1 1 1 0 40 ms 60 ms"])]
#[case(By::Vendor, &["mailchimp 6 2 1 0 0 0 1 1 1 0 40 ms 60 ms", "webhook 0 0 0 0 0 0 0 0 0 0 - -"])]
fn people_read_a_row_for_each(#[case] by: By, #[case] rows: &[&str]) {
    let text = report(by).text(120);
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for row in rows {
        assert!(lines.iter().any(|line| line == row), "{row} in\n{text}");
    }
    assert_eq!(text.contains("webhook"), by == By::Vendor, "{text}");
}

#[test]
fn spreadsheets_get_the_same_columns_always() {
    let header = "vendor,status,hour,total,synced,deleted,unchanged,covered,excluded,coalesced,parked,rejected,dead,\
        freshness_p50_ms,freshness_p99_ms\r\n";
    let by_vendor =
        format!("{header}mailchimp,,,6,2,1,0,0,0,1,1,1,0,40,60\r\nwebhook,,,0,0,0,0,0,0,0,0,0,0,,\r\n");
    assert_eq!(report(By::Vendor).csv(), by_vendor);
    let by_hour = format!("{header}mailchimp,,2026-01-29T14,6,2,1,0,0,0,1,1,1,0,40,60\r\n");
    assert_eq!(report(By::Hour).csv(), by_hour);
    let rejected = "mailchimp,REJECTED,,1,0,0,0,0,0,0,0,1,0,,\r\n";
    assert!(
        report(By::Status).csv().contains(rejected),
        "{}",
        report(By::Status).csv()
    );
}

#[rstest]
fn what_cannot_be_read_is_told_under_the_rows(#[values(By::Vendor, By::Status, By::Hour)] by: By) {
    let unreadable = Unreadable {
        count: 2,
        keys: vec!["customer/c-1#t#e-1".into(), "customer/c-1#t#e-2".into()],
    };
    let mut damaged = report(by);
    damaged.unreadable.insert("webhook".into(), unreadable);
    let told =
        "\n\nwebhook: 2 event records not readable, and left out: customer/c-1#t#e-1, customer/c-1#t#e-2\n";
    let text = damaged.text(120);
    assert_eq!(text.strip_suffix(told), report(by).text(120).strip_suffix('\n'));
    let json = serde_json::to_value(&damaged).unwrap();
    assert_eq!(json["unreadable"]["webhook"]["count"], 2);
    assert_eq!(json["unreadable"]["mailchimp"]["count"], 0);
    assert_eq!(json["rows"], serde_json::to_value(report(by)).unwrap()["rows"]);
    let empty = Report {
        rows: vec![],
        ..damaged
    };
    assert!(
        empty.text(120).contains("None\n\nwebhook: 2 event records"),
        "{}",
        empty.text(120)
    );
}

#[test]
fn nothing_at_all_says_so() {
    let empty = Report {
        rows: vec![],
        ..report(By::Hour)
    };
    assert!(empty.text(120).ends_with("None\n"), "{}", empty.text(120));
}
