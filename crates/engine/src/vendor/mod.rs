//! What a vendor function implements, and how the engine calls it.

mod erased;
mod field;
mod gather;
mod journal;
mod list;
mod once;
mod part;
mod push;

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ask::{Page, PageRequest};
use crate::{Error, ErrorKind, Stage};

pub(crate) use erased::{DynVendor, Mapped};
pub use field::Field;
pub use gather::{Gatherer, Limits};
pub(crate) use journal::{Journal, Progress};

pub use list::Held;
pub use push::{Push, Standing, Step};

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

    /// Whether the vendor is to hold this at all. What it is not to hold is removed, or never pushed: the entity is there at the
    /// source and, for this vendor, as good as deleted.
    fn is_wanted(&self, payload: &Self::Payload) -> bool {
        let _ = payload;
        true
    }

    /// The vendor's id where it follows from the payload (a natural key). If a push ends in an unknown outcome it is kept
    /// among [`Push::maybe_links`], so that what may have been created there can be removed later.
    fn link(&self, payload: &Self::Payload) -> Option<String> {
        let _ = payload;
        None
    }

    /// How records come to be at this vendor.
    fn creates(&self) -> Creates {
        Creates::ByKey
    }

    /// Looks for the entity's record at the vendor by an id of ours. Asked only where the vendor
    /// [creates once](Creates::Once), after a create of unknown outcome.
    fn find(&self, push: &mut Push<'_>) -> impl Future<Output = Result<Option<String>, Error>> + Send {
        let _ = push;
        async { Ok(None) }
    }

    /// Makes the vendor hold the payload: one idempotent upsert, or an ordered plan of [steps](Push::step). Answers with
    /// the vendor's id.
    ///
    /// A vendor that [creates once](Creates::Once) and no longer has what [`Push::link`] names takes the link back
    /// ([`Push::set_link`]) and answers with a failure to retry: the entity is created anew. A link to nothing is left where a
    /// removal was made, and its settle was lost.
    fn push(
        &self,
        push: &mut Push<'_>,
        payload: &Self::Payload,
    ) -> impl Future<Output = Result<String, Error>> + Send;

    /// Makes the vendor no longer hold the entity. Already gone is success.
    fn remove(&self, push: &mut Push<'_>) -> impl Future<Output = Result<(), Error>> + Send;

    /// [Undoes](Push::undo) what a plan that failed for good must not leave half-done. Called until it
    /// succeeds; if it is itself refused for good, the entity is rejected with both reasons, and the next notification tries it
    /// again first.
    fn compensate(&self, push: &mut Push<'_>) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = push;
        async { Ok(()) }
    }

    /// Whether [`list`](Self::list) can say what the vendor holds.
    fn lists(&self) -> bool {
        false
    }

    /// A page of what the vendor holds of this type. Made for a person: within its process it waits its turn as every call does,
    /// and for nothing else.
    fn list(&self, asked: PageRequest<'_>) -> impl Future<Output = Result<Page<Held>, Error>> + Send {
        let _ = asked;
        async { Err(list::not_listable()) }
    }

    /// Whether the vendor may hold what a payload does not name: such fields are left alone there.
    fn leaves_alone(&self) -> bool {
        false
    }
}

/// How records come to be at a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creates {
    /// The vendor's key follows from the entity or its payload: a repeated create is an update.
    ByKey,
    /// Every create makes another record. So it is reserved in the ledger before, and what may have been created is looked
    /// for ([`Vendor::find`]) before it is created again.
    Once {
        /// How long a record that was created may not be found yet.
        visible_after: Duration,
    },
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
