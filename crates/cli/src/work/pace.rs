//! So many pieces a second, and no more.

use std::time::{Duration, Instant};

use super::Stop;

/// Lets pieces through at a rate.
#[derive(Debug)]
pub(crate) struct Pace {
    each: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// `rate` pieces a second.
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            each: Duration::from_secs(1) / rate.max(1),
            next: None,
        }
    }

    /// Waits until so many pieces may pass. Answers with `false` if it is time to stop.
    pub(crate) async fn wait(&mut self, pieces: usize, stop: &Stop) -> bool {
        let wait = self.next_wait(pieces, Instant::now());
        stop.sleep(wait).await
    }

    /// How long pieces that come now have to wait.
    fn next_wait(&mut self, pieces: usize, now: Instant) -> Duration {
        // What was not used is not saved up: behind a pause there is no burst.
        let from = self.next.map_or(now, |next| next.max(now));
        let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
        self.next = Some(from + self.each.saturating_mul(pieces));
        from - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept() {
        let now = Instant::now();
        let mut pace = Pace::new(10);
        let waits = [10, 10, 5, 1].map(|pieces| pace.next_wait(pieces, now).as_millis());
        assert_eq!(waits, [0, 1000, 2000, 2500]);
    }

    #[test]
    fn nothing_is_saved_up() {
        let now = Instant::now();
        let mut pace = Pace::new(10);
        assert_eq!(pace.next_wait(10, now), Duration::ZERO);
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.next_wait(10, later), Duration::ZERO);
        assert_eq!(pace.next_wait(10, later), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait() {
        let stop = Stop::never();
        let mut pace = Pace::new(1);
        assert!(pace.wait(3600, &stop).await);
        let (passed, ()) = tokio::join!(pace.wait(1, &stop), async { stop.now() });
        assert!(!passed && stop.is_told());
    }
}
