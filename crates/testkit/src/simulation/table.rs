//! The ledger's table: records, conditions, and the index that follows them.

use std::collections::HashMap;

use jiff::Timestamp;
use vendorbridge::ledger::{EntityRecord, Snapshot, Status, VendorRecord, sort_time};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage};

use super::agenda::{Micros, SECOND};
use super::world::{Unit, World, number};
use super::{cost, judge};

/// The records of one vendor.
pub(crate) struct Records {
    rows: Vec<Option<Row>>,
    vendor: Option<VendorRecord>,
    /// Records that have a key in the index, or are to get one.
    pub(crate) indexed: usize,
}

/// One entity's record.
pub(crate) struct Row {
    /// What it says.
    pub(crate) record: EntityRecord,
    /// Its sort key in the index, as the table has it.
    pub(crate) key: Option<String>,
    /// Its sort key in the index, as a query sees it.
    pub(crate) visible_key: Option<String>,
    visible_at: Micros,
}

impl Records {
    /// An empty table for this many entities.
    pub(crate) fn new(entities: usize) -> Self {
        Self {
            rows: (0..entities).map(|_| None).collect(),
            vendor: None,
            indexed: 0,
        }
    }

    /// The record of an entity.
    pub(crate) fn row(&self, entity: usize) -> Option<&Row> {
        self.rows[entity].as_ref()
    }

    /// The record of an entity, to be changed.
    pub(crate) fn row_mut(&mut self, entity: usize) -> Option<&mut Row> {
        self.rows[entity].as_mut()
    }

    /// All records, with the numbers of their entities.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, &Row)> {
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(entity, row)| Some((entity, row.as_ref()?)))
    }

    /// The vendor's record; a new one if there is none yet.
    pub(crate) fn vendor(&self, name: &str) -> VendorRecord {
        self.vendor.clone().unwrap_or_else(|| VendorRecord::new(name))
    }

    /// Writes the vendor's record, if the stored one is the one before it.
    pub(crate) fn write_vendor(&mut self, record: VendorRecord) -> bool {
        let stored = self.vendor.as_ref().map_or(0, |stored| stored.revision);
        let is_next = stored + 1 == record.revision;
        if is_next {
            self.vendor = Some(record);
        }
        is_next
    }
}

/// Reads the records of these entities, and the vendor's.
pub(crate) fn read(
    world: &mut World,
    unit: usize,
    container: usize,
    keys: Vec<EntityKey>,
) -> Result<Snapshot, Error> {
    world.stats.count("reads of the ledger");
    if world.chance(world.profile.ledger.throttled) {
        return Err(throttled(world));
    }
    let mut entities = HashMap::with_capacity(keys.len());
    for key in keys {
        let entity = number(&key);
        if world.chance(world.profile.ledger.unread) {
            entities.insert(key, Err(throttled(world)));
            continue;
        }
        judge::opened(world, unit, container, entity);
        if let Some(row) = world.units[unit].records.row(entity) {
            entities.insert(key, Ok(row.record.clone()));
        }
    }
    let Unit {
        name,
        records,
        mapping,
        ..
    } = &mut world.units[unit];
    let vendor = records.vendor(name);
    if let Some(process) = mapping.running.get_mut(&container) {
        // What a plan reads of others later on changes nothing for the work that has begun.
        process.vendor.get_or_insert_with(|| vendor.clone());
    }
    Ok(Snapshot { vendor, entities })
}

/// Writes an entity's record, if the stored one is the one before it.
pub(crate) fn settle(
    world: &mut World,
    unit: usize,
    container: usize,
    record: EntityRecord,
) -> Result<(), Error> {
    let entity = number(&record.entity);
    let records = &mut world.units[unit].records;
    let stored = records.row(entity).map_or(0, |row| row.record.revision);
    if stored + 1 != record.revision {
        world.stats.count("settles that lost a race");
        world.log("ledger", unit, Some(entity), || {
            format!("refuses revision {} after {stored}", record.revision)
        });
        return Err(conflict());
    }
    world.log("ledger", unit, Some(entity), || {
        let parked = record.parked.as_ref().map_or_else(String::new, |parked| {
            format!(", until {}: {}", parked.wake_at, parked.error.message)
        });
        let error = record
            .error
            .as_ref()
            .map_or_else(String::new, |error| format!(": {}", error.message));
        let unsure = if record.unsure { ", unsure" } else { "" };
        format!(
            "revision {} of process {container}: {}{unsure}{parked}{error}",
            record.revision, record.status
        )
    });
    judge::settled(world, unit, entity, &record);
    let before = world.units[unit]
        .records
        .row_mut(entity)
        .and_then(|row| row.key.take());
    let key = index_key(&record);
    let label = cost::entity_label(record.status);
    world.stats.add(label, cost::units(&record));
    world.stats.add(
        "write units: index",
        cost::index_units(before.as_deref(), key.as_deref()),
    );
    let records = &mut world.units[unit].records;
    match records.row_mut(entity) {
        Some(row) => {
            row.record = record;
            row.key.clone_from(&key);
        }
        None => {
            records.rows[entity] = Some(Row {
                record,
                key: key.clone(),
                visible_key: None,
                visible_at: 0,
            });
        }
    }
    if before != key {
        show(world, unit, entity, key);
    }
    Ok(())
}

/// Lets the index follow, after a while.
pub(crate) fn show(world: &mut World, unit: usize, entity: usize, key: Option<String>) {
    let lag = if world.is_calm {
        0
    } else {
        world.profile.ledger.index_lag
    };
    let at = world.agenda.now() + world.rng.u64(0..=lag);
    world.units[unit].records.indexed += 1;
    let Some(row) = world.units[unit].records.row_mut(entity) else {
        return;
    };
    // The changes of one record stay in their order.
    row.visible_at = row.visible_at.max(at) + 1;
    let at = row.visible_at;
    world.agenda.at(at, move |world| {
        let records = &mut world.units[unit].records;
        records.indexed -= 1;
        let Some(row) = records.row_mut(entity) else {
            return;
        };
        let change = isize::from(key.is_some()) - isize::from(row.visible_key.is_some());
        row.visible_key = key;
        records.indexed = records.indexed.saturating_add_signed(change);
    });
}

/// Writes the vendor's record, if the stored one is the one before it.
pub(crate) fn settle_vendor(
    world: &mut World,
    unit: usize,
    container: usize,
    record: &VendorRecord,
) -> Result<(), Error> {
    world.log("ledger", unit, None, || {
        format!(
            "vendor's revision {} of process {container}: {:?} {:?}",
            record.revision, record.pause, record.circuit
        )
    });
    world.stats.add("write units: vendor", cost::units(record));
    let Unit { records, mapping, .. } = &mut world.units[unit];
    if !records.write_vendor(record.clone()) {
        world.stats.count("settles that lost a race");
        return Err(conflict());
    }
    if let Some(process) = mapping.running.get_mut(&container) {
        process.vendor_written(record);
    }
    Ok(())
}

/// Nothing, or an error although it was written, at once or after as long as the SDK waits.
pub(crate) fn answered(world: &mut World, written: Result<(), Error>) -> (Micros, Result<(), Error>) {
    if !world.chance(world.profile.ledger.unknown) {
        return (0, written);
    }
    world.stats.count("ledger answers lost");
    let late = if world.rng.bool() { 7 * SECOND } else { 0 };
    let error = Error::retry(
        ErrorKind::Unavailable,
        Stage::Settle,
        "the ledger does not answer",
    );
    (late, Err(error))
}

/// The failure of a request that was throttled: nothing was done.
pub(crate) fn throttled(world: &mut World) -> Error {
    world.stats.count("ledger requests throttled");
    Error::retry(ErrorKind::RateLimited, Stage::Settle, "the ledger throttles")
}

fn conflict() -> Error {
    Error::retry(ErrorKind::Conflict, Stage::Settle, "settled in between")
}

/// The sort key in the index: only what waits, or needs a person, has one.
fn index_key(record: &EntityRecord) -> Option<String> {
    match (record.status, &record.parked) {
        (Status::Parked, Some(parked)) => Some(wake_key(parked.wake_at)),
        (Status::Rejected, _) => Some(format!("rejected#{}", sort_time(record.settled_at))),
        (Status::Dead, _) => Some(format!("dead#{}", sort_time(record.settled_at))),
        _ => None,
    }
}

/// The sort key of a retry that is due at `at`.
pub(crate) fn wake_key(at: Timestamp) -> String {
    format!("wake#{}", sort_time(at))
}
