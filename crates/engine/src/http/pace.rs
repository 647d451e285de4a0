//! How fast one process calls a vendor.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// Lets calls begin one after the other, this far apart. What waits is not sent yet.
///
/// With the number of processes that may run side by side this is the vendor's budget.
#[derive(Clone)]
pub struct Pace {
    clock: Arc<dyn Clock>,
    apart: SignedDuration,
    next: Arc<Mutex<Timestamp>>,
}

impl Pace {
    /// At most this many calls a second; `None` for 0, which is no limit.
    #[must_use]
    pub fn of(calls_per_second: u32, clock: Arc<dyn Clock>) -> Option<Self> {
        let apart = SignedDuration::from_secs(1).checked_div(i32::try_from(calls_per_second).ok()?)?;
        Some(Self {
            clock,
            apart,
            next: Arc::new(Mutex::new(Timestamp::UNIX_EPOCH)),
        })
    }

    /// Waits for this call's turn.
    pub async fn turn(&self) {
        let now = self.clock.now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(now);
            *next = at.saturating_add(self.apart).unwrap_or(Timestamp::MAX);
            at
        };
        if let Ok(wait) = at.duration_since(now).try_into()
            && at > now
        {
            self.clock.sleep(wait).await;
        }
    }
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pace({} apart)", self.apart)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::{BoxFuture, join_all};

    use super::*;

    struct Still(Mutex<Vec<Duration>>);

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(1_800_000_000).unwrap()
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
            self.0.lock().unwrap().push(duration);
            Box::pin(async {})
        }
    }

    #[tokio::test]
    async fn calls_begin_one_after_the_other() {
        let clock = Arc::new(Still(Mutex::default()));
        let pace = Pace::of(5, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        join_all((0..4).map(|_| pace.turn())).await;
        let waits = clock.0.lock().unwrap().clone();
        assert_eq!(waits, [200, 400, 600].map(Duration::from_millis));
    }

    #[test]
    fn zero_is_no_limit() {
        assert!(Pace::of(0, Arc::new(Still(Mutex::default()))).is_none());
    }
}
