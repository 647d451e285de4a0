//! What the application holds: people, courses and runs, as drafts and as everybody sees them.

mod courses;
mod people;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Map, Value};

use super::{Course, Person, Run, Write, said::Said};

/// A record's draft, which is written, and the official copy of it, which is there once it was published.
#[derive(Clone)]
pub(super) struct Versions<T> {
    pub(super) draft: T,
    pub(super) official: Option<T>,
}

impl<T> Versions<T> {
    fn of(draft: T) -> Self {
        Self {
            draft,
            official: None,
        }
    }

    /// What `?editable=1` shows, or what is shown without it.
    pub(super) fn seen(&self, editable: bool) -> Option<&T> {
        if editable {
            Some(&self.draft)
        } else {
            self.official.as_ref()
        }
    }
}

/// The records.
#[derive(Default)]
pub(super) struct Catalog {
    pub(super) organizations: BTreeSet<String>,
    pub(super) sources: BTreeSet<String>,
    /// uuid → slug.
    pub(super) course_types: BTreeMap<String, String>,
    pub(super) run_types: BTreeSet<String>,
    pub(super) subjects: BTreeSet<String>,
    pub(super) levels: BTreeSet<String>,
    pub(super) people: Vec<Person>,
    pub(super) courses: BTreeMap<String, Versions<Course>>,
    /// In the order of making.
    pub(super) runs: Vec<Versions<Run>>,
    pub(super) writes: Vec<Write>,
    pub(super) unknown_properties: BTreeSet<String>,
    pub(super) ids: u64,
}

impl Catalog {
    fn uuid(&mut self) -> String {
        self.ids += 1;
        format!("d15c0000-0000-4000-8000-{:012x}", self.ids)
    }

    fn note(&mut self, said: &Said<'_>) {
        self.unknown_properties.extend(said.unknown().cloned());
    }

    fn wrote(&mut self, method: Method, resource: &'static str, key: &str, body: &Map<String, Value>) {
        self.writes.push(Write {
            method,
            resource,
            key: key.to_owned(),
            fields: body.keys().cloned().collect(),
        });
    }
}
