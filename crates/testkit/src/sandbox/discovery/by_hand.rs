//! What people do at the application itself, and tests do for them.

use serde_json::{Map, Value, json};

use super::{Discovery, Status, error::Refusal};
use crate::sandbox::lock;

impl Discovery {
    /// Adds an organisation by its key.
    pub fn add_organization(&self, key: &str) {
        lock(&self.catalog).organizations.insert(key.to_owned());
    }

    /// Adds a product source by its slug.
    pub fn add_source(&self, slug: &str) {
        lock(&self.catalog).sources.insert(slug.to_owned());
    }

    /// Adds a course type. Only courses of the types `executive-education-2u` and `bootcamp-2u` are external and keep
    /// `additional_metadata`.
    pub fn add_course_type(&self, uuid: &str, slug: &str) {
        let mut catalog = lock(&self.catalog);
        catalog.course_types.insert(uuid.to_owned(), slug.to_owned());
    }

    /// Adds a run type by its uuid.
    pub fn add_run_type(&self, uuid: &str) {
        lock(&self.catalog).run_types.insert(uuid.to_owned());
    }

    /// Adds a subject by its slug.
    pub fn add_subject(&self, slug: &str) {
        lock(&self.catalog).subjects.insert(slug.to_owned());
    }

    /// Ends a run's review: it and its course are published. Answers with whether there is such a run.
    #[expect(clippy::must_use_candidate, reason = "most callers know that there is one")]
    pub fn finish_review(&self, key: &str) -> bool {
        lock(&self.catalog).publish(key)
    }

    /// Puts a run somewhere else in its review by hand. Answers with whether there is such a run.
    #[expect(clippy::must_use_candidate, reason = "most callers know that there is one")]
    pub fn set_status(&self, key: &str, status: Status) -> bool {
        let mut catalog = lock(&self.catalog);
        let run = catalog.run_mut(key);
        run.map(|run| run.draft.status = status).is_some()
    }

    /// Adds a person by hand; answers with its uuid.
    ///
    /// # Panics
    ///
    /// When there is no given name: a mistake in the test.
    #[must_use]
    pub fn add_person(&self, given_name: &str, family_name: &str) -> String {
        let said = json!({
            "given_name": given_name, "family_name": family_name, "position": {"title": "Instructor"},
        });
        done(lock(&self.catalog).make_person(&members(said))).uuid
    }

    /// Adds a course of the first type and source by hand; answers with its key.
    ///
    /// # Panics
    ///
    /// When it is refused, as there is no such organisation, or this number already: a mistake in the test.
    #[expect(clippy::must_use_candidate, reason = "most callers know the key")]
    pub fn add_course(&self, organization: &str, number: &str, title: &str) -> String {
        let mut catalog = lock(&self.catalog);
        let said = json!({
            "number": number, "title": title, "org": organization,
            "type": catalog.course_types.keys().next(), "product_source": catalog.sources.first(),
        });
        done(catalog.make_course(&members(said)))
    }
}

fn members(said: Value) -> Map<String, Value> {
    match said {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// What is done by hand and refused is a mistake in the test.
fn done<T>(result: Result<T, Refusal>) -> T {
    result.unwrap_or_else(|refusal| panic!("{}", refusal.text()))
}
