//! The ledger's table, one vendor's part of it.
//!
//! - A settle is conditional on the revision that is stored.
//! - A request can be throttled (nothing is done), or be carried out and answered with an error, late or never.
//! - A batched read can leave records unread.
//! - The index `attention` follows the table with a lag, each record's changes in their order.

use futures::future::BoxFuture;
use jiff::Timestamp;
use vendorbridge::ledger::{
    EntityRecord, EventRecord, Ledger, Snapshot, Status, VendorRecord, sort_time,
};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage};

use super::agenda::{MILLI, Micros, SECOND, timestamp};
use super::call::{Reply, Sim};
use super::cost;
use super::judge;
use super::world::{World, number};

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

/// The ledger, as a process of a vendor function sees it.
pub(crate) struct VirtualLedger {
    /// The world.
    pub(crate) sim: Sim,
    /// Which vendor.
    pub(crate) unit: usize,
    /// Which process.
    pub(crate) container: usize,
}

impl VirtualLedger {
    async fn call<T: Send + 'static>(
        &self,
        effect: impl FnOnce(&mut World) -> (Micros, T) + Send + 'static,
    ) -> T {
        let out = self.sim.world().rng.u64(MILLI..6 * MILLI);
        self.sim
            .call(out, move |world| {
                let (late, answer) = effect(world);
                let after = late + world.rng.u64(MILLI..6 * MILLI);
                Reply { after, answer }
            })
            .await
    }
}

impl Ledger for VirtualLedger {
    fn read<'a>(&'a self, entities: &'a [EntityKey]) -> BoxFuture<'a, Result<Snapshot, Error>> {
        let (unit, container) = (self.unit, self.container);
        Box::pin(async move {
            let keys = entities.to_vec();
            self.call(move |world| (0, read(world, unit, container, keys))).await
        })
    }

    fn settle<'a>(&'a self, record: &'a EntityRecord) -> BoxFuture<'a, Result<(), Error>> {
        let (unit, container) = (self.unit, self.container);
        Box::pin(async move {
            let record = record.clone();
            self.call(move |world| {
                let entity = number(&record.entity);
                if world.chance(world.profile.ledger.throttled) {
                    world.log("ledger", unit, Some(entity), || "throttles a settle".to_owned());
                    return (0, Err(throttled(world)));
                }
                let written = settle(world, unit, container, record);
                answered(world, written)
            })
            .await
        })
    }

    fn settle_vendor<'a>(&'a self, record: &'a VendorRecord) -> BoxFuture<'a, Result<(), Error>> {
        let (unit, container) = (self.unit, self.container);
        Box::pin(async move {
            let record = record.clone();
            self.call(move |world| {
                if world.chance(world.profile.ledger.throttled) {
                    return (0, Err(throttled(world)));
                }
                let written = settle_vendor(world, unit, container, record);
                answered(world, written)
            })
            .await
        })
    }

    fn record<'a>(&'a self, events: &'a [EventRecord]) -> BoxFuture<'a, Vec<Result<(), Error>>> {
        let unit = self.unit;
        Box::pin(async move {
            if events.is_empty() {
                return Vec::new();
            }
            let events = events.to_vec();
            self.call(move |world| {
                let written = events.iter().map(|event| {
                    if world.chance(world.profile.ledger.unrecorded) {
                        return Err(throttled(world));
                    }
                    world
                        .stats
                        .add(cost::event_label(event.status), cost::units(event));
                    judge::recorded(world, unit, event);
                    Ok(())
                });
                (0, written.collect())
            })
            .await
        })
    }
}

fn read(world: &mut World, unit: usize, container: usize, keys: Vec<EntityKey>) -> Result<Snapshot, Error> {
    world.stats.count("reads of the ledger");
    if world.chance(world.profile.ledger.throttled) {
        return Err(throttled(world));
    }
    let mut entities = std::collections::HashMap::with_capacity(keys.len());
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
    let Unit { name, records, mapping, .. } = &mut world.units[unit];
    let vendor = records.vendor(name);
    if let Some(process) = mapping.running.get_mut(&container) {
        process.vendor = Some(vendor.clone());
    }
    Ok(Snapshot { vendor, entities })
}

use super::world::Unit;

fn settle(world: &mut World, unit: usize, container: usize, record: EntityRecord) -> Result<(), Error> {
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
        let parked = record
            .parked
            .as_ref()
            .map_or_else(String::new, |parked| format!(", until {}: {}", parked.wake_at, parked.error.message));
        let error = record.error.as_ref().map_or_else(String::new, |error| format!(": {}", error.message));
        let unsure = if record.unsure { ", unsure" } else { "" };
        format!("revision {} of process {container}: {}{unsure}{parked}{error}", record.revision, record.status)
    });
    judge::settled(world, unit, entity, &record);
    let before = world.units[unit].records.row_mut(entity).and_then(|row| row.key.take());
    let key = index_key(&record);
    let label = cost::entity_label(record.status);
    world.stats.add(label, cost::units(&record));
    world
        .stats
        .add("write units: index", cost::index_units(before.as_deref(), key.as_deref()));
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
    let lag = if world.is_calm { 0 } else { world.profile.ledger.index_lag };
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
        let Some(row) = records.row_mut(entity) else { return };
        let change = i64::from(key.is_some()) - i64::from(row.visible_key.is_some());
        row.visible_key = key;
        records.indexed = records.indexed.saturating_add_signed(change as isize);
    });
}

fn settle_vendor(world: &mut World, unit: usize, container: usize, record: VendorRecord) -> Result<(), Error> {
    world.log("ledger", unit, None, || {
        format!("vendor's revision {} of process {container}: {:?} {:?}", record.revision, record.pause, record.circuit)
    });
    world.stats.add("write units: vendor", cost::units(&record));
    let Unit { records, mapping, .. } = &mut world.units[unit];
    if !records.write_vendor(record.clone()) {
        world.stats.count("settles that lost a race");
        return Err(conflict());
    }
    if let Some(process) = mapping.running.get_mut(&container) {
        process.vendor_written(&record);
    }
    Ok(())
}

/// Nothing, or an error although it was written, at once or after as long as the SDK waits.
fn answered(world: &mut World, written: Result<(), Error>) -> (Micros, Result<(), Error>) {
    if !world.chance(world.profile.ledger.unknown) {
        return (0, written);
    }
    world.stats.count("ledger answers lost");
    let late = if world.rng.bool() { 7 * SECOND } else { 0 };
    let error = Error::retry(ErrorKind::Unavailable, Stage::Settle, "the ledger does not answer");
    (late, Err(error))
}

fn throttled(world: &mut World) -> Error {
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

/// The sort key of a retry that is due now.
pub(crate) fn due_key(world: &World) -> String {
    wake_key(timestamp(world.agenda.now()))
}
