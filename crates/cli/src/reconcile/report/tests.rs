//! What a report counts, names and leaves.

use std::collections::BTreeSet;

use super::*;

fn options(limit: usize) -> Options {
    Options {
        vendor: "algolia".into(),
        entity_type: "product".into(),
        repair: true,
        yes: false,
        remove_many: false,
        limit,
        rate: 20,
        page: 250,
    }
}

fn report(limit: usize) -> Reconciled {
    let finding = |id: usize, difference, is_repairable| Finding {
        entity: Some(EntityKey::new("product", &id.to_string()).unwrap()),
        difference,
        status: Some(Status::Synced),
        is_repairable,
    };
    let mut findings: Vec<_> = (0..5).map(|id| finding(id, Difference::Missing, true)).collect();
    let price = BTreeSet::from(["/price".to_owned()]);
    findings.push(finding(5, Difference::Different(price), true));
    findings.push(finding(6, Difference::Extra { link: "v-6".into() }, false));
    let settled = Settled {
        same: 10,
        findings,
        ..Settled::default()
    };
    Reconciled::of("s", &options(limit), (16, 12), settled)
}

#[test]
fn all_are_counted_and_few_are_named() {
    let report = report(2);
    assert_eq!((report.counts.missing, report.not_shown), (5, 3));
    assert_eq!(report.repairable.total(), 6);
    let text = report.text(80);
    assert!(
        text.contains("different   product/5: /price [SYNCED in the ledger]\n"),
        "{text}"
    );
    assert!(
        text.contains("extra       product/6 (v-6) [SYNCED in the ledger] not ours"),
        "{text}"
    );
    assert!(
        text.contains("… and 3 more") && text.contains("5 missing, 1 different, 1 extra"),
        "{text}"
    );
}

#[test]
fn what_no_sync_mends_is_left() {
    let mut report = report(2);
    assert!(!report.is_well());
    report.repaired(6, false);
    assert_eq!(report.repair, Some(Repair { sent: 6, left: 1 }));
    assert!(!report.is_well());
}

#[test]
fn what_nobody_allowed_is_left_and_all_is_told() {
    let mut report = report(2);
    report.refused(report.repairable);
    assert_eq!(report.repair, Some(Repair { sent: 0, left: 7 }));
    let text = report.text(80);
    assert!(
        text.contains("missing     product/0") && text.contains("--yes for 6 entities"),
        "{text}"
    );
}

#[test]
fn doubtful_removals_are_not_sent_unasked() {
    let extra = |id: &str| Finding {
        entity: Some(EntityKey::new("product", id).unwrap()),
        difference: Difference::Extra { link: id.into() },
        status: None,
        is_repairable: true,
    };
    let settled = Settled {
        findings: vec![extra("1"), extra("2")],
        ..Settled::default()
    };
    let mut report = Reconciled::of("s", &options(9), (0, 2), settled);
    assert_eq!(report.sendable(true).removals.len(), 2);
    assert_eq!(report.not_sent, None);
    assert_eq!(report.sendable(false).entities(), []);
    report.repaired(0, false);
    let text = report.text(80);
    assert!(text.contains("--remove-many") && !report.is_well(), "{text}");
}

#[test]
fn what_waits_is_a_difference() {
    let settled = Settled {
        waits: vec![EntityKey::new("product", "1").unwrap()],
        ..Settled::default()
    };
    let report = Reconciled::of("s", &options(9), (1, 0), settled);
    assert!(!report.is_well());
    assert!(
        report.text(80).contains("waits       product/1\n"),
        "{}",
        report.text(80)
    );
}
