//! A ledger in memory, with the conditions of the real one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

use futures::future::BoxFuture;
use jiff::Timestamp;
use vendorbridge::ledger::{EntityRecord, EventRecord, Ledger, Snapshot, Status, VendorRecord, sort_time};
use vendorbridge::wake::{Attention, Due};
use vendorbridge::{EntityKey, Error, ErrorKind, Stage};

use super::lock;

/// What can fail for one entity alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Its record cannot be read.
    Read,
    /// Its record cannot be written.
    Settle,
    /// The records of its events cannot be written.
    Record,
}

/// The records of one vendor.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entities: HashMap<EntityKey, EntityRecord>,
    vendor: Option<VendorRecord>,
    events: BTreeMap<(String, String), EventRecord>,
    put_off: HashMap<EntityKey, String>,
    after_read: Option<EntityRecord>,
    counts: Counts,
    reads_fail: bool,
    settles_fail: bool,
    settles_left: Option<u32>,
    records_fail: bool,
    faults: HashSet<(String, Fault)>,
}

/// How many requests and writes there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Batched reads of entity records.
    pub reads: u32,
    /// Entity records written.
    pub settles: u32,
    /// Event records written.
    pub events: u32,
    /// Vendor records written.
    pub vendor: u32,
}

impl MemoryLedger {
    /// The record of an entity.
    #[must_use]
    pub fn entity(&self, entity: &EntityKey) -> Option<EntityRecord> {
        lock(&self.state).entities.get(entity).cloned()
    }

    /// The vendor's record.
    #[must_use]
    pub fn vendor(&self) -> Option<VendorRecord> {
        lock(&self.state).vendor.clone()
    }

    /// What became of an event.
    #[must_use]
    pub fn event(&self, event_id: &str) -> Option<EventRecord> {
        lock(&self.state)
            .events
            .values()
            .find(|event| event.event_id == event_id)
            .cloned()
    }

    /// What became of an event of this entity.
    #[must_use]
    pub fn event_of(&self, entity: &EntityKey, event_id: &str) -> Option<EventRecord> {
        let state = lock(&self.state);
        let is_it = |event: &&EventRecord| event.entity == entity.as_str() && event.event_id == event_id;
        state.events.values().find(is_it).cloned()
    }

    /// What became of an event, in short.
    #[must_use]
    pub fn status(&self, event_id: &str) -> Option<Status> {
        self.event(event_id).map(|event| event.status)
    }

    /// Puts a record in place of the stored one after the next read, as somebody else's settle would.
    pub fn overwrite_after_read(&self, record: EntityRecord) {
        lock(&self.state).after_read = Some(record);
    }

    /// Requests and writes so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        lock(&self.state).counts
    }

    /// Makes reads fail, or work again.
    pub fn fail_reads(&self, fail: bool) {
        lock(&self.state).reads_fail = fail;
    }

    /// Makes settles fail, or work again.
    pub fn fail_settles(&self, fail: bool) {
        let mut state = lock(&self.state);
        state.settles_fail = fail;
        state.settles_left = None;
    }

    /// Makes settles fail once this many have been written.
    pub fn fail_settles_after(&self, settles: u32) {
        lock(&self.state).settles_left = Some(settles);
    }

    /// Makes writes of event records fail, or work again.
    pub fn fail_records(&self, fail: bool) {
        lock(&self.state).records_fail = fail;
    }

    /// Makes this fail for one entity: its key, or `-` for events that name none.
    pub fn fail_for(&self, entity: &str, fault: Fault) {
        lock(&self.state).faults.insert((entity.to_owned(), fault));
    }

    /// Ends what [`Self::fail_for`] began.
    pub fn heal(&self) {
        lock(&self.state).faults.clear();
    }
}

impl State {
    fn fails(&self, entity: &str, fault: Fault) -> bool {
        self.faults.contains(&(entity.to_owned(), fault))
    }

    fn read(&mut self, entities: &[EntityKey]) -> Result<Snapshot, Error> {
        self.counts.reads += 1;
        if self.reads_fail {
            return Err(unavailable());
        }
        let records = entities
            .iter()
            .filter_map(|entity| {
                let record = if self.fails(entity.as_str(), Fault::Read) {
                    Err(unavailable())
                } else {
                    Ok(self.entities.get(entity)?.clone())
                };
                Some((entity.clone(), record))
            })
            .collect();
        if let Some(record) = self.after_read.take() {
            self.entities.insert(record.entity.clone(), record);
        }
        Ok(Snapshot {
            vendor: self.vendor.clone().unwrap_or_else(|| VendorRecord::new("memory")),
            entities: records,
        })
    }

    fn settle(&mut self, record: &EntityRecord) -> Result<(), Error> {
        let fails = self.settles_fail || self.fails(record.entity.as_str(), Fault::Settle);
        if fails || self.settles_left == Some(0) {
            return Err(unavailable());
        }
        self.settles_left = self.settles_left.map(|left| left - 1);
        let stored = self
            .entities
            .get(&record.entity)
            .map_or(0, |stored| stored.revision);
        if stored + 1 != record.revision {
            return Err(Error::retry(
                ErrorKind::Conflict,
                Stage::Settle,
                "settled in between",
            ));
        }
        self.counts.settles += 1;
        self.put_off.remove(&record.entity);
        self.entities.insert(record.entity.clone(), record.clone());
        Ok(())
    }

    fn settle_vendor(&mut self, record: &VendorRecord) -> Result<(), Error> {
        let stored = self.vendor.as_ref().map_or(0, |stored| stored.revision);
        if stored + 1 != record.revision {
            return Err(Error::retry(
                ErrorKind::Conflict,
                Stage::Settle,
                "written in between",
            ));
        }
        self.counts.vendor += 1;
        self.vendor = Some(record.clone());
        Ok(())
    }

    fn record(&mut self, event: &EventRecord) -> Result<(), Error> {
        if self.records_fail || self.fails(&event.entity, Fault::Record) {
            return Err(unavailable());
        }
        self.counts.events += 1;
        let key = (event.partition_key(), event.sort_key());
        if event.is_second_hand
            && self
                .events
                .get(&key)
                .is_some_and(|known| known.status == event.status)
        {
            return Ok(());
        }
        self.events
            .insert((event.partition_key(), event.sort_key()), event.clone());
        Ok(())
    }

    fn attention_key(&self, record: &EntityRecord) -> Option<String> {
        let parked = record.parked.as_ref()?;
        let moved = self.put_off.get(&record.entity).cloned();
        Some(moved.unwrap_or_else(|| format!("wake#{}", sort_time(parked.wake_at))))
    }
}

impl Ledger for MemoryLedger {
    fn read<'a>(&'a self, entities: &'a [EntityKey]) -> BoxFuture<'a, Result<Snapshot, Error>> {
        let read = lock(&self.state).read(entities);
        Box::pin(async move { read })
    }

    fn settle<'a>(&'a self, record: &'a EntityRecord) -> BoxFuture<'a, Result<(), Error>> {
        let settled = lock(&self.state).settle(record);
        Box::pin(async move { settled })
    }

    fn settle_vendor<'a>(&'a self, record: &'a VendorRecord) -> BoxFuture<'a, Result<(), Error>> {
        let settled = lock(&self.state).settle_vendor(record);
        Box::pin(async move { settled })
    }

    fn record<'a>(&'a self, events: &'a [EventRecord]) -> BoxFuture<'a, Vec<Result<(), Error>>> {
        let mut state = lock(&self.state);
        let recorded = events.iter().map(|event| state.record(event)).collect();
        Box::pin(async move { recorded })
    }
}

impl Attention for MemoryLedger {
    fn vendor<'a>(&'a self, vendor: &'a str) -> BoxFuture<'a, Result<VendorRecord, Error>> {
        let state = lock(&self.state);
        let read = if state.reads_fail {
            Err(unavailable())
        } else {
            Ok(state.vendor.clone().unwrap_or_else(|| VendorRecord::new(vendor)))
        };
        Box::pin(async move { read })
    }

    fn due<'a>(&'a self, _: &'a str, shard: u8, now: Timestamp) -> BoxFuture<'a, Result<Vec<Due>, Error>> {
        let state = lock(&self.state);
        let until = format!("wake#{}", sort_time(now));
        let mut due: Vec<_> = state
            .entities
            .values()
            .filter_map(|record| {
                let sort_key = state.attention_key(record)?;
                Some(Due {
                    entity: record.entity.clone(),
                    sort_key,
                })
            })
            .filter(|due| due.sort_key <= until)
            .collect();
        due.sort_by(|a, b| a.sort_key.cmp(&b.sort_key));
        // The spread over shards is the table's business: everything stands in the first.
        let page = if shard == 0 { due } else { Vec::new() };
        Box::pin(async move { Ok(page) })
    }

    fn put_off<'a>(&'a self, _: &'a str, due: &'a Due, until: Timestamp) -> BoxFuture<'a, Result<(), Error>> {
        let mut state = lock(&self.state);
        let current = state
            .entities
            .get(&due.entity)
            .and_then(|record| state.attention_key(record));
        if current.as_ref() == Some(&due.sort_key) {
            state
                .put_off
                .insert(due.entity.clone(), format!("wake#{}", sort_time(until)));
        }
        Box::pin(async { Ok(()) })
    }
}

fn unavailable() -> Error {
    Error::retry(
        ErrorKind::Unavailable,
        Stage::Settle,
        "the ledger is told to fail",
    )
}
