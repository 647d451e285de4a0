//! Open edX course-discovery, as far as people, courses and their runs go, and the LMS's token endpoint.
//!
//! Facts: measured on the application, and read in its code, `course_discovery/apps/api` in
//! <https://github.com/openedx/course-discovery>. Assumed: the texts of 401, the text about an unknown product source and
//! how an answer shows the source, that levels are found whatever their case, that uuids of people are compared as texts,
//! which course types are external, and that nothing is kept of a request that is refused.
//!
//! Left out: Basic and session authentication, PUT, searches by `q`, the cache of answers, editors and rights of users (who is
//! no staff is only throttled), prices by a type's modes (any mode is kept), Studio, `bulk_operation_tasks`, and the half of
//! a review that is done over the API ([`Discovery::finish_review`] does it). Messages about a member's own members are one
//! text.
//!
//! Faults and counts know a request by its method and resource, `POST courses`, a PATCH also by what it is for, `metadata`,
//! `staff` and `publish`, and by what it is about: a course's or run's key, a run's `external_key`, a person's uuid and
//! name. The token endpoint is `POST access_token`.

mod by_hand;
mod catalog;
mod course;
mod error;
mod gate;
mod list;
mod metadata;
mod person;
mod routes;
mod run;
mod said;
mod show;
mod subject;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::Method, response::IntoResponse};
use jiff::Timestamp;

use self::{
    catalog::Catalog,
    error::Refusal,
    gate::{Client, Gate},
};
pub use self::{
    course::Course,
    person::{Expertise, Person, PersonUrl, Position},
    run::{Run, Status},
};
use super::{
    Faults, SandboxConfig,
    desk::{Desk, Rules, Shared},
    lock,
};

/// The organisation that there is: its key.
pub const ORGANIZATION: &str = "ACME";
/// The product source that there is: its slug.
pub const PRODUCT_SOURCE: &str = "acme-exec";
/// The course type that there is, an external one: its uuid.
pub const COURSE_TYPE: &str = "5a3c1f0e-6d2b-4f7a-9c1d-2e8b7a604c11";
/// The run type that there is: its uuid.
pub const RUN_TYPE: &str = "b7e94d62-0f13-4c58-8a2e-91d5c3f07a22";
/// The subjects that there are: their slugs.
pub const SUBJECTS: [&str; 4] = ["business-management", "computer-science", "design", "marketing"];
/// The levels that there are.
pub const LEVELS: [&str; 3] = ["Introductory", "Intermediate", "Advanced"];
/// Requests that a user without staff rights has in an hour.
pub const REQUESTS_PER_HOUR: usize = 200;

/// Where the sandbox has it.
pub(super) const MOUNT: &str = "/discovery";
/// The slug of the default course type: executive education, which is external.
const COURSE_TYPE_SLUG: &str = "executive-education-2u";
/// Bigger bodies are the proxy's to refuse; images are base64 in JSON.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The application's handle; clones share the service.
#[derive(Clone)]
pub struct Discovery {
    client: Arc<Client>,
    desk: Arc<Desk>,
    catalog: Arc<Mutex<Catalog>>,
    gate: Arc<Mutex<Gate>>,
}

/// A write that was done, whether its caller heard of it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// `POST`, `PATCH` or `DELETE`.
    pub method: Method,
    /// `people`, `courses` or `course_runs`.
    pub resource: &'static str,
    /// The record's key or uuid.
    pub key: String,
    /// The names of the members that were sent.
    pub fields: BTreeSet<String>,
}

impl Discovery {
    pub(super) fn new(config: &SandboxConfig, shared: &Arc<Shared>) -> Self {
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect();
        let catalog = Catalog {
            organizations: [config.discovery_organization.clone()].into(),
            sources: [config.discovery_product_source.clone()].into(),
            course_types: [(config.discovery_course_type.clone(), COURSE_TYPE_SLUG.to_owned())].into(),
            run_types: [config.discovery_run_type.clone()].into(),
            subjects: texts(&SUBJECTS),
            levels: texts(&LEVELS),
            ..Catalog::default()
        };
        let catalog = Arc::new(Mutex::new(catalog));
        let known = catalog.clone();
        let rules = Rules {
            service: "discovery",
            connections: None,
            body_limit: BODY_LIMIT,
            refuse: |status, detail| Refusal::Detail(status, detail.to_owned()).into_response(),
            subjects: Box::new(move |path, body| subject::of(&lock(&known), path, body)),
        };
        Self {
            client: Arc::new(Client {
                id: config.discovery_client_id.clone(),
                secret: config.discovery_client_secret.clone(),
            }),
            desk: Desk::new(rules, shared),
            catalog,
            gate: Arc::default(),
        }
    }

    pub(super) fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// All people; oldest first.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        lock(&self.catalog).people.clone()
    }

    /// A person by its uuid.
    #[must_use]
    pub fn person(&self, uuid: &str) -> Option<Person> {
        lock(&self.catalog).person(uuid).cloned()
    }

    /// How many people have this name, first and last: more than one is a person made twice.
    #[must_use]
    pub fn how_many_people_named(&self, name: &str) -> usize {
        let people = self.people();
        people.iter().filter(|person| person.name() == name).count()
    }

    /// The drafts of all courses, by key.
    #[must_use]
    pub fn courses(&self) -> Vec<Course> {
        let catalog = lock(&self.catalog);
        catalog
            .courses
            .values()
            .map(|course| course.draft.clone())
            .collect()
    }

    /// A course's draft.
    #[must_use]
    pub fn course(&self, key: &str) -> Option<Course> {
        let catalog = lock(&self.catalog);
        catalog.courses.get(key).map(|course| course.draft.clone())
    }

    /// A course as everybody sees it, once one of its runs was published.
    #[must_use]
    pub fn official_course(&self, key: &str) -> Option<Course> {
        let catalog = lock(&self.catalog);
        catalog.courses.get(key)?.official.clone()
    }

    /// The drafts of all runs, oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let catalog = lock(&self.catalog);
        catalog.runs.iter().map(|run| run.draft.clone()).collect()
    }

    /// The drafts of a course's runs, oldest first.
    #[must_use]
    pub fn runs_of(&self, course: &str) -> Vec<Run> {
        let mut runs = self.runs();
        runs.retain(|run| run.course == course);
        runs
    }

    /// A run's draft.
    #[must_use]
    pub fn run(&self, key: &str) -> Option<Run> {
        lock(&self.catalog).run(key).map(|run| run.draft.clone())
    }

    /// A run as everybody sees it, once it was published.
    #[must_use]
    pub fn official_run(&self, key: &str) -> Option<Run> {
        lock(&self.catalog).run(key)?.official.clone()
    }

    /// What was written over the API, oldest first.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        lock(&self.catalog).writes.clone()
    }

    /// Members of bodies that the fake does not know: ignored, and perhaps misspelt.
    #[must_use]
    pub fn unknown_properties(&self) -> BTreeSet<String> {
        lock(&self.catalog).unknown_properties.clone()
    }

    /// Whether the user has staff rights, and so no limit; else it has [`REQUESTS_PER_HOUR`]. Default: yes.
    pub fn set_staff(&self, staff: bool) {
        lock(&self.gate).limit = (!staff).then_some(REQUESTS_PER_HOUR);
    }

    /// Lets every token given so far end now.
    pub fn expire_tokens(&self) {
        let now = self.now();
        lock(&self.gate).expire_all(now);
    }

    /// Tokens given so far.
    #[must_use]
    pub fn tokens_issued(&self) -> u64 {
        lock(&self.gate).issued
    }

    /// The most requests to the API that came within a second so far, refused and broken ones included.
    #[must_use]
    pub fn peak_per_second(&self) -> usize {
        lock(&self.gate).peak
    }

    /// Its fault plan.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.desk.faults
    }

    /// Requests received, for tokens too, refused and broken ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.desk.calls()
    }

    /// [`calls`](Self::calls) about one subject: `POST courses`, a key, a person's name.
    #[must_use]
    pub fn calls_for(&self, subject: &str) -> u64 {
        self.desk.calls_for(subject)
    }

    /// The most requests that were there at a time.
    #[must_use]
    pub fn max_concurrent(&self) -> usize {
        self.desk.max_concurrent()
    }

    /// Every request from now on takes at least this long.
    pub fn latency(&self, latency: Duration) {
        self.desk.set_latency(latency);
    }

    fn now(&self) -> Timestamp {
        self.desk.shared.clock.now()
    }
}
