//! One line of what needs attention.

use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::ledger::{EntityRecord, EventRecord, Status};

use crate::failure::Failure;
use crate::output;

/// An entity, or an event that names none, that waits or needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Attention {
    pub(super) entity: Option<String>,
    pub(super) event_id: Option<String>,
    status: Status,
    since: Timestamp,
    wake_at: Option<Timestamp>,
    attempts: Option<u32>,
    error: Option<Failure>,
}

impl Attention {
    /// Cells of several short lines: the reason needs the width.
    pub(super) fn cells(&self, vendor: &str) -> [String; 8] {
        let status = match self.wake_at {
            Some(wake_at) => format!("{} until\n{}", self.status, lines_of_time(wake_at)),
            None => self.status.name().to_owned(),
        };
        let error = self.error.as_ref();
        let place = match error {
            Some(Failure {
                stage,
                field: Some(field),
                ..
            }) => format!("{stage}\n{field}"),
            Some(Failure { stage, .. }) => (*stage).to_owned(),
            None => "-".to_owned(),
        };
        let reason = output::or_dash(error.map(|error| error.reason.as_str()));
        [
            vendor.to_owned(),
            self.entity.clone().unwrap_or_else(|| "none".to_owned()),
            status,
            lines_of_time(self.since),
            self.attempts
                .map_or("-".to_owned(), |attempts| attempts.to_string()),
            place,
            output::or_dash(error.and_then(|error| error.code.as_deref())).to_owned(),
            match &self.event_id {
                Some(event) => format!("{reason} (event {event})"),
                None => reason.to_owned(),
            },
        ]
    }
}

/// UTC, whole minutes, the date above the time.
fn lines_of_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d\n%H:%M").to_string()
}

impl From<EntityRecord> for Attention {
    fn from(record: EntityRecord) -> Self {
        let (since, wake_at, parked) = match record.parked {
            Some(parked) => (parked.since, Some(parked.wake_at), Some(parked.error)),
            None => (record.settled_at, None, None),
        };
        Self {
            entity: Some(record.entity.into()),
            event_id: None,
            status: record.status,
            since,
            wake_at,
            attempts: Some(record.attempts),
            error: record.error.or(parked).map(Failure::from),
        }
    }
}

impl From<EventRecord> for Attention {
    fn from(event: EventRecord) -> Self {
        Self {
            entity: None,
            event_id: Some(event.event_id),
            status: event.status,
            since: event.settled_at,
            wake_at: None,
            attempts: event.attempt,
            error: event.error.map(Failure::from),
        }
    }
}
