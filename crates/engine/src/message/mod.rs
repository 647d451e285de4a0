//! What arrives: one SQS message, read as an EventBridge envelope, understood as a notification about an entity.

mod announcement;
mod carried;
mod entity;
mod envelope;
mod request;
mod trace;
mod version;
mod wake;

use jiff::Timestamp;

pub use announcement::Announcement;
pub use carried::{Carried, MAX_CARRIED_BYTES};
pub use entity::{EntityKey, InvalidKey, MAX_ID_BYTES};
pub use envelope::{Envelope, MAX_EVENT_ID_BYTES};
pub use request::SYNC_REQUESTED;
pub use trace::{InvalidTraceParent, TraceParent};
pub use version::Version;
pub use wake::{WAKE_DETAIL_TYPE, WAKE_SOURCE, wake_body};

/// One SQS message, without any AWS type.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The queue's id of the message; names it in a partial batch response.
    pub message_id: String,
    /// The queue's receipt for this delivery, by which the message can be acknowledged.
    pub receipt: String,
    /// The message group it stands in.
    pub group: String,
    /// How often the queue has handed it out, this time included; more than once means that an earlier attempt ended
    /// without an answer.
    pub receive_count: u32,
    /// The queue's `AWSTraceHeader`: the trace that the sender, or EventBridge, was called in.
    pub trace_header: Option<String>,
    /// The EventBridge event as JSON.
    pub body: String,
}

impl Delivery {
    /// Reads the body, as [`parse`] does; where the event names no trace, it belongs to the one that the queue knows of.
    pub(crate) fn parse<'a>(
        &self,
        vendor: &str,
        announcements: impl Iterator<Item = (&'a str, &'a Announcement)>,
    ) -> Result<Parsed, Malformed> {
        let mut parsed = parse(&self.body, vendor, announcements)?;
        if let Parsed::Message(Message::Notification(notification)) = &mut parsed {
            let of_queue = || TraceParent::of_xray(self.trace_header.as_deref()?);
            notification.trace = notification.trace.or_else(of_queue);
        }
        Ok(parsed)
    }
}

/// An event that says an entity changed. Its body is never pushed: the source is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The event's id, unique per event; an archive replay has an id of its own.
    pub event_id: String,
    /// The event's detail type.
    pub detail_type: String,
    /// When the change was announced. EventBridge cuts it to whole seconds.
    pub time: Timestamp,
    /// What changed.
    pub entity: EntityKey,
    /// The version that the event announces.
    pub version: Option<Version>,
    /// The state that the event brings itself. Its version is then always there, and ordered.
    pub carried: Option<Carried>,
    /// Take no shortcut: read and push, whatever the ledger knows.
    pub is_forced: bool,
    /// The trace that it belongs to.
    pub trace: Option<TraceParent>,
}

/// What a message asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all messages are notifications, ten at a time"
)]
pub enum Message {
    /// Bring the vendor up to date with the source, or with the state that the event carries.
    Notification(Notification),
    /// The waiting retry of this entity is due.
    Wake(EntityKey),
}

impl Message {
    /// The entity that the message is about.
    #[must_use]
    pub fn entity(&self) -> &EntityKey {
        match self {
            Self::Notification(notification) => &notification.entity,
            Self::Wake(entity) => entity,
        }
    }
}

/// What a message body was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// It asks for something.
    Message(Message),
    /// A rule keeps it out.
    Excluded(Excluded),
    /// It does not concern the vendor: a request to sync somebody else, or something else.
    NotOurs,
}

/// An event that a rule keeps out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The event's id.
    pub event_id: String,
    /// The event's detail type.
    pub detail_type: String,
    /// When the change was announced.
    pub time: Timestamp,
    /// What changed, if it is of a type that the vendor keeps.
    pub entity: Option<EntityKey>,
    /// The rule's name.
    pub rule: String,
}

impl Parsed {
    /// What it asks for, if it does.
    #[must_use]
    pub fn into_message(self) -> Option<Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Excluded(_) | Self::NotOurs => None,
        }
    }
}

/// Why a message cannot be understood, and as much of its identity as could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// What was found and what was expected, without any of the body.
    pub reason: String,
    /// The JSON Pointer of the field at fault.
    pub pointer: Option<String>,
    /// The event's id, if the envelope could be read.
    pub event_id: Option<String>,
    /// The event's time, if the envelope could be read.
    pub time: Option<Timestamp>,
    /// The event's detail type, if the envelope could be read.
    pub detail_type: Option<String>,
}

/// Reads a message body, with the announcements of each type of entity that `vendor` keeps.
///
/// # Errors
/// [`Malformed`] if the body is no JSON, no EventBridge envelope, of a type that no announcement names, without a
/// usable entity id, or an outcome: an outcome never triggers a sync. None of these can succeed later.
pub fn parse<'a>(
    body: &str,
    vendor: &str,
    mut announcements: impl Iterator<Item = (&'a str, &'a Announcement)>,
) -> Result<Parsed, Malformed> {
    let envelope = Envelope::parse(body)?;
    if let Some(entity) = wake::read(&envelope)? {
        return Ok(Parsed::Message(Message::Wake(entity)));
    }
    if envelope.detail_type == SYNC_REQUESTED {
        let keeps = |wanted: &str| announcements.any(|(entity_type, _)| entity_type == wanted);
        let request = request::read(envelope, vendor, keeps)?;
        return Ok(request.map_or(Parsed::NotOurs, |request| {
            Parsed::Message(Message::Notification(request))
        }));
    }
    if envelope.source == WAKE_SOURCE {
        let reason =
            "expected an event of another source, found one of our own: an outcome never triggers a sync";
        return Err(envelope.malformed("/source", reason.to_owned()));
    }
    let mut expected = Vec::new();
    let mut excluded = None;
    for (entity_type, announcement) in announcements {
        let rule = announcement.excluding(&envelope);
        if announcement.matches(&envelope) {
            let notification = announcement.read(entity_type, &envelope)?;
            return Ok(match rule {
                Some(rule) => Parsed::Excluded(envelope.excluded(Some(notification.entity), rule)),
                None => Parsed::Message(Message::Notification(notification)),
            });
        }
        excluded = excluded.or(rule);
        expected.push(announcement.detail_type().to_owned());
    }
    if let Some(rule) = excluded {
        return Ok(Parsed::Excluded(envelope.excluded(None, rule)));
    }
    let reason = format!(
        "unknown event type: found a detail-type of {} bytes that no entity of this vendor is announced by; expected one of: {}",
        envelope.detail_type.len(),
        expected.join(", ")
    );
    Err(envelope.malformed("/detail-type", reason))
}

#[cfg(test)]
mod tests;
