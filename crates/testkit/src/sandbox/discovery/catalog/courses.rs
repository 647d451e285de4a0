//! Making and changing courses.

use axum::http::Method;
use serde_json::{Map, Value};

use super::{Catalog, Versions};
use crate::sandbox::discovery::{Course, Run, Status, course::Known, error::Refusal, said::Said};

impl Catalog {
    pub(in crate::sandbox::discovery) fn add_course(
        &mut self,
        body: &Map<String, Value>,
    ) -> Result<String, Refusal> {
        let key = self.make_course(body)?;
        if let Some(run) = body.get("course_run").filter(|run| !run.is_null()) {
            // One transaction: the course is not there when its run is refused.
            self.add_run_with(&key, run).inspect_err(|_| {
                self.courses.remove(&key);
            })?;
        }
        self.wrote(Method::POST, "courses", &key, body);
        Ok(key)
    }

    /// The course without its run. What somebody did by hand is not among the writes.
    pub(in crate::sandbox::discovery) fn make_course(
        &mut self,
        body: &Map<String, Value>,
    ) -> Result<String, Refusal> {
        self.check_named(body)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = text("number");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if number.is_empty() || !number.chars().all(is_plain) {
            let text = "Failed to set data: Special characters not allowed in Course Number.";
            return Err(Refusal::bad(text));
        }
        let mut course = Course::new(text("org"), number);
        let mut said = Said::new(body);
        course.fill(&mut said);
        said.check().map_err(Refusal::of_course)?;
        if let Some(there) = self.courses.get(&course.key) {
            return Err(Refusal::bad(taken(there)));
        }
        course.uuid = self.uuid();
        text("type").clone_into(&mut course.course_type);
        text("product_source").clone_into(&mut course.product_source);
        self.note(&said);
        let key = course.key.clone();
        self.courses.insert(key.clone(), Versions::of(course));
        Ok(key)
    }

    /// Everything that is missing or unknown is told at once.
    fn check_named(&self, body: &Map<String, Value>) -> Result<(), Refusal> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (org, kind, source) = (text("org"), text("type"), text("product_source"));
        let unknown = [
            ("Organization", org, self.organizations.contains(org)),
            ("Course Type", kind, self.course_types.contains_key(kind)),
            ("Product Source", source, self.sources.contains(source)),
        ];
        let unknown = unknown.into_iter().filter(|(.., is_there)| !is_there);
        let unknown = unknown.map(|(what, name, _)| format!("{what} [{name}] does not exist."));
        let required = ["title", "number", "org", "type", "product_source"].into_iter();
        let missing = required.filter(|name| body.get(*name).is_none_or(Value::is_null));
        let missing = missing.map(|name| format!("Missing value for: [{name}]."));
        let wrong: Vec<_> = missing.chain(unknown).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Refusal::bad(format!("Incorrect data sent. {}", wrong.join(" "))))
    }

    fn add_run_with(&mut self, course: &str, run: &Value) -> Result<(), Refusal> {
        let mut run = run.as_object().cloned().ok_or(Refusal::Crash)?;
        run.insert("course".to_owned(), course.into());
        let made = self.make_run(&run);
        made.map(|_| ())
            .map_err(|refusal| Refusal::bad(format!("Failed to set data: {}", refusal.text())))
    }

    pub(in crate::sandbox::discovery) fn change_course(
        &mut self,
        key: &str,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let there = self.courses.get(key).ok_or_else(Refusal::not_found)?;
        let before = there.draft.clone();
        let mut course = before.clone();
        let mut said = Said::new(body);
        let known = Known {
            types: &self.course_types,
            sources: &self.sources,
            subjects: &self.subjects,
            levels: &self.levels,
        };
        course.change(&mut said, &known);
        said.check().map_err(Refusal::of_course)?;
        self.note(&said);
        let goes_live = body.get("draft") == Some(&Value::Bool(false));
        if course != before {
            self.take_back_reviewed(key);
        }
        let has_published =
            |run: &Versions<Run>| run.draft.course == key && run.draft.status == Status::Published;
        let is_published = self.runs.iter().any(has_published);
        if let Some(there) = self.courses.get_mut(key) {
            there.draft = course;
            if goes_live && is_published {
                there.official = Some(there.draft.clone());
            }
        }
        self.wrote(Method::PATCH, "courses", key, body);
        Ok(())
    }

    /// Who changes what was reviewed has it reviewed again.
    fn take_back_reviewed(&mut self, course: &str) {
        let of_course = |run: &&mut Versions<Run>| run.draft.course == course;
        for run in self.runs.iter_mut().filter(of_course) {
            if run.draft.status == Status::Reviewed {
                run.draft.status = Status::Unpublished;
            }
        }
    }
}

/// The text depends on the database, except for a course that was published.
fn taken(course: &Versions<Course>) -> String {
    if course.official.is_some() {
        format!(
            "Failed to set data: A course with key [{}] already exists.",
            course.draft.key
        )
    } else {
        let columns =
            "course_metadata_course.partner_id, course_metadata_course.key, course_metadata_course.draft";
        format!("Failed to set data: UNIQUE constraint failed: {columns}")
    }
}
