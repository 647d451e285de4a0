//! Deliberate faults for one purpose: to show that the simulation would catch them. Behind the feature `sabotage`, which
//! no function is built with; without it every check is a constant `false`.

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sabotage {
    /// Messages are acknowledged before their outcome is settled.
    AckBeforeSettle,
    /// A redelivered message may end as unchanged.
    HashShortcutOnRedelivery,
    /// Creates and what may happen only once are not reserved.
    NoReservation,
    /// What happened once is forgotten with the settle.
    ForgetEffects,
    /// A notification of the second of a read is covered by it.
    CoveredWithoutMargin,
    /// An older carried state is pushed after a newer one.
    CarriedInAnyOrder,
    /// A settle that lost a race overwrites.
    SettleWithoutCondition,
    /// Of several notifications the oldest leads.
    CoalesceAwayNewest,
    /// A stale wake works.
    WakeTwice,
    /// A permanent failure is tried again.
    RetryPermanent,
    /// An unknown outcome counts as one that did not happen.
    UnknownAsFailed,
    /// What must be delivered again is named by an empty id.
    EmptyItemIdentifier,
    /// A failed entity's message stays in its lane instead of being parked.
    BlockGroupOnPark,
    /// A forced sync takes the shortcuts of any other.
    ForceLikeAnyOther,
    /// The outcome of a probe is not written, and its lease never ends.
    LoseProbe,
}

#[cfg(feature = "sabotage")]
mod switch {
    use std::cell::Cell;

    use super::Sabotage;

    thread_local! {
        static ACTIVE: Cell<Option<Sabotage>> = const { Cell::new(None) };
    }

    /// Ends its fault when dropped.
    #[must_use]
    #[derive(Debug)]
    pub struct Guard(Option<Sabotage>);

    impl Drop for Guard {
        fn drop(&mut self) {
            ACTIVE.set(self.0);
        }
    }

    /// Sets the fault of all engines on this thread.
    pub fn set(sabotage: Option<Sabotage>) -> Guard {
        Guard(ACTIVE.replace(sabotage))
    }

    pub(crate) fn is(sabotage: Sabotage) -> bool {
        ACTIVE.get() == Some(sabotage)
    }
}

#[cfg(feature = "sabotage")]
pub(crate) use switch::is;
#[cfg(feature = "sabotage")]
pub use switch::{Guard, set};

#[cfg(not(feature = "sabotage"))]
pub(crate) const fn is(_: Sabotage) -> bool {
    false
}
