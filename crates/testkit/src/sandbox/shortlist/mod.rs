//! The backend of a web shop that serves its users' shortlists (saved items) over GraphQL. No public system has this contract;
//! it is ours. Queries are parsed, validated and executed by a GraphQL server, over HTTP as
//! <https://graphql.github.io/graphql-over-http/draft/> has it, with automatic persisted queries as
//! <https://www.apollographql.com/docs/apollo-server/performance/apq> has them.

mod http;
mod schema;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use self::schema::Schema;
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared},
    lock,
};

const BODY_LIMIT: usize = 64 * 1024;

/// The backend's handle; clones share the service.
#[derive(Clone)]
pub struct Shortlists {
    token: Arc<str>,
    desk: Arc<Desk>,
    store: Store,
    schema: Schema,
}

/// A saved list of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShortlist {
    /// The list's id.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// What the user called it.
    pub name: Option<String>,
    /// The articles, in the user's order.
    pub items: Vec<String>,
}

impl NewShortlist {
    /// A list of these articles.
    #[must_use]
    pub fn of(id: &str, items: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            user_id: "auth0|679fb1b1e809445f129bc18d".to_owned(),
            name: None,
            items: items.iter().map(|&item| item.to_owned()).collect(),
        }
    }
}

/// What the backend knows. Clones share it.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lists: BTreeMap<String, Kept>,
    without_prices: bool,
    /// The queries that were sent in full with their hash.
    known_queries: BTreeMap<String, String>,
    refuses_hashes: bool,
    queries_in_full: u64,
    reads: BTreeMap<String, u64>,
}

/// A removed list stays known, so that revisions never repeat.
#[derive(Default)]
struct Kept {
    revision: u64,
    list: Option<NewShortlist>,
}

impl Shortlists {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> Self {
        let store = Store::default();
        let rules = Rules {
            service: "shortlist",
            connections: None,
            body_limit: BODY_LIMIT,
            refuse: http::refuse,
            subjects: Box::new(|_, body| {
                let body: Option<Value> = serde_json::from_slice(body).ok();
                let id = body
                    .as_ref()
                    .and_then(|body| body.pointer("/variables/id")?.as_str());
                id.map(str::to_owned).into_iter().collect()
            }),
        };
        Self {
            token: config.shortlist_token.as_str().into(),
            desk: Desk::new(rules, shared),
            schema: schema::schema(store.clone()),
            store,
        }
    }

    /// Changes a list, and says its new revision. The first is 1.
    #[expect(clippy::must_use_candidate, reason = "most callers only want the change")]
    pub fn put(&self, list: NewShortlist) -> u64 {
        let mut state = lock(&self.store.0);
        let kept = state.lists.entry(list.id.clone()).or_default();
        kept.revision += 1;
        kept.list = Some(list);
        kept.revision
    }

    /// Removes a list, and says whether there was one.
    #[expect(clippy::must_use_candidate, reason = "most callers know that there is one")]
    pub fn remove(&self, id: &str) -> bool {
        let mut state = lock(&self.store.0);
        state
            .lists
            .get_mut(id)
            .is_some_and(|kept| kept.list.take().is_some())
    }

    /// Whether the prices cannot be had from now on: they are missing, each with an error, next to whole lists.
    pub fn without_prices(&self, without: bool) {
        lock(&self.store.0).without_prices = without;
    }

    /// Whether hashes instead of queries are refused from now on, as by a server without persisted queries.
    pub fn refuse_hashes(&self, refuse: bool) {
        lock(&self.store.0).refuses_hashes = refuse;
    }

    /// Requests that brought the whole query.
    #[must_use]
    pub fn queries_in_full(&self) -> u64 {
        lock(&self.store.0).queries_in_full
    }

    /// How often a list was looked up, also when there is none.
    #[must_use]
    pub fn reads_of(&self, id: &str) -> u64 {
        lock(&self.store.0).reads.get(id).copied().unwrap_or_default()
    }

    /// Its fault plan. `Fault::Status(200)` is an answer of 200 with an error in it.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.desk.faults
    }

    /// Requests received, refused and broken ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.desk.calls()
    }
}
