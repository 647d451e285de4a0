//! One entity at one vendor: what the commands `why`, `status` and `timeline` find.

use futures::future::try_join3;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use vendorbridge::EntityKey;
use vendorbridge::clock::{Clock, SystemClock};

use super::failure::Failure;
use crate::CliError;
use crate::hours::Span;
use crate::session::Session;
use crate::status::EntityReport;
use crate::timeline::Timeline;
use crate::why::Answer;

/// As long as event records are kept, unless the template says otherwise. Every day is 24 queries.
pub(super) const MAX_DAYS: i64 = 90;
/// Clocks differ: what was sent a moment from now is there already.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// The JSON of the three commands.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    why: Answer,
    status: EntityReport,
    timeline: Timeline,
}

impl Standing {
    /// Reads all three side by side.
    pub(super) async fn read(
        session: &Session,
        vendor: &str,
        entity: &EntityKey,
        days: i64,
    ) -> Result<Self, Failure> {
        let (reader, now) = (session.reader(), SystemClock.now());
        let span = span(now, days).map_err(CliError::Usage)?;
        let vendors = [vendor];
        let mut nobody = || {};
        let read = try_join3(
            Answer::read(&reader, &session.stack, vendor, entity, now),
            EntityReport::read(&reader, &vendors, entity),
            Timeline::read(&reader, vendor, entity, span, &mut nobody),
        );
        let (why, status, timeline) = read.await.map_err(CliError::unread)?;
        Ok(Self {
            why,
            status,
            timeline,
        })
    }
}

fn span(now: Timestamp, days: i64) -> Result<Span, String> {
    let since = now.saturating_sub(SignedDuration::from_hours(24 * days));
    let until = now.saturating_add(AHEAD);
    Span::new(since.unwrap_or(now), until.unwrap_or(now))
}
