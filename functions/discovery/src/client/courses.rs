//! Courses, known by organisation and number; and their runs, whose keys course-discovery makes.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use vendorbridge::Error;

use super::{Client, DRAFTS_TOO};
use crate::error::{self, Fields};
use crate::mapping::{COURSE_FIELDS, Course, RUN_FIELDS, Run};

/// What matters of a course that is there.
#[derive(Debug, Deserialize)]
struct FoundCourse {
    #[serde(default)]
    course_runs: Vec<FoundRun>,
}

/// What matters of a run that is there.
#[derive(Debug, Deserialize)]
struct FoundRun {
    key: String,
    #[serde(default)]
    external_key: Option<String>,
    #[serde(default)]
    status: String,
}

impl FoundRun {
    /// `CourseRunStatus.REVIEW_STATES`
    /// (<https://github.com/openedx/course-discovery/blob/master/course_discovery/apps/course_metadata/choices.py>).
    fn is_in_review(&self) -> bool {
        matches!(self.status.as_str(), "review_by_legal" | "review_by_internal")
    }
}

impl Client {
    /// Whether there is such a course, be it a draft.
    pub(crate) async fn has_course(&self, now: Timestamp, key: &str) -> Result<bool, Error> {
        Ok(self.course(now, key).await?.is_some())
    }

    /// Creates the course, unless it is there. Repeatable: a second addition of a key is refused. By which words is not to be relied
    /// on, so after any refusal it is looked for again.
    pub(crate) async fn ensure_course(&self, now: Timestamp, course: &Course) -> Result<(), Error> {
        if self.has_course(now, &course.key).await? {
            return Ok(());
        }
        let answer = self.write(Method::POST, &["courses"], &course.create).await?;
        match error::check(&answer, now, &of_course()) {
            Err(_)
                if answer.status == StatusCode::BAD_REQUEST && self.has_course(now, &course.key).await? =>
            {
                Ok(())
            }
            checked => checked,
        }
    }

    /// Writes these fields of the course. With `is_live`, published runs show them at once; a draft is none the worse for it.
    ///
    /// What was reviewed, and waits for its day, must be reviewed again after a change: of the runs that were `sent` there, those
    /// are sent once more.
    pub(crate) async fn update_course(
        &self,
        now: Timestamp,
        key: &str,
        metadata: &Value,
        is_live: bool,
        sent: &[(&Run, &str)],
    ) -> Result<(), Error> {
        let mut body = metadata.clone();
        if is_live {
            body["draft"] = false.into();
        }
        let answer = self.write(Method::PATCH, &["courses", key], &body).await?;
        error::check(&answer, now, &of_course())?;
        // Whether the answer has the statuses from before or from after the change, is the application's cache's.
        let runs = answer.json::<FoundCourse>().map(|course| course.course_runs);
        let waits = |found: &FoundRun| matches!(found.status.as_str(), "reviewed" | "unpublished");
        for found in runs.into_iter().flatten().filter(waits) {
            if let Some((run, run_key)) = sent.iter().find(|(_, run_key)| *run_key == found.key) {
                self.publish_run(now, run, run_key).await?;
            }
        }
        Ok(())
    }

    /// Creates a run. Not repeatable: course-discovery creates as many as it is asked for, and makes up their keys. So a failure
    /// says that it was not created only where that is certain.
    pub(crate) async fn create_run(&self, now: Timestamp, run: &Run) -> Result<String, Error> {
        let sent = self.write(Method::POST, &["course_runs"], &run.create).await;
        let created = sent.and_then(|answer| {
            error::check(&answer, now, &of_run(run))?;
            answer.json::<FoundRun>().ok_or_else(|| error::missing("key"))
        });
        created.map(|created| created.key).map_err(error::unless_certain)
    }

    /// Looks for a run among its course's: runs cannot be looked for by `external_key` themselves.
    pub(crate) async fn find_run(
        &self,
        now: Timestamp,
        course: &str,
        run: &Run,
    ) -> Result<Option<String>, Error> {
        let runs = self.course(now, course).await?.map(|course| course.course_runs);
        let is_it = |found: &FoundRun| found.external_key.as_deref() == Some(&run.external_key);
        Ok(runs.into_iter().flatten().find(is_it).map(|found| found.key))
    }

    /// Writes these fields of a run.
    pub(crate) async fn update_run(
        &self,
        now: Timestamp,
        run: &Run,
        key: &str,
        body: &Value,
    ) -> Result<(), Error> {
        let answer = self.write(Method::PATCH, &["course_runs", key], body).await?;
        match error::check(&answer, now, &of_run(run)) {
            Err(_) if answer.status == StatusCode::FORBIDDEN && self.is_in_review(now, run, key).await => {
                Err(error::in_review())
            }
            checked => checked,
        }
    }

    /// Sends a run to review, or what was changed since to those who see it. One that is in review is on its way.
    pub(crate) async fn publish_run(&self, now: Timestamp, run: &Run, key: &str) -> Result<(), Error> {
        let body = json!({"draft": false});
        let answer = self.write(Method::PATCH, &["course_runs", key], &body).await?;
        match error::check(&answer, now, &of_run(run)) {
            Err(_) if answer.status == StatusCode::FORBIDDEN && self.is_in_review(now, run, key).await => {
                Ok(())
            }
            checked => checked,
        }
    }

    /// Whether a refusal was the run's own: only its status tells that from a refused credential. If that cannot be had, it was not.
    async fn is_in_review(&self, now: Timestamp, run: &Run, key: &str) -> bool {
        let Ok(answer) = self.get(&["course_runs", key], DRAFTS_TOO).await else {
            return false;
        };
        let checked = error::check(&answer, now, &of_run(run));
        let found = checked.ok().and_then(|()| answer.json::<FoundRun>());
        found.is_some_and(|found| found.is_in_review())
    }

    async fn course(&self, now: Timestamp, key: &str) -> Result<Option<FoundCourse>, Error> {
        let answer = self.get(&["courses", key], DRAFTS_TOO).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        error::check(&answer, now, &of_course())?;
        let found = answer.json().ok_or_else(|| error::missing("course_runs"))?;
        Ok(Some(found))
    }
}

fn of_course() -> Fields {
    Fields {
        below: "/course".to_owned(),
        renamed: COURSE_FIELDS,
    }
}

fn of_run(run: &Run) -> Fields {
    Fields {
        below: run.pointer(),
        renamed: RUN_FIELDS,
    }
}
