//! Sources that have not caught up with what they announced.

use jiff::{SignedDuration, Timestamp};

use super::attempt::Work;
use super::group::Item;
use crate::ledger::Parked;
use crate::message::{Message, Version};
use crate::{Error, ErrorKind, Stage};

/// How long a source may answer with an older version than was announced.
const LAG_PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// How long a source may deny an entity after an event of it. As long as there are events, it is not believed at all.
const GONE_PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// A source that answers with less than was announced, or than was pushed before, or denies what was just announced,
/// has not caught up. It is asked again for a while; after that it has the last word, since it may have begun to count
/// anew, or the announcement may have been wrong.
pub(super) fn refuse_lagging(
    work: &Work<'_>,
    exists: bool,
    read: Option<&Version>,
    now: Timestamp,
) -> Result<(), Error> {
    let known = [&work.at_least, &work.record.pushed_version];
    let newer = match read {
        _ if !exists => work.at_least.as_ref(),
        Some(read) => known.into_iter().flatten().find(|known| read < known),
        None => None,
    };
    let Some(newer) = newer else { return Ok(()) };
    let parked = work.record.parked.as_ref();
    let (since, patience) = if exists {
        (parked.and_then(|parked| parked.lagging_since), LAG_PATIENCE)
    } else {
        (work.denied_since, GONE_PATIENCE)
    };
    if since.is_some_and(|since| now.duration_since(since) >= patience) {
        return Ok(());
    }
    let found = read.map_or_else(|| "none".to_owned(), ToString::to_string);
    let message = format!("expected version {newer} or newer, found {found}: the source lags");
    Err(Error::retry(ErrorKind::Lagging, Stage::Source, message))
}

/// Since when the source has denied the entity without an event in between: what it answered before the latest one says
/// nothing about that one. An entity that was deleted may be there again.
pub(super) fn denied_since<'a>(
    parked: &Parked,
    items: impl IntoIterator<Item = &'a Item<'a>>,
) -> Option<Timestamp> {
    let is_news = items.into_iter().any(|item| match &item.message {
        Message::Notification(event) => event.event_id != parked.event_id,
        Message::Wake(_) => false,
    });
    parked.denied_since.filter(|_| !is_news)
}
