//! A vendor that can say what it holds.

use serde_json::Value;

use crate::{EntityKey, Error, ErrorKind, Stage};

/// A record at the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The vendor's id, as [`Vendor::push`](super::Vendor::push) answers it.
    pub link: String,
    /// The entity, where the record itself says which it is.
    pub entity: Option<EntityKey>,
    /// What it holds, in the form of a payload. Parts of a payload that the vendor does not keep stand here as they would be sent,
    /// so that they never differ.
    pub payload: Value,
}

/// That a vendor's records cannot be listed.
pub(super) fn not_listable() -> Error {
    let message = "expected a vendor whose records can be listed, found one whose cannot";
    Error::permanent(ErrorKind::Invalid, Stage::Push, message)
}
