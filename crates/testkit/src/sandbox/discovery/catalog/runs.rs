//! Making, changing and publishing runs.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

use super::{Catalog, Versions};
use crate::sandbox::discovery::{Run, Status, error::Refusal, run::Known, said::Said};

impl Catalog {
    pub(in crate::sandbox::discovery) fn add_run(
        &mut self,
        body: &Map<String, Value>,
    ) -> Result<String, Refusal> {
        let key = self.make_run(body)?;
        self.wrote(Method::POST, "course_runs", &key, body);
        Ok(key)
    }

    pub(super) fn make_run(&mut self, body: &Map<String, Value>) -> Result<String, Refusal> {
        let mut said = Said::new(body);
        let Some(course) = body
            .get("course")
            .and_then(Value::as_str)
            .filter(|key| !key.is_empty())
        else {
            said.refuse("course", "This field is required.");
            said.check()?;
            return Err(Refusal::Crash);
        };
        let Some(course) = self.courses.get(course).map(|course| course.draft.clone()) else {
            let text = "Failed to set course run data: Course matching query does not exist.";
            return Err(Refusal::bad(text));
        };
        let mut run = Run::new(&course.key);
        run.fill(&mut said, &self.known_of_runs());
        said.check()?;
        self.note(&said);
        let again = body.get("rerun").and_then(Value::as_str);
        if let Some(first) = self.canonical_run(&course.key, again) {
            // What the application does for a rerun, and every run after a course's first one is a rerun.
            let first = first.clone();
            (run.min_effort, run.max_effort) = (first.min_effort, first.max_effort);
            (run.weeks_to_complete, run.staff) = (first.weeks_to_complete, first.staff);
        }
        run.uuid = self.uuid();
        run.key = format!(
            "course-v1:{}+{}",
            course.key,
            self.free_term(&course.number, run.start)
        );
        let key = run.key.clone();
        self.runs.push(Versions::of(run));
        Ok(key)
    }

    /// What is wrong is said before that the run is in review.
    pub(in crate::sandbox::discovery) fn change_run(
        &mut self,
        key: &str,
        body: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let there = self.run(key).ok_or_else(Refusal::not_found)?;
        let before = there.draft.clone();
        let mut run = before.clone();
        let mut said = Said::new(body);
        run.change(&mut said, &self.known_of_runs());
        said.check()?;
        if run.status.is_in_review() {
            let text = "Course run is in review. Editing disabled.".to_owned();
            return Err(Refusal::Text(StatusCode::FORBIDDEN, text));
        }
        if ["has_ofac_restrictions", "ofac_comment"]
            .iter()
            .any(|name| body.contains_key(*name))
        {
            return Err(Refusal::bad("Invalid parameter"));
        }
        self.note(&said);
        let goes_live = body.get("draft") == Some(&Value::Bool(false));
        if run.status == Status::Reviewed && run != before {
            run.status = Status::Unpublished;
        }
        if goes_live && run.status == Status::Unpublished {
            run.status = Status::LegalReview;
        }
        let republish = run.status == Status::Reviewed || (goes_live && run.status == Status::Published);
        if let Some(there) = self.run_mut(key) {
            there.draft = run;
            if republish {
                there.official = Some(there.draft.clone());
            }
        }
        self.wrote(Method::PATCH, "course_runs", key, body);
        Ok(())
    }

    /// Publishes a run, and with it its course.
    pub(in crate::sandbox::discovery) fn publish(&mut self, key: &str) -> bool {
        let Some(run) = self.run_mut(key) else {
            return false;
        };
        run.draft.status = Status::Published;
        run.official = Some(run.draft.clone());
        let course = run.draft.course.clone();
        if let Some(course) = self.courses.get_mut(&course) {
            course.official = Some(course.draft.clone());
        }
        true
    }

    pub(in crate::sandbox::discovery) fn run(&self, key: &str) -> Option<&Versions<Run>> {
        self.runs.iter().find(|run| run.draft.key == key)
    }

    pub(in crate::sandbox::discovery) fn run_mut(&mut self, key: &str) -> Option<&mut Versions<Run>> {
        self.runs.iter_mut().find(|run| run.draft.key == key)
    }

    /// The run that reruns are made from: the one named, else the course's first.
    fn canonical_run(&self, course: &str, named: Option<&str>) -> Option<&Run> {
        let mut of_course = self
            .runs
            .iter()
            .map(|run| &run.draft)
            .filter(|run| run.course == course);
        match named {
            Some(key) => self.run(key).map(|run| &run.draft),
            None => of_course.next(),
        }
    }

    fn known_of_runs(&self) -> Known<'_> {
        Known {
            run_types: &self.run_types,
            people: &self.people,
        }
    }

    /// Trimester and year of the start, and a letter if any run with this number in its key has it.
    fn free_term(&self, number: &str, start: Timestamp) -> String {
        let start = start.to_zoned(TimeZone::UTC);
        let term = format!("{}T{}", (start.month() + 3) / 4, start.year());
        let terms: BTreeSet<_> = self
            .runs
            .iter()
            .filter(|run| run.draft.key.contains(number))
            .filter_map(|run| run.draft.key.rsplit('+').next())
            .collect();
        // Behind z it goes on as the characters do.
        let letters = ('a'..=char::MAX).map(|letter| format!("{term}{letter}"));
        let mut candidates = std::iter::once(term.clone()).chain(letters);
        let free = candidates.find(|candidate| !terms.contains(candidate.as_str()));
        free.unwrap_or(term)
    }
}
