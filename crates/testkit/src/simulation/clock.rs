//! The engine's clock: virtual time.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use vendorbridge::clock::Clock;

use super::agenda::{MILLI, timestamp};
use super::call::{Reply, Sim};

/// Shows the virtual time, in whole milliseconds as the machine's clock does.
pub(crate) struct VirtualClock(Sim);

impl VirtualClock {
    /// The clock of this world.
    pub(crate) fn new(sim: Sim) -> Self {
        Self(sim)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        timestamp(self.0.world().agenda.now() / MILLI * MILLI)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let wait = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Box::pin(self.0.call(wait, |_| Reply { after: 0, answer: () }))
    }
}
