//! Where the state to push comes from: the source is asked, or an event brought it.

use super::group::Item;
use crate::ledger::EntityRecord;
use crate::message::{Carried, Message, Notification};

/// The newest state that any of these messages or the waiting retry carries; `None` if the source is to be asked.
///
/// One message that carries none is enough to ask, where there is a source to ask: its answer is newer than whatever was
/// carried. And so is a retry that waits to ask.
pub(super) fn carried<'a>(
    record: &EntityRecord,
    items: impl Iterator<Item = &'a Item<'a>> + Clone,
    is_readable: bool,
) -> Option<Carried> {
    let waiting = record.parked.as_ref();
    let asks = waiting.is_some_and(|parked| parked.carried.is_none())
        || items.clone().any(|item| {
            matches!(
                &item.message,
                Message::Notification(Notification { carried: None, .. })
            )
        });
    if asks && is_readable {
        return None;
    }
    let brought = items.filter_map(|item| match &item.message {
        Message::Notification(notification) => notification.carried.as_ref(),
        Message::Wake(_) => None,
    });
    waiting
        .and_then(|parked| parked.carried.as_ref())
        .into_iter()
        .chain(brought)
        .reduce(|newest, other| {
            let is_older = other.is_older_than(&newest.version);
            if is_older { newest } else { other }
        })
        .cloned()
}
