//! How an event type announces an entity: data, so that one more event type needs no code.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{Carried, EntityKey, Envelope, MAX_CARRIED_BYTES, Malformed, Notification, TraceParent, Version};
use crate::ask::Announced;
use crate::rules::Rules;

/// A sender's clock may be this much ahead of the bus's.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Says where in an event's detail the entity's id, version and state stand.
#[derive(Debug, Clone)]
pub struct Announcement {
    detail_type: Option<String>,
    source: Option<String>,
    only_if: Option<(String, Value)>,
    requires: Vec<(String, Value)>,
    id: String,
    version: Option<VersionAt>,
    brings: Brings,
    rules: Option<Arc<Rules>>,
}

#[derive(Debug, Clone)]
enum VersionAt {
    Number(String),
    /// The latest of these.
    Time(Vec<String>),
}

/// What an event says beyond which entity it is about.
#[derive(Debug, Clone)]
enum Brings {
    Nothing,
    /// The state, at this JSON Pointer; of an object only these fields, if any are named.
    State {
        at: String,
        fields: Vec<String>,
    },
    /// That the entity is gone.
    Removal,
}

impl Announcement {
    /// Events of this detail type, whose entity id stands at `id`: a JSON Pointer into the detail.
    #[must_use]
    pub fn new(detail_type: &str, id: &str) -> Self {
        Self {
            detail_type: Some(detail_type.to_owned()),
            source: None,
            only_if: None,
            requires: Vec::new(),
            id: id.to_owned(),
            version: None,
            brings: Brings::Nothing,
            rules: None,
        }
    }

    /// Events of any detail type, as long as [`only_if`](Self::only_if) applies: for senders whose detail type is a setting.
    #[must_use]
    pub fn of_any_type(mut self) -> Self {
        self.detail_type = None;
        self
    }

    /// Only events of this EventBridge source. Without it the rule alone decides.
    #[must_use]
    pub fn from_source(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// Only events that have this value at `pointer` of their detail; to others the announcement does not apply.
    #[must_use]
    pub fn only_if(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        self.only_if = Some((pointer.to_owned(), value.into()));
        self
    }

    /// Events must have this value at `pointer` of their detail; others are refused, and the ledger says why.
    #[must_use]
    pub fn requires(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        self.requires.push((pointer.to_owned(), value.into()));
        self
    }

    /// Its event type and source, for people.
    pub(crate) fn announced(&self) -> Announced {
        Announced {
            detail_type: self.detail_type.clone(),
            source: self.source.clone(),
        }
    }

    /// Where the announced version stands: a JSON Pointer into the detail. Versions of an id must only go up.
    #[must_use]
    pub fn version(mut self, pointer: &str) -> Self {
        self.version = Some(VersionAt::Number(pointer.to_owned()));
        self
    }

    /// The version is a time (RFC 3339) at this JSON Pointer: its milliseconds since 1970. Named more than once, the latest
    /// of the times. One that is minutes ahead of the event itself is refused: nothing could ever follow it.
    #[must_use]
    pub fn version_time(mut self, pointer: &str) -> Self {
        match &mut self.version {
            Some(VersionAt::Time(pointers)) => pointers.push(pointer.to_owned()),
            _ => self.version = Some(VersionAt::Time(vec![pointer.to_owned()])),
        }
        self
    }

    /// The event brings the entity's state itself, at this JSON Pointer into the detail: the source is not asked. Its order
    /// among others is its version, which must then be there and be ordered; without [`version`](Self::version) the event's
    /// time.
    #[must_use]
    pub fn carries(mut self, pointer: &str) -> Self {
        self.brings = Brings::State {
            at: pointer.to_owned(),
            fields: Vec::new(),
        };
        self
    }

    /// Of the carried state only these fields: what a retry has to keep is no more than what is used.
    #[must_use]
    pub fn keeping(mut self, names: &[&str]) -> Self {
        if let Brings::State { fields, .. } = &mut self.brings {
            fields.extend(names.iter().map(|name| (*name).to_owned()));
        }
        self
    }

    /// The event says that the entity is gone: the source is not asked. Ordered as what [`carries`](Self::carries) a state.
    #[must_use]
    pub fn removes(mut self) -> Self {
        self.brings = Brings::Removal;
        self
    }

    /// These rules on events may keep its events out. They see all events of its detail type and source, also those to which
    /// [`only_if`](Self::only_if) does not apply.
    #[must_use]
    pub fn ruled_by(mut self, rules: &Arc<Rules>) -> Self {
        self.rules = Some(Arc::clone(rules));
        self
    }

    /// The detail type that is listened for; `*` for any.
    #[must_use]
    pub fn detail_type(&self) -> &str {
        self.detail_type.as_deref().unwrap_or("*")
    }

    /// Whether its events bring a state, or say that there is none any more.
    pub(crate) fn is_carrying(&self) -> bool {
        !matches!(self.brings, Brings::Nothing)
    }

    fn hears(&self, envelope: &Envelope) -> bool {
        let detail_type = self.detail_type.as_ref();
        let source = self.source.as_ref();
        detail_type.is_none_or(|detail_type| *detail_type == envelope.detail_type)
            && source.is_none_or(|source| *source == envelope.source)
    }

    pub(super) fn matches(&self, envelope: &Envelope) -> bool {
        let only_if = self.only_if.as_ref();
        self.hears(envelope) && only_if.is_none_or(|(at, value)| envelope.detail.pointer(at) == Some(value))
    }

    /// The rule that keeps this event out.
    pub(super) fn excluding(&self, envelope: &Envelope) -> Option<String> {
        let rules = self.rules.as_ref().filter(|_| self.hears(envelope))?;
        rules.excluding_event(&envelope.in_rules()).map(str::to_owned)
    }

    pub(super) fn read(&self, entity_type: &str, envelope: &Envelope) -> Result<Notification, Malformed> {
        for (at, value) in &self.requires {
            if envelope.detail.pointer(at) != Some(value) {
                let reason = format!("expected {value}, found something else");
                return Err(envelope.malformed(&format!("/detail{at}"), reason));
            }
        }
        let entity = self.entity(entity_type, envelope)?;
        let version = self.version_in(envelope);
        let carried = self.carried(envelope, version.as_ref())?;
        Ok(Notification {
            event_id: envelope.delivery_id(),
            version: carried
                .as_ref()
                .map(|carried| carried.version.clone())
                .or(version),
            detail_type: envelope.detail_type.clone(),
            time: envelope.time,
            entity,
            carried,
            is_forced: false,
            trace: TraceParent::of_detail(&envelope.detail),
        })
    }

    fn entity(&self, entity_type: &str, envelope: &Envelope) -> Result<EntityKey, Malformed> {
        let pointer = format!("/detail{}", self.id);
        let id = match envelope.detail.pointer(&self.id) {
            Some(Value::String(id)) => id.clone(),
            // A fraction, or more digits than a float keeps, would fall together with other ids.
            Some(Value::Number(id)) if id.is_u64() || id.is_i64() => id.to_string(),
            None | Some(Value::Null) => {
                return Err(envelope.malformed(&pointer, "expected an entity id, found none".to_owned()));
            }
            Some(_) => {
                let reason = "expected an entity id as text or whole number, found another type".to_owned();
                return Err(envelope.malformed(&pointer, reason));
            }
        };
        EntityKey::new(entity_type, &id).map_err(|invalid| envelope.malformed(&pointer, invalid.to_string()))
    }

    fn version_in(&self, envelope: &Envelope) -> Option<Version> {
        match self.version.as_ref()? {
            VersionAt::Number(at) => Version::from_json(envelope.detail.pointer(at)?),
            VersionAt::Time(pointers) => {
                let time = |at: &String| envelope.detail.pointer(at)?.as_str()?.parse::<Timestamp>().ok();
                let latest = pointers.iter().filter_map(time).max()?;
                let ahead = latest.duration_since(envelope.time);
                (ahead <= AHEAD).then(|| Version::from_time(latest)).flatten()
            }
        }
    }

    fn carried(&self, envelope: &Envelope, version: Option<&Version>) -> Result<Option<Carried>, Malformed> {
        let state = match &self.brings {
            Brings::Nothing => return Ok(None),
            Brings::Removal => None,
            Brings::State { at, fields } => Some(state(envelope, at, fields)?),
        };
        let version = match (&self.version, version) {
            (None, _) => Version::from_time(envelope.time),
            (Some(_), Some(version)) if version.is_ordered() => Some(version.clone()),
            (Some(_), _) => None,
        };
        let Some(version) = version else {
            let at = self.version.as_ref().map_or("", VersionAt::pointer);
            let reason = "expected what puts the states of an entity in order, and is not ahead of the event, found none".to_owned();
            return Err(envelope.malformed(&format!("/detail{at}"), reason));
        };
        Ok(Some(Carried { version, state }))
    }
}

impl VersionAt {
    fn pointer(&self) -> &str {
        match self {
            Self::Number(at) => at,
            Self::Time(pointers) => pointers.first().map_or("", String::as_str),
        }
    }
}

/// The part of the detail that is the entity's state.
fn state(envelope: &Envelope, at: &str, fields: &[String]) -> Result<Value, Malformed> {
    let pointer = format!("/detail{at}");
    let state = match envelope.detail.pointer(at) {
        None | Some(Value::Null) => {
            return Err(envelope.malformed(&pointer, "expected the entity's state, found none".to_owned()));
        }
        Some(Value::Object(whole)) if !fields.is_empty() => {
            let kept = fields.iter().filter_map(|name| whole.get_key_value(name));
            Value::Object(
                kept.map(|(name, value)| (name.clone(), value.clone()))
                    .collect::<Map<_, _>>(),
            )
        }
        Some(state) => state.clone(),
    };
    let bytes = serde_json::to_vec(&state).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_CARRIED_BYTES {
        let reason = format!("expected a state of at most {MAX_CARRIED_BYTES} bytes, found {bytes} bytes");
        return Err(envelope.malformed(&pointer, reason));
    }
    Ok(state)
}
