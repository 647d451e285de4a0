//! A process of a vendor function: the real engine, wired to the models.

use std::sync::Arc;
use std::time::Duration;

use vendorbridge::circuit::Policy;
use vendorbridge::engine::Parts;
use vendorbridge::park::Backoff;
use vendorbridge::source::CarriedState;
use vendorbridge::{Announcement, Engine};

use super::bus::{CHANGED, REMOVED, STORED};
use super::call::Sim;
use super::clock::VirtualClock;
use super::lanes::VirtualLanes;
use super::ledger::VirtualLedger;
use super::profile::Pattern;
use super::source::VirtualSource;
use super::vendor::{self, Kind, Line, RULES};

/// The longest that the calls for one entity may take, as in `lambda.rs`.
const SLOWEST: Duration = Duration::from_secs(16);

/// A fresh process.
pub(crate) fn engine(sim: &Sim, unit: usize, container: usize) -> Engine {
    let mut world = sim.world();
    let rng = world.rng.fork();
    let profile = Arc::clone(&world.profile);
    let (vendor, kind) = (world.units[unit].name.clone(), world.units[unit].kind);
    drop(world);
    let mut announcement = Announcement::new(CHANGED, "/id");
    if profile.versioned {
        announcement = announcement.version("/version");
    }
    let line = Line {
        sim: sim.clone(),
        unit,
        container,
    };
    let is_asked = profile.pattern != Pattern::Carried || kind == Kind::Booking;
    let mut entity = if is_asked {
        let source = VirtualSource {
            sim: sim.clone(),
            unit,
            container,
        };
        vendor::entity(kind, profile.family, source, line)
    } else {
        vendor::entity(kind, profile.family, CarriedState, line)
    }
    .announced_by(announcement);
    if kind == Kind::Booking {
        // It asks, whatever events bring.
        let stored = Announcement::new(STORED, "/id").version("/version");
        let removed = Announcement::new(REMOVED, "/id").version("/version");
        let rules = serde_json::from_str(RULES).unwrap_or_default();
        entity = entity
            .announced_by(stored)
            .announced_by(removed)
            .ruled_by(&Arc::new(rules));
    } else if profile.pattern != Pattern::Notification {
        let stored = Announcement::new(STORED, "/id")
            .version("/version")
            .carries("/state");
        let removed = Announcement::new(REMOVED, "/id").version("/version").removes();
        entity = entity.announced_by(stored).announced_by(removed);
    }
    Engine::new(Parts {
        vendor,
        entities: vec![entity],
        ledger: Arc::new(VirtualLedger {
            sim: sim.clone(),
            unit,
            container,
        }),
        lanes: Arc::new(VirtualLanes::new(sim.clone(), unit)),
        clock: Arc::new(VirtualClock::new(sim.clone())),
        rng,
        backoff: Backoff::default(),
        circuit: Policy::default(),
        max_in_flight: profile.process.in_flight,
        slowest: SLOWEST,
    })
}
