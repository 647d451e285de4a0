//! Two readings of a few entities, and what the ledger says of them.

use std::collections::{BTreeMap, BTreeSet};

use rstest::rstest;
use vendorbridge::ledger::{ErrorRecord, Parked};
use vendorbridge::{ErrorKind, Stage};

use super::*;

fn key(id: &str) -> EntityKey {
    EntityKey::new("product", id).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn found(entries: &[(&str, Difference)]) -> Comparison {
    let known = entries
        .iter()
        .map(|(id, difference)| (key(id), vec![difference.clone()]));
    Comparison {
        known: known.collect::<BTreeMap<_, _>>(),
        ..Comparison::default()
    }
}

fn told_apart(
    first: &Comparison,
    mut second: Comparison,
    records: Vec<(EntityKey, Option<EntityRecord>)>,
    began: Timestamp,
) -> Settled {
    let known: Vec<_> = mem::take(&mut second.known).into_iter().collect();
    let records: BTreeMap<_, _> = records.into_iter().collect();
    let mut settled = Settled::of(first, second, &known);
    for (entity, differences) in &known {
        let stands = first.known.get(entity) == Some(differences);
        settled.add(entity, differences, stands, records[entity].as_ref(), began);
    }
    settled.sorted()
}

fn record(id: &str, settled_at: i64) -> (EntityKey, Option<EntityRecord>) {
    let mut record = EntityRecord::unknown("algolia", key(id));
    record.settled_at = at(settled_at);
    (key(id), Some(record))
}

#[test]
fn what_moves_is_told_apart() {
    let price = || Difference::Different(BTreeSet::from(["/price".to_owned()]));
    let name = || Difference::Different(BTreeSet::from(["/name".to_owned()]));
    let first = found(&[
        ("mended", price()),
        ("stands", price()),
        ("other", price()),
        ("settled", Difference::Missing),
    ]);
    let second = found(&[
        ("stands", price()),
        ("other", name()),
        ("settled", Difference::Missing),
        ("new", price()),
    ]);
    let records = ["new", "other", "stands"].map(|id| record(id, 99)).into_iter();
    let records = records.chain([record("settled", 100)]).collect();
    let settled = told_apart(&first, second, records, at(100));
    let found: Vec<_> = settled
        .findings
        .iter()
        .filter_map(|finding| finding.entity.clone())
        .collect();
    assert_eq!(found, [key("stands")]);
    assert_eq!(settled.in_motion, ["mended", "new", "other", "settled"].map(key));
}

fn parked() -> Parked {
    Parked {
        wake_at: at(120),
        since: at(90),
        event_id: "e-1".into(),
        event_time: at(90),
        detail_type: "Changed".into(),
        trace: None,
        version: None,
        lagging_since: None,
        denied_since: None,
        carried: None,
        asks: false,
        error: ErrorRecord {
            kind: ErrorKind::Timeout,
            verdict: "retry".into(),
            stage: Stage::Push,
            step: None,
            pointer: None,
            code: None,
            status: None,
            message: "no answer".into(),
        },
    }
}

#[test]
fn what_waits_is_no_motion() {
    let missing = || found(&[("waits", Difference::Missing), ("new", Difference::Missing)]);
    let first = found(&[("waits", Difference::Missing)]);
    let waiting = |id| {
        let (key, record) = record(id, 100);
        let parked = |record: EntityRecord| EntityRecord {
            parked: Some(parked()),
            ..record
        };
        (key, record.map(parked))
    };
    let settled = told_apart(&first, missing(), vec![waiting("new"), waiting("waits")], at(100));
    assert_eq!(
        (settled.waits, settled.in_motion),
        (vec![key("waits")], vec![key("new")])
    );
    assert_eq!(settled.findings, []);
}

#[test]
fn what_nobody_knows_is_never_touched() {
    let unknown = |links: &[&str]| Comparison {
        unknown: links.iter().map(|link| (*link).to_owned()).collect(),
        ..Comparison::default()
    };
    let settled = told_apart(&unknown(&["a", "b"]), unknown(&["b", "c"]), Vec::new(), at(100));
    let [finding] = &settled.findings[..] else {
        panic!("expected the one that was there both times: {settled:?}");
    };
    assert_eq!(finding.difference, Difference::Extra { link: "b".into() });
    assert!(!finding.is_repairable);
}

#[rstest]
#[case::we_brought_it(Some("v-1"), true)]
#[case::we_brought_another(Some("v-2"), false)]
#[case::we_brought_nothing(None, false)]
fn an_extra_is_removed_only_if_it_is_ours(#[case] link: Option<&str>, #[case] expected: bool) {
    let mut record = EntityRecord::unknown("algolia", key("1"));
    record.link = link.map(str::to_owned);
    let extra = Difference::Extra { link: "v-1".into() };
    assert_eq!(is_repairable(&extra, Some(&record)), expected);
    assert!(!is_repairable(&extra, None));
    record.link = None;
    record.pushed_hash = Some("h".into());
    assert!(is_repairable(&extra, Some(&record)));
}
