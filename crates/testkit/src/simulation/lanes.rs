//! The engine's lanes on the queue model.

use std::sync::Arc;

use futures::future::BoxFuture;
use vendorbridge::lane::{LaneMessage, Lanes};
use vendorbridge::{Error, ErrorKind, Stage};

use super::agenda::MILLI;
use super::call::{Reply, Sim};
use super::{bus, queue};

/// A vendor's queue.
pub(crate) struct VirtualLanes {
    sim: Sim,
    unit: usize,
}

impl VirtualLanes {
    /// The queue of a vendor.
    pub(crate) fn new(sim: Sim, unit: usize) -> Self {
        Self { sim, unit }
    }
}

impl Lanes for VirtualLanes {
    fn send<'a>(&'a self, messages: &'a [LaneMessage]) -> BoxFuture<'a, Vec<Result<(), Error>>> {
        Box::pin(async move {
            let (unit, messages) = (self.unit, messages.to_vec());
            let out = self.sim.world().rng.u64(2 * MILLI..12 * MILLI);
            self.sim
                .call(out, move |world| {
                    // The answer to all of a request is lost, not to one message of it.
                    let lost = world.chance(world.profile.queue.lost_answer);
                    let mut answer = Vec::with_capacity(messages.len());
                    for message in messages {
                        if world.chance(world.profile.queue.refusal) {
                            world.stats.count("sends refused");
                            answer.push(Err(unavailable("the queue refuses")));
                            continue;
                        }
                        let LaneMessage {
                            group,
                            deduplication_id,
                            trace_header: _,
                            body,
                        } = message;
                        let entity = bus::entity_of_lane(&group);
                        let taken = queue::send(world, unit, &group, &deduplication_id, Arc::from(body));
                        world.log("queue", unit, entity, || {
                            let what = if taken { "takes" } else { "drops a repeat" };
                            format!("{what} {deduplication_id} in lane {group}")
                        });
                        answer.push(if lost {
                            Err(unavailable("no answer"))
                        } else {
                            Ok(())
                        });
                    }
                    if lost {
                        world.stats.count("answers of the queue lost");
                    }
                    Reply {
                        after: world.rng.u64(2 * MILLI..12 * MILLI),
                        answer,
                    }
                })
                .await
        })
    }

    fn acknowledge<'a>(
        &'a self,
        _partition: u32,
        receipts: &'a [String],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let unit = self.unit;
            let receipts: Vec<u64> = receipts
                .iter()
                .filter_map(|receipt| receipt.parse().ok())
                .collect();
            let out = self.sim.world().rng.u64(2 * MILLI..12 * MILLI);
            self.sim
                .call(out, move |world| {
                    let after = world.rng.u64(2 * MILLI..12 * MILLI);
                    if world.chance(world.profile.queue.refusal) {
                        world.stats.count("deletes refused");
                        let answer = Err(unavailable("the queue refuses"));
                        return Reply { after, answer };
                    }
                    for receipt in receipts {
                        world.units[unit].queue.delete(receipt);
                    }
                    super::mapping::look(world, unit);
                    Reply {
                        after,
                        answer: Ok(()),
                    }
                })
                .await
        })
    }
}

fn unavailable(what: &str) -> Error {
    Error::retry(ErrorKind::Unavailable, Stage::Intake, what)
}
