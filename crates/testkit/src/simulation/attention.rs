//! The index `attention`, as the waker sees it.

use futures::future::BoxFuture;
use jiff::Timestamp;
use vendorbridge::ledger::{ATTENTION_SHARDS, VendorRecord};
use vendorbridge::wake::{Attention, Due};
use vendorbridge::{Error, ErrorKind, Stage};

use super::agenda::MILLI;
use super::call::{Reply, Sim};
use super::table::{show, wake_key};
use super::world::number;

/// Entities a page.
const PAGE: usize = 100;

/// A vendor's part of the index.
pub(crate) struct VirtualAttention {
    sim: Sim,
    unit: usize,
}

impl VirtualAttention {
    /// The index of a vendor.
    pub(crate) fn new(sim: Sim, unit: usize) -> Self {
        Self { sim, unit }
    }
}

impl Attention for VirtualAttention {
    fn vendor<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<VendorRecord, Error>> {
        let (unit, name) = (self.unit, name.to_owned());
        Box::pin(async move {
            let out = self.sim.world().rng.u64(MILLI..6 * MILLI);
            self.sim
                .call(out, move |world| {
                    let after = world.rng.u64(MILLI..6 * MILLI);
                    let answer = if world.chance(world.profile.ledger.throttled) {
                        world.stats.count("ledger requests throttled");
                        Err(throttled())
                    } else {
                        Ok(world.units[unit].records.vendor(&name))
                    };
                    Reply { after, answer }
                })
                .await
        })
    }

    fn due<'a>(&'a self, _: &'a str, shard: u8, now: Timestamp) -> BoxFuture<'a, Result<Vec<Due>, Error>> {
        let unit = self.unit;
        Box::pin(async move {
            let out = self.sim.world().rng.u64(MILLI..6 * MILLI);
            self.sim
                .call(out, move |world| {
                    let after = world.rng.u64(MILLI..6 * MILLI);
                    if world.chance(world.profile.ledger.throttled) {
                        world.stats.count("ledger requests throttled");
                        return Reply {
                            after,
                            answer: Err(throttled()),
                        };
                    }
                    let until = wake_key(now);
                    let rows = world.units[unit].records.rows();
                    let mut due: Vec<_> = rows
                        .filter(|(entity, _)| entity % usize::from(ATTENTION_SHARDS) == usize::from(shard))
                        .filter_map(|(_, row)| {
                            let key = row.visible_key.as_ref()?;
                            (key.starts_with("wake#") && *key <= until).then(|| Due {
                                entity: row.record.entity.clone(),
                                sort_key: key.clone(),
                            })
                        })
                        .collect();
                    due.sort_by(|a, b| a.sort_key.cmp(&b.sort_key));
                    due.truncate(PAGE);
                    Reply {
                        after,
                        answer: Ok(due),
                    }
                })
                .await
        })
    }

    fn put_off<'a>(&'a self, _: &'a str, due: &'a Due, until: Timestamp) -> BoxFuture<'a, Result<(), Error>> {
        let (unit, entity, seen) = (self.unit, number(&due.entity), due.sort_key.clone());
        Box::pin(async move {
            let out = self.sim.world().rng.u64(MILLI..6 * MILLI);
            self.sim
                .call(out, move |world| {
                    let after = world.rng.u64(MILLI..6 * MILLI);
                    if world.chance(world.profile.ledger.throttled) {
                        world.stats.count("ledger requests throttled");
                        return Reply {
                            after,
                            answer: Err(throttled()),
                        };
                    }
                    let key = wake_key(until);
                    let row = world.units[unit].records.row_mut(entity);
                    if let Some(row) = row.filter(|row| row.key.as_ref() == Some(&seen)) {
                        row.key = Some(key.clone());
                        world.stats.add("write units: wake", 3);
                        show(world, unit, entity, Some(key));
                    }
                    Reply {
                        after,
                        answer: Ok(()),
                    }
                })
                .await
        })
    }
}

fn throttled() -> Error {
    Error::retry(ErrorKind::RateLimited, Stage::Settle, "the index throttles")
}
