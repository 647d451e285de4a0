//! Where the state to push comes from: the source is asked, or an event brought it.

use super::group::Item;
use crate::ledger::EntityRecord;
use crate::message::{Carried, Message, Notification};

/// Where the state comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Truth {
    /// The source is to be asked: its answer is newer than whatever was carried.
    pub(super) asks: bool,
    /// The newest state that was carried. Where the source is asked it is kept for the case that it refuses to answer.
    pub(super) carried: Option<Carried>,
}

impl Truth {
    /// Whether any of these messages, or the retry, brings another state: delivered again without the newest, it would be pushed
    /// after that.
    pub(super) fn is_folded(&self, record: &EntityRecord, items: &[Item<'_>]) -> bool {
        let Some(newest) = &self.carried else { return false };
        let waiting = record.parked.as_ref();
        waiting.is_some_and(|parked| parked.carried.as_ref() != Some(newest))
            || items.iter().any(|item| match &item.message {
                Message::Notification(Notification {
                    carried: Some(other), ..
                }) => other.version != newest.version,
                _ => false,
            })
    }

    /// What a retry keeps of `asks`: that without a carried state the source is asked goes without saying.
    pub(super) fn asks_first(&self) -> bool {
        self.asks && self.carried.is_some()
    }
}

/// What these messages and the waiting retry say.
///
/// One message that carries no state is enough to ask, where there is a source to ask. And so is doubt: an earlier delivery,
/// or whoever left the record unsure, may have asked and pushed what is newer than anything carried.
pub(super) fn of<'a>(
    record: &EntityRecord,
    items: &(impl Iterator<Item = &'a Item<'a>> + Clone),
    is_readable: bool,
    in_doubt: bool,
) -> Truth {
    let waiting = record.parked.as_ref();
    let brought = items.clone().filter_map(|item| match &item.message {
        Message::Notification(notification) => notification.carried.as_ref(),
        Message::Wake(_) => None,
    });
    let carried = waiting
        .and_then(|parked| parked.carried.as_ref())
        .into_iter()
        .chain(brought)
        .reduce(|newest, other| {
            let is_older = other.is_older_than(&newest.version);
            if is_older { newest } else { other }
        })
        .cloned();
    let asks = waiting.is_some_and(|parked| parked.asks || parked.carried.is_none())
        || items.clone().any(|item| {
            matches!(
                &item.message,
                Message::Notification(Notification { carried: None, .. })
            )
        });
    Truth {
        asks: is_readable && (asks || in_doubt || carried.is_none()),
        carried,
    }
}
