//! Sources that have not caught up with what they announced.

use jiff::{SignedDuration, Timestamp};

use super::attempt::Work;
use crate::ledger::Parked;
use crate::message::Version;
use crate::{Error, ErrorKind, Stage};

/// How long a source may answer with an older version than was announced.
const LAG_PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// How long a source may deny an entity whose version was just announced.
const GONE_PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// A newer announcement gives the source its time anew until the entity has waited this long: a source that never catches
/// up must have the last word at some time.
const ANEW_WITHIN: SignedDuration = SignedDuration::from_hours(1);

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
    let patience = if exists { LAG_PATIENCE } else { GONE_PATIENCE };
    let parked = work.record.parked.as_ref();
    let since = parked.and_then(|parked| since(parked, work.at_least.as_ref(), now));
    if since.is_some_and(|since| now.duration_since(since) >= patience) {
        return Ok(());
    }
    let found = read.map_or_else(|| "none".to_owned(), ToString::to_string);
    let message = format!("expected version {newer} or newer, found {found}: the source lags");
    Err(Error::retry(ErrorKind::Lagging, Stage::Source, message))
}

/// Since when the source has lagged behind what is announced by now. What it answered before the latest announcement says
/// nothing about how far behind that it is: an entity that was deleted may be there again.
pub(super) fn since(parked: &Parked, at_least: Option<&Version>, now: Timestamp) -> Option<Timestamp> {
    let is_anew = at_least != parked.version.as_ref() && now.duration_since(parked.since) < ANEW_WITHIN;
    parked.lagging_since.filter(|_| !is_anew)
}
