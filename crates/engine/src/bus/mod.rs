//! Putting events on the bus.

mod eventbridge;
mod put;

use futures::future::BoxFuture;
use jiff::Timestamp;

pub use eventbridge::EventBridge;
pub use put::put_all;

/// `PutEvents` takes at most ten entries
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>).
pub const MAX_ENTRIES: usize = 10;
/// And 1 MB over all of them; every region and every target takes this much.
pub const MAX_BYTES: usize = 256 * 1024;

/// Where events are put.
pub trait Bus: Send + Sync {
    /// Puts up to ten events in one request; the answers stand in the same order, each the event's id.
    ///
    /// # Errors
    /// The [`Refusal`] of the request as a whole: none of its events counts as published, though they may be.
    fn put<'a>(
        &'a self,
        events: &'a [&'a Event],
    ) -> BoxFuture<'a, Result<Vec<Result<String, Refusal>>, Refusal>>;
}

/// One event for the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Events of the same key are published in order.
    pub key: String,
    /// The EventBridge source.
    pub source: String,
    /// The detail type.
    pub detail_type: String,
    /// The detail: a JSON object.
    pub detail: String,
    /// When it happened; without it the bus takes the time at which it is put.
    pub time: Option<Timestamp>,
}

impl Event {
    /// What counts against the limit of a request
    /// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html>).
    #[must_use]
    pub fn size(&self) -> usize {
        const TIME: usize = 14;
        let time = self.time.map_or(0, |_| TIME);
        time + self.source.len() + self.detail_type.len() + self.detail.len()
    }
}

/// Why the bus did not take an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The bus's code.
    pub code: String,
    /// The same event will never be taken.
    pub is_permanent: bool,
}
