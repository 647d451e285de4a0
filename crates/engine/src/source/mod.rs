//! Who holds the truth.

mod carried;
mod dynamo;
mod endpoint;
mod graphql;
mod list;
pub mod odata;
mod rest;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::ask::{Page, PageRequest};
use crate::{EntityKey, Error, Version};

pub use carried::CarriedState;
pub(crate) use dynamo::NoItems;
pub use dynamo::{
    DynamoItems, DynamoSource, InvalidKeyTemplate, ItemRequest, Items, KeyTemplate, KeyValue, ScanRequest,
    Scanned, TableSettings,
};
pub use graphql::{GraphQlQuery, GraphQlSource};
pub use list::Listed;
pub(crate) use list::not_listable;
pub use odata::ODataSource;
pub use rest::{ListSettings, RestSource};

/// Longer codes of others are not repeated.
const MAX_CODE_BYTES: usize = 64;

/// Asked for the current state of an entity.
pub trait Source: Send + Sync {
    /// Reads the current state.
    fn fetch<'a>(&'a self, entity: &'a EntityKey) -> BoxFuture<'a, Result<Fetched, Error>>;

    /// Whether it can be asked at all; not where the events carry the state ([`CarriedState`]).
    fn is_readable(&self) -> bool {
        true
    }

    /// Whether [`list`](Self::list) can say which entities it has.
    fn lists(&self) -> bool {
        false
    }

    /// A page of its entities, in an order of its own. What comes or goes meanwhile may be missing or be named all the same.
    fn list<'a>(&'a self, asked: PageRequest<'a>) -> BoxFuture<'a, Result<Page<Listed>, Error>> {
        let _ = asked;
        Box::pin(async { Err(not_listable("this kind of source has no list")) })
    }
}

/// What a source answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The state; `None` if the source no longer has the entity.
    pub state: Option<Value>,
    /// The version of the state, if the source counts them.
    pub version: Option<Version>,
    /// The read certainly saw every change that was announced before it began, as a strongly consistent read of the
    /// database does that announced them. Such an answer never lags: it counts as the newest version announced.
    pub is_current: bool,
}

impl Fetched {
    /// The entity's state and its version.
    #[must_use]
    pub fn found(state: Value, version: Option<Version>) -> Self {
        Self {
            state: Some(state),
            version,
            is_current: false,
        }
    }

    /// The source no longer has the entity.
    #[must_use]
    pub fn gone() -> Self {
        Self {
            state: None,
            version: None,
            is_current: false,
        }
    }

    /// The read certainly saw every change that was announced before it.
    #[must_use]
    pub fn current(mut self) -> Self {
        self.is_current = true;
        self
    }
}

/// Whether a code that the other side names is a plain word: nothing else may reach a log.
fn is_plain_code(code: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    !code.is_empty() && code.len() <= MAX_CODE_BYTES && code.bytes().all(is_plain)
}
