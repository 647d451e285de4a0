//! What a vendor function implements, and how the engine calls it.

mod erased;
mod field;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{EntityKey, Error, ErrorKind, Stage};

pub(crate) use erased::DynVendor;
pub use field::Field;

/// One kind of entity at one vendor.
pub trait Vendor: Send + Sync + 'static {
    /// What the source says.
    type Entity: DeserializeOwned + Send;
    /// What the vendor accepts. Its JSON is hashed to tell whether anything changed.
    type Payload: Serialize + Send + Sync;

    /// Maps the source's state to the vendor's payload. Pure.
    ///
    /// # Errors
    /// [`Invalid`] names the field that cannot be mapped.
    fn map(&self, entity: &Self::Entity) -> Result<Self::Payload, Invalid>;

    /// The vendor's id where it follows from the payload (a natural key). If a push ends in an unknown outcome it is kept
    /// among [`Push::maybe_links`], so that what may have been created there can be removed later.
    fn link(&self, payload: &Self::Payload) -> Option<String> {
        let _ = payload;
        None
    }

    /// Makes the vendor hold the payload: one idempotent upsert. Answers with the vendor's id.
    fn push(
        &self,
        push: &Push<'_>,
        payload: &Self::Payload,
    ) -> impl Future<Output = Result<String, Error>> + Send;

    /// Makes the vendor no longer hold the entity. Already gone is success.
    fn remove(&self, push: &Push<'_>) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What the engine knows about one push.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// The entity.
    pub entity: &'a EntityKey,
    /// The vendor's id, once it is known.
    pub link: Option<&'a str>,
    /// Ids under which earlier pushes of unknown outcome may have left something. After a successful push nothing may be
    /// left there.
    pub maybe_links: &'a [String],
    /// The event that led here.
    pub event_id: &'a str,
    /// When that event was sent.
    pub event_time: jiff::Timestamp,
    /// The source's version of the state.
    pub version: Option<&'a crate::Version>,
    /// The same for a repeat of the same push, different for any other: usable as an idempotency key.
    pub idempotency_key: &'a str,
    /// The time of the attempt.
    pub now: jiff::Timestamp,
}

/// A field of the source's state that cannot be mapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct Invalid {
    /// Where the field stands in the source's state: a JSON Pointer.
    pub pointer: String,
    /// What was expected and what was found; never the value itself.
    pub message: String,
}

impl Invalid {
    /// The field at `pointer` is not what `message` says it should be.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::permanent(ErrorKind::Invalid, Stage::Map, &invalid.message).at(invalid.pointer)
    }
}
