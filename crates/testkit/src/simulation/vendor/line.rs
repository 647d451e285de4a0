//! The line to a vendor: HTTP calls with all that can go wrong on the way.

use vendorbridge::vendor::Push;
use vendorbridge::{Error, Version};

use super::desk::{self, Answer, Request};
use super::fault::{self, Fault};
use crate::simulation::agenda::{MILLI, SECOND};
use crate::simulation::call::{Reply, Sim};
use crate::simulation::world::{World, number};
use crate::simulation::{judge, script};

/// How long a caller waits for an answer.
const TIMEOUT: u64 = 10 * SECOND;

/// A process's line to its vendor.
#[derive(Clone)]
pub(crate) struct Line {
    /// The world.
    pub(crate) sim: Sim,
    /// Which vendor.
    pub(crate) unit: usize,
    /// Which process.
    pub(crate) container: usize,
}

impl Line {
    /// Calls the vendor about the entity of a push.
    pub(crate) async fn call(&self, push: &Push<'_>, request: Request) -> Result<Answer, Error> {
        let entity = number(push.entity);
        if let Some(Version::Number(revision)) = push.version {
            judge::brought(
                &mut self.sim.world(),
                self.unit,
                self.container,
                entity,
                *revision,
            );
        }
        self.request(entity, request).await
    }

    /// Calls the vendor about an entity.
    pub(crate) async fn request(&self, entity: usize, request: Request) -> Result<Answer, Error> {
        let (unit, container) = (self.unit, self.container);
        let out = self.sim.world().rng.u64(5 * MILLI..40 * MILLI);
        self.sim
            .call(out, move |world| arrive(world, unit, container, entity, &request))
            .await
    }
}

fn arrive(
    world: &mut World,
    unit: usize,
    container: usize,
    entity: usize,
    request: &Request,
) -> Reply<Result<Answer, Error>> {
    world.stats.count("vendor calls");
    judge::called(world, unit, container, entity);
    let (scripted, slower) = script::next(world, unit, entity);
    let fault = scripted
        .map(Fault::from)
        .or_else(|| fault::draw(world, unit, entity));
    let what = world.history.is_recording().then(|| format!("{request:?}"));
    let soon = world.rng.u64(5 * MILLI..150 * MILLI);
    let (after, answer) = match fault {
        None => (soon, serve(world, unit, container, entity, request)),
        Some(fault) => {
            world.stats.count(fault.name());
            if fault.takes_effect() {
                // What the vendor would have answered is lost.
                let _ = serve(world, unit, container, entity, request);
            }
            let after = match fault {
                Fault::Timeout { .. } => TIMEOUT,
                Fault::Refused => MILLI,
                _ => soon,
            };
            (after, Err(fault.error(world)))
        }
    };
    let after = if fault.is_none() && world.chance(world.profile.calls.slow) {
        world.stats.count("slow answers");
        world.rng.u64(SECOND..TIMEOUT - SECOND)
    } else {
        after
    };
    world.log("vendor", unit, Some(entity), || {
        let what = what.unwrap_or_default();
        format!(
            "{what} -> {answer:?}{}",
            if fault.is_some_and(Fault::takes_effect) {
                ", but it is done"
            } else {
                ""
            }
        )
    });
    Reply {
        after: after + slower,
        answer,
    }
}

fn serve(
    world: &mut World,
    unit: usize,
    container: usize,
    entity: usize,
    request: &Request,
) -> Result<Answer, Error> {
    desk::serve(world, unit, container, entity, request).map_err(|status| fault::status(world, status, None))
}
