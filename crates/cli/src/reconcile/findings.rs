//! What differs in both readings and is not about to change anyway, with what the ledger says of it.

use std::collections::BTreeSet;
use std::mem;

use jiff::Timestamp;
use vendorbridge::EntityKey;
use vendorbridge::ledger::{EntityRecord, Reader, Status};

use super::compare::{Comparison, Difference};
use super::sides::{ENTITIES, WAITS, patiently};
use crate::CliError;
use crate::work::Stop;

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

/// An entity and how it differs.
type Known = (EntityKey, Vec<Difference>);

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

/// Tells what stands from what moves. The ledger's records are read some at a time, and none is kept. `None` if Ctrl-C came first.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) async fn settled(
    reader: &Reader,
    vendor: &str,
    first: &Comparison,
    mut second: Comparison,
    began: Timestamp,
    stop: &Stop,
) -> Result<Option<Settled>, CliError> {
    let known: Vec<_> = mem::take(&mut second.known).into_iter().collect();
    let mut settled = Settled::of(first, second, &known);
    for some in known.chunks(ENTITIES) {
        let entities: Vec<_> = some.iter().map(|(entity, _)| entity.clone()).collect();
        let records = patiently(&WAITS, stop, async || {
            reader.entities(vendor, &entities).await.map_err(CliError::unread)
        });
        let records = match records.await {
            Ok(records) => records,
            Err(_) if stop.is_told() => return Ok(None),
            Err(error) => return Err(error),
        };
        for (entity, differences) in some {
            let stands = first.known.get(entity) == Some(differences);
            settled.add(entity, differences, stands, records.get(entity), began);
        }
    }
    Ok(Some(settled.sorted()))
}

impl Settled {
    /// What needs no record of the ledger. `known` are the differences of the second reading that are some entity's.
    fn of(first: &Comparison, second: Comparison, known: &[Known]) -> Self {
        // What was mended between the two readings moves, too.
        let again: BTreeSet<_> = known.iter().map(|(entity, _)| entity).collect();
        let mended = first.known.keys().filter(|entity| !again.contains(entity));
        let stands = |link: &String| first.unknown.contains(link);
        let unknown = second.unknown.into_iter().filter(stands);
        Self {
            same: second.same,
            findings: unknown.map(Finding::of_nobody).collect(),
            waits: Vec::new(),
            in_motion: mended.cloned().collect(),
            unmappable: second.unmappable.into_iter().collect(),
        }
    }

    /// An entity that differs, in the same way both times if it `stands`.
    fn add(
        &mut self,
        entity: &EntityKey,
        differences: &[Difference],
        stands: bool,
        record: Option<&EntityRecord>,
        began: Timestamp,
    ) {
        if stands && record.is_some_and(|record| record.parked.is_some()) {
            self.waits.push(entity.clone());
            return;
        }
        if !stands || record.is_some_and(|record| record.settled_at >= began) {
            self.in_motion.push(entity.clone());
            return;
        }
        self.findings.extend(differences.iter().map(|difference| Finding {
            entity: Some(entity.clone()),
            is_repairable: is_repairable(difference, record),
            status: record.map(|record| record.status),
            difference: difference.clone(),
        }));
    }

    fn sorted(mut self) -> Self {
        self.waits.sort_unstable();
        self.in_motion.sort_unstable();
        // Nobody's come last.
        self.findings.sort_by_key(|finding| finding.entity.is_none());
        self
    }
}

impl Finding {
    fn of_nobody(link: String) -> Self {
        Self {
            entity: None,
            difference: Difference::Extra { link },
            status: None,
            is_repairable: false,
        }
    }
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
mod tests;
