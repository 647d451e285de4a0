//! Who holds the truth.

mod rest;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::{EntityKey, Error, Version};

pub use rest::RestSource;

/// Asked for the current state of an entity.
pub trait Source: Send + Sync {
    /// Reads the current state.
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>>;
}

/// What a source answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The state; `None` if the source no longer has the entity.
    pub state: Option<Value>,
    /// The version of the state, if the source counts them.
    pub version: Option<Version>,
}
