//! The optional log of requests, for finding out what happened in a failed test.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::http::{Method, StatusCode};

use super::lock;

/// Older entries are forgotten.
const AT_MOST: usize = 10_000;

/// One request as the log keeps it: never its body, headers or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The service's name, such as `infoservice`.
    pub service: &'static str,
    /// The method.
    pub method: Method,
    /// The path below the service; a segment that is an e-mail address is replaced by `{address}`.
    pub path: String,
    /// The answer's status, `None` when there was no answer.
    pub status: Option<StatusCode>,
}

/// The last requests of all services in the order of their answers. Clones share it.
#[derive(Clone)]
pub struct RequestLog(Option<Arc<Mutex<VecDeque<Logged>>>>);

impl RequestLog {
    pub(super) fn new(on: bool) -> Self {
        Self(on.then(Arc::default))
    }

    /// What is in it, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Logged> {
        self.0
            .as_ref()
            .map(|log| lock(log).iter().cloned().collect())
            .unwrap_or_default()
    }

    pub(super) fn add(&self, entry: Logged) {
        if let Some(log) = &self.0 {
            let mut log = lock(log);
            if log.len() == AT_MOST {
                log.pop_front();
            }
            log.push_back(entry);
        }
    }
}

/// The log goes into test output, where personal data has no place.
pub(super) fn without_addresses(path: &str) -> String {
    let shown = |segment| {
        if str::contains(segment, '@') || segment.contains("%40") {
            "{address}"
        } else {
            segment
        }
    };
    path.split('/').map(shown).collect::<Vec<_>>().join("/")
}
