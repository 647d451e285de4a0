//! A call to a model: where every wait of the engine ends.
//!
//! The request takes a while to arrive; its effect takes place at one virtual instant, whether or not the caller still
//! lives; the answer takes a while to come back. A process that is killed at any point therefore leaves what a real one
//! would leave: nothing, or the effect without anybody knowing.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::agenda::Micros;
use super::world::World;

/// The world, as the tasks in it hold it.
#[derive(Clone)]
pub(crate) struct Sim(Arc<Mutex<World>>);

/// What a model answers.
pub(crate) struct Reply<T> {
    /// How long the answer takes.
    pub(crate) after: Micros,
    /// The answer.
    pub(crate) answer: T,
}

struct Slot<T> {
    answer: Option<T>,
    waiting: Option<Waker>,
}

struct Answer<T>(Arc<Mutex<Slot<T>>>);

impl Sim {
    /// Puts a world into the hands of its tasks.
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world. Never held across a wait.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.0)
    }

    /// Sends a request that takes `out` to arrive, and waits for the answer.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        out: Micros,
        effect: impl FnOnce(&mut World) -> Reply<T> + Send + 'static,
    ) -> T {
        let slot = Arc::new(Mutex::new(Slot {
            answer: None,
            waiting: None,
        }));
        let theirs = Arc::clone(&slot);
        self.world().agenda.after(out, move |world| {
            let Reply { after, answer } = effect(world);
            // Nobody waits any more: the process is dead, or gave up.
            if Arc::strong_count(&theirs) > 1 {
                world.agenda.after(after, move |_| deliver(&theirs, answer));
            }
        });
        Answer(slot).await
    }
}

fn deliver<T>(slot: &Mutex<Slot<T>>, answer: T) {
    let mut slot = lock(slot);
    slot.answer = Some(answer);
    if let Some(waker) = slot.waiting.take() {
        waker.wake();
    }
}

impl<T> Future for Answer<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut slot = lock(&self.0);
        if let Some(answer) = slot.answer.take() {
            return Poll::Ready(answer);
        }
        match &mut slot.waiting {
            Some(waiting) => waiting.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
