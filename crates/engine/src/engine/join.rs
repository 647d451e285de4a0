//! Messages that ask for no work of their own: a waiting retry does it, or nobody can.

use super::group::{Item, forced_by, newest_version};
use super::outcome::{self, Outcome};
use super::{Engine, lag, truth};
use crate::ledger::{EntityRecord, Status};
use crate::message::{Message, Notification};
use crate::source::CarriedState;
use crate::{Error, ErrorKind};

impl Engine {
    /// The outcome of a message that asks for a read where there is nobody to ask. It says nothing about the entity, whose
    /// record is left alone.
    pub(super) fn unanswerable(&self, notification: &Notification, item: &Item<'_>) -> Outcome {
        let now = self.now();
        let mut event = outcome::event(self.vendor(), notification, item.delivery, Status::Rejected, now);
        event.error = Some((&CarriedState::refusal()).into());
        Outcome::Settled(Box::new(event))
    }

    /// Leaves the work to the retry that waits. It must read at least the newest version announced by now, or push the
    /// newest state that was brought.
    pub(super) async fn join(
        &self,
        record: &EntityRecord,
        joining: &[&Item<'_>],
    ) -> Result<Vec<(usize, Outcome)>, Error> {
        let Some(parked) = record.parked.as_ref().filter(|_| !joining.is_empty()) else {
            return Ok(Vec::new());
        };
        let announced = newest_version(joining, parked.version.clone());
        let is_readable = self.is_readable(record.entity.entity_type());
        let truth = truth::of(record, &joining.iter().copied(), is_readable, false);
        let forced_by = forced_by(joining.iter().copied());
        let unsure = record.unsure || forced_by.is_some();
        let denied_since = lag::denied_since(parked, joining.iter().copied());
        let is_news = announced != parked.version
            || truth.carried != parked.carried
            || truth.asks_first() != parked.asks
            || denied_since != parked.denied_since;
        let now = self.now();
        if is_news || unsure != record.unsure || forced_by.is_some() {
            let mut next = record.clone();
            next.revision += 1;
            next.unsure = unsure;
            if let Some(event) = forced_by {
                next.doubt(event);
            }
            if let Some(parked) = &mut next.parked {
                parked.denied_since = denied_since;
                parked.version = announced;
                parked.asks = truth.asks_first();
                parked.carried = truth.carried;
            }
            self.settle(&next).await?;
        }
        let outcome = |item: &&Item<'_>| {
            let outcome = match &item.message {
                Message::Notification(notification) if notification.event_id == parked.event_id => {
                    // The waiting event itself, delivered again before its record was written.
                    let mut event =
                        outcome::event(self.vendor(), notification, item.delivery, Status::Parked, now);
                    event.trace = parked.trace;
                    event.attempt = (parked.error.kind != ErrorKind::Waiting && record.attempts > 0)
                        .then_some(record.attempts);
                    event.wake_at = Some(parked.wake_at);
                    event.error = Some(parked.error.clone());
                    Outcome::Settled(Box::new(event))
                }
                Message::Notification(notification) => Outcome::Settled(Box::new(outcome::coalesced(
                    self.vendor(),
                    notification,
                    item.delivery,
                    &parked.event_id,
                    now,
                ))),
                Message::Wake(_) => Outcome::Done,
            };
            (item.index, outcome)
        };
        Ok(joining.iter().map(outcome).collect())
    }
}
