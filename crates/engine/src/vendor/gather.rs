//! Calls that arrive together go out as one.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Shared, WeakShared, select};

use crate::clock::Clock;
use crate::{Error, ErrorKind, Stage, Verdict};

/// Puts the pushes of entities that are worked on side by side into one call of a vendor that takes several at once.
///
/// The first to arrive opens a round. It closes after a moment, or when it is full; then all of it is sent, and each gets its
/// own answer. No task is spawned: whoever waits drives the round. One who goes away leaves the others unharmed, and is not
/// sent for unless the round was closed before.
pub struct Gatherer<T, A> {
    clock: Arc<dyn Clock>,
    limits: Limits,
    send: Arc<SendAll<T, A>>,
    open: Mutex<Option<Open<T, A>>>,
}

/// How much goes into one call, and how long it waits for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most items.
    pub items: usize,
    /// The most bytes of all items together. A larger item goes alone.
    pub bytes: usize,
    /// How long the first waits for others.
    pub linger: Duration,
}

/// Answers in the order of the items.
type SendAll<T, A> = dyn Fn(Vec<T>) -> BoxFuture<'static, Vec<Result<A, Error>>> + Send + Sync;

struct Open<T, A> {
    round: Arc<Round<T, A>>,
    run: WeakShared<BoxFuture<'static, ()>>,
}

struct Round<T, A> {
    entries: Mutex<Entries<T>>,
    answers: Mutex<HashMap<usize, Result<A, Error>>>,
}

struct Entries<T> {
    items: Vec<Entry<T>>,
    next_place: usize,
    /// Dropped when the round closes, which ends the wait for more.
    waits_for_more: Option<oneshot::Sender<()>>,
}

struct Entry<T> {
    place: usize,
    bytes: usize,
    item: T,
}

/// One participant's place in a round; gives it up when dropped.
struct Place<T, A> {
    round: Arc<Round<T, A>>,
    place: usize,
}

impl<T: Send + 'static, A: Send + 'static> Gatherer<T, A> {
    /// Sends what arrives together with one call of `send`, which answers for each item, in their order.
    pub fn new<F>(clock: Arc<dyn Clock>, limits: Limits, send: F) -> Self
    where
        F: Fn(Vec<T>) -> BoxFuture<'static, Vec<Result<A, Error>>> + Send + Sync + 'static,
    {
        Self {
            clock,
            limits,
            send: Arc::new(send),
            open: Mutex::default(),
        }
    }

    /// Sends this item with those that arrive at the same time. `bytes`: what it adds to the call.
    ///
    /// # Errors
    /// What the call answered for this item; that of an unknown outcome if it answered nothing or panicked.
    pub async fn call(&self, item: T, bytes: usize) -> Result<A, Error> {
        let (place, run) = self.join(item, bytes);
        // Whoever can come at once does so before anybody drives the round, however short the wait.
        tokio::task::yield_now().await;
        run.await;
        place.answer().unwrap_or_else(|| {
            let message = "expected an answer for each item of a call, found none; the function's log says if it panicked";
            Err(Error::new(ErrorKind::Panicked, Verdict::Unknown, Stage::Push, message))
        })
    }

    fn join(&self, item: T, bytes: usize) -> (Place<T, A>, Shared<BoxFuture<'static, ()>>) {
        let mut open = lock(&self.open);
        if let Some(Open { round, run }) = &*open
            // Nobody is left who would drive the round: what it holds was given up.
            && let Some(run) = run.upgrade()
            && let Some(has_room) = round.room(bytes, self.limits)
        {
            if has_room {
                return (Round::enter(round, item, bytes, self.limits), run);
            }
            lock(&round.entries).waits_for_more = None;
        }
        let (waits_for_more, closed) = oneshot::channel();
        let round = Arc::new(Round {
            entries: Mutex::new(Entries {
                items: Vec::new(),
                next_place: 0,
                waits_for_more: Some(waits_for_more),
            }),
            answers: Mutex::default(),
        });
        let place = Round::enter(&round, item, bytes, self.limits);
        let run = run(
            Arc::clone(&round),
            Arc::clone(&self.clock),
            self.limits.linger,
            closed,
            Arc::clone(&self.send),
        )
        .boxed()
        .shared();
        *open = run.downgrade().map(|run| Open { round, run });
        (place, run)
    }
}

/// Waits for more, sends, and puts each answer into its place.
async fn run<T: Send, A: Send>(
    round: Arc<Round<T, A>>,
    clock: Arc<dyn Clock>,
    linger: Duration,
    closed: oneshot::Receiver<()>,
    send: Arc<SendAll<T, A>>,
) {
    select(clock.sleep(linger), closed).await;
    let (places, items): (Vec<_>, Vec<_>) = round.close().into_iter().map(|e| (e.place, e.item)).unzip();
    if items.is_empty() {
        return;
    }
    // A panic here is one of all participants; each fails, and none takes the others' process with it.
    let answers = AssertUnwindSafe(async { send(items).await }).catch_unwind().await;
    lock(&round.answers).extend(places.into_iter().zip(answers.unwrap_or_default()));
}

impl<T, A> Round<T, A> {
    /// Whether an item of this size still fits; `None` if the round is closed.
    fn room(&self, bytes: usize, limits: Limits) -> Option<bool> {
        let entries = lock(&self.entries);
        entries.waits_for_more.as_ref()?;
        let taken: usize = entries.items.iter().map(|entry| entry.bytes).sum();
        Some(entries.items.is_empty() || taken.saturating_add(bytes) <= limits.bytes)
    }

    fn enter(round: &Arc<Self>, item: T, bytes: usize, limits: Limits) -> Place<T, A> {
        let mut entries = lock(&round.entries);
        let place = entries.next_place;
        entries.next_place += 1;
        entries.items.push(Entry { place, bytes, item });
        if entries.items.len() >= limits.items {
            entries.waits_for_more = None;
        }
        Place {
            round: Arc::clone(round),
            place,
        }
    }

    fn close(&self) -> Vec<Entry<T>> {
        let mut entries = lock(&self.entries);
        entries.waits_for_more = None;
        std::mem::take(&mut entries.items)
    }
}

impl<T, A> Place<T, A> {
    fn answer(&self) -> Option<Result<A, Error>> {
        lock(&self.round.answers).remove(&self.place)
    }
}

impl<T, A> Drop for Place<T, A> {
    fn drop(&mut self) {
        lock(&self.round.entries)
            .items
            .retain(|entry| entry.place != self.place);
    }
}

/// No critical section here can panic half-way through.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
