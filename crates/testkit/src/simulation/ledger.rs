//! The ledger's table, one vendor's part of it.
//!
//! - A settle is conditional on the revision that is stored.
//! - A request can be throttled (nothing is done), or be carried out and answered with an error, late or never.
//! - A batched read can leave records unread.
//! - The index `attention` follows the table with a lag, each record's changes in their order.

use futures::future::BoxFuture;
use vendorbridge::ledger::{EntityRecord, EventRecord, Ledger, Snapshot, VendorRecord};
use vendorbridge::{EntityKey, Error};

use super::agenda::{MILLI, Micros};
use super::call::{Reply, Sim};
use super::table::{answered, read, settle, settle_vendor, throttled};
use super::world::{World, number};
use super::{cost, judge};

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
            self.call(move |world| (0, read(world, unit, container, keys)))
                .await
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
                let written = settle_vendor(world, unit, container, &record);
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
