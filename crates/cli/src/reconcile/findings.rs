//! What differs in both readings and is not about to change anyway, with what the ledger says of it.

use jiff::Timestamp;
use vendorbridge::EntityKey;
use vendorbridge::ledger::{EntityRecord, Reader, Status};

use super::compare::{Comparison, Difference};
use crate::CliError;

/// A difference that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// `None` if nobody says which entity it is.
    pub(super) entity: Option<EntityKey>,
    pub(super) difference: Difference,
    /// Where the ledger says that the entity stands.
    pub(super) status: Option<Status>,
    /// Whether a forced sync mends it.
    pub(super) is_repairable: bool,
}

/// What came of two readings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settled {
    pub(super) same: u64,
    pub(super) findings: Vec<Finding>,
    /// Entities that differ and wait in the ledger for a try.
    pub(super) waits: Vec<EntityKey>,
    /// Entities that differed in one reading only, or that were settled since we began.
    pub(super) in_motion: Vec<EntityKey>,
    pub(super) unmappable: Vec<(EntityKey, String)>,
}

/// Tells what stands from what moves.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) async fn settled(
    reader: &Reader,
    vendor: &str,
    first: &Comparison,
    second: Comparison,
    began: Timestamp,
) -> Result<Settled, CliError> {
    let known: Vec<_> = second.known.keys().cloned().collect();
    let records = reader.entities(vendor, &known).await;
    let mut records = records.map_err(CliError::unread)?;
    let records = known.into_iter().map(|entity| {
        let record = records.remove(&entity);
        (entity, record)
    });
    Ok(told_apart(first, second, records.collect(), began))
}

fn told_apart(
    first: &Comparison,
    mut second: Comparison,
    records: Vec<(EntityKey, Option<EntityRecord>)>,
    began: Timestamp,
) -> Settled {
    let mut settled = Settled {
        same: second.same,
        unmappable: second.unmappable.into_iter().collect(),
        ..Settled::default()
    };
    // What was mended between the two readings moves, too.
    let mended = first
        .known
        .keys()
        .filter(|entity| !second.known.contains_key(*entity));
    settled.in_motion.extend(mended.cloned());
    for (entity, record) in records {
        let Some(differences) = second.known.remove(&entity) else {
            continue;
        };
        let stands = first.known.get(&entity) == Some(&differences);
        if stands && record.as_ref().is_some_and(|record| record.parked.is_some()) {
            settled.waits.push(entity);
            continue;
        }
        if !stands || record.as_ref().is_some_and(|record| record.settled_at >= began) {
            settled.in_motion.push(entity);
            continue;
        }
        for difference in differences {
            settled.findings.push(Finding {
                entity: Some(entity.clone()),
                is_repairable: is_repairable(&difference, record.as_ref()),
                status: record.as_ref().map(|record| record.status),
                difference,
            });
        }
    }
    settled.waits.sort_unstable();
    settled.in_motion.sort_unstable();
    let unknown = second
        .unknown
        .into_iter()
        .filter(|link| first.unknown.contains(link));
    settled.findings.extend(unknown.map(|link| Finding {
        entity: None,
        difference: Difference::Extra { link },
        status: None,
        is_repairable: false,
    }));
    settled
}

/// Whether a forced sync mends it. What is at the vendor and not wanted is touched only if the ledger says that we brought it
/// there, under this very id.
fn is_repairable(difference: &Difference, record: Option<&EntityRecord>) -> bool {
    match difference {
        Difference::Missing | Difference::Different(_) => true,
        Difference::Extra { link } => record.is_some_and(|record| match &record.link {
            Some(ours) => ours == link,
            None => record.may_stand(),
        }),
    }
}

#[cfg(test)]
mod tests {
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
}
