//! A function that dies in the middle of its work, and the message that comes again.

use std::time::Duration;

use futures::future::{Either, select};
use vendorbridge::ledger::Status;

use super::{Stand, Subject};
use crate::sandbox::{Fault, Faults};

/// How often a message is delivered again, or its retry woken, before it must be settled.
const MAX_ROUNDS: u32 = 12;
/// Longer than any visibility timeout, and than what a vendor needs to show a record.
const LATER: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(2);

/// At which moment of a request the function dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The service did not do what it was asked for.
    Before,
    /// It did, and the answer is on its way.
    After,
}

impl<S: Subject> Stand<S> {
    /// Announces the entity and kills the function at its `nth` request, from 1, to the service of these faults. Answers whether
    /// it came to that: `false` means that the work was done with fewer requests.
    pub async fn announce_and_crash(&mut self, id: &str, faults: &Faults, nth: u64, moment: Moment) -> bool {
        let fault = match moment {
            Moment::Before => Fault::Timeout,
            Moment::After => Fault::AcceptThenTimeout,
        };
        let injected = || faults.how_many(|other| other == fault);
        let before = injected();
        faults.at(nth, fault);
        let event = self.event(id);
        let body = self.next_event(id, event);
        let killed = {
            let work = std::pin::pin!(self.try_deliver(Self::entity(id), body, 1));
            let held = std::pin::pin!(async {
                while injected() == before {
                    tokio::time::sleep(POLL).await;
                }
                // Served, and held from here on.
                tokio::time::sleep(POLL).await;
            });
            matches!(select(work, held).await, Either::Right(_))
        };
        faults.clear();
        killed
    }

    /// Delivers the last announcement again, and wakes its retry, until the entity is settled.
    ///
    /// # Panics
    /// If that never comes.
    pub async fn recover(&mut self, id: &str) -> Status {
        for count in 2..MAX_ROUNDS {
            self.pass(LATER);
            if let Some((entity, body)) = self.last.clone() {
                self.try_deliver(entity, body, count).await;
            }
            let record = self.record_of(id);
            if record.parked.is_some() {
                self.wake_of(id).await;
            }
            let record = self.record_of(id);
            if record.parked.is_none() {
                return record.status;
            }
        }
        panic!("not settled: {:?}", self.record_of(id));
    }
}

/// Breaks the work at every request, before and after it takes effect, and delivers the message again: `check` must find one
/// effect. Answers with how many times it was broken.
///
/// `stand` prepares the entity `id` at its source; `faults` names a service that the function calls.
///
/// # Panics
/// As `check` does.
pub async fn at_every_request<S: Subject>(
    id: &str,
    faults: impl Fn(&Stand<S>) -> Faults,
    stand: impl AsyncFn() -> Stand<S>,
    check: impl Fn(&Stand<S>, &str),
) -> usize {
    let mut broken = 0;
    for moment in [Moment::Before, Moment::After] {
        for nth in 1.. {
            let mut stand = stand().await;
            let faults = faults(&stand);
            let killed = stand.announce_and_crash(id, &faults, nth, moment).await;
            if killed {
                stand.recover(id).await;
            }
            check(&stand, &format!("killed {moment:?} request {nth}"));
            if !killed {
                break;
            }
            broken += 1;
        }
    }
    broken
}
