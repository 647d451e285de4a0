//! How fast one process calls a vendor.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::Clock;

/// Lets calls begin one after the other, this far apart at least. What waits is not sent yet, and what waited too long, since the
/// machine was busy, is not made up for.
///
/// With the number of processes that may run side by side this is the vendor's budget.
#[derive(Clone)]
pub struct Pace {
    clock: Arc<dyn Clock>,
    apart: SignedDuration,
    /// When the last call began. Held by the one whose turn is next.
    last: Arc<Mutex<Option<Timestamp>>>,
}

impl Pace {
    /// At most this many calls a second; `None` for 0, which is no limit.
    #[must_use]
    pub fn of(calls_per_second: u32, clock: Arc<dyn Clock>) -> Option<Self> {
        let apart = SignedDuration::from_secs(1).checked_div(i32::try_from(calls_per_second).ok()?)?;
        Some(Self {
            clock,
            apart,
            last: Arc::default(),
        })
    }

    /// Waits for this call's turn.
    pub async fn turn(&self) {
        let mut last = self.last.lock().await;
        let free = last.and_then(|last| last.checked_add(self.apart).ok());
        let wait = free.map(|free| free.duration_since(self.clock.now()));
        if let Some(Ok(wait)) = wait.map(std::time::Duration::try_from) {
            self.clock.sleep(wait).await;
        }
        *last = Some(self.clock.now());
    }
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pace({} apart)", self.apart)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use futures::future::{BoxFuture, join_all};

    use super::*;

    /// Moves on when somebody sleeps, and says how long.
    struct Slept(Mutex<(Timestamp, Vec<Duration>)>);

    impl Clock for Slept {
        fn now(&self) -> Timestamp {
            self.0.lock().unwrap().0
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
            let mut slept = self.0.lock().unwrap();
            slept.0 = slept.0.saturating_add(duration).unwrap();
            slept.1.push(duration);
            Box::pin(async {})
        }
    }

    fn clock() -> Arc<Slept> {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        Arc::new(Slept(Mutex::new((now, Vec::new()))))
    }

    #[tokio::test]
    async fn calls_begin_one_after_the_other() {
        let clock = clock();
        let pace = Pace::of(5, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        join_all((0..4).map(|_| pace.turn())).await;
        assert_eq!(clock.0.lock().unwrap().1, [200; 3].map(Duration::from_millis));
        // A pause is over, and not made up for by a burst.
        clock.sleep(Duration::from_secs(10)).await;
        clock.0.lock().unwrap().1.clear();
        join_all((0..3).map(|_| pace.turn())).await;
        assert_eq!(clock.0.lock().unwrap().1, [200; 2].map(Duration::from_millis));
    }

    #[test]
    fn zero_is_no_limit() {
        assert!(Pace::of(0, clock()).is_none());
    }
}
