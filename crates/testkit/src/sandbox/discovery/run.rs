//! A course's runs.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Person;
use super::said::{Said, amount_or_null, moment, moment_or_null, number_or_null, text, text_or_null, texts};

/// Where a run stands between draft and shop window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A draft.
    Unpublished,
    /// Sent to review.
    LegalReview,
    /// The review's second half.
    InternalReview,
    /// To be published on its day.
    Reviewed,
    /// Seen by everybody.
    Published,
}

impl Status {
    /// As it is on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unpublished => "unpublished",
            Self::LegalReview => "review_by_legal",
            Self::InternalReview => "review_by_internal",
            Self::Reviewed => "reviewed",
            Self::Published => "published",
        }
    }

    pub(super) fn is_in_review(self) -> bool {
        matches!(self, Self::LegalReview | Self::InternalReview)
    }
}

/// A run as the application holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// `course-v1:<organisation>+<number>+<term>`.
    pub key: String,
    /// Made by the application.
    pub uuid: String,
    /// The course's key.
    pub course: String,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// The uuid of its type.
    pub run_type: String,
    /// Where it stands.
    pub status: Status,
    /// `instructor_paced` or `self_paced`.
    pub pacing_type: Option<String>,
    /// Hours a week at least.
    pub min_effort: Option<u64>,
    /// Hours a week at most.
    pub max_effort: Option<u64>,
    /// How long it takes.
    pub weeks_to_complete: Option<u64>,
    /// Until when one can enrol.
    pub enrollment_end: Option<Timestamp>,
    /// The uuids of its staff, in order.
    pub staff: Vec<String>,
    /// What others know it by.
    pub external_key: Option<String>,
    /// What the partner knows it by.
    pub variant_id: Option<String>,
    /// The enterprise price.
    pub fixed_price_usd: Option<Decimal>,
    /// `custom-b2b-enterprise` or `custom-b2c`.
    pub restriction_type: Option<String>,
}

/// What runs are checked against.
pub(super) struct Known<'a> {
    pub(super) run_types: &'a BTreeSet<String>,
    pub(super) people: &'a [Person],
}

impl Run {
    /// A run that has its course, and neither key nor uuid yet.
    pub(super) fn new(course: &str) -> Self {
        Self {
            key: String::new(),
            uuid: String::new(),
            course: course.to_owned(),
            start: Timestamp::UNIX_EPOCH,
            end: Timestamp::UNIX_EPOCH,
            run_type: String::new(),
            status: Status::Unpublished,
            pacing_type: Some("instructor_paced".to_owned()),
            min_effort: None,
            max_effort: None,
            weeks_to_complete: None,
            enrollment_end: None,
            staff: Vec::new(),
            external_key: None,
            variant_id: None,
            fixed_price_usd: None,
            restriction_type: None,
        }
    }

    /// What `POST course_runs/` says.
    pub(super) fn fill(&mut self, said: &mut Said<'_>, known: &Known<'_>) {
        for name in ["start", "end"] {
            said.require(name, moment);
        }
        said.require("run_type", text);
        said.set("variant_id", text_or_null, &mut self.variant_id);
        self.read(said, known);
    }

    /// What `PATCH course_runs/{key}/` says. `variant_id` is ignored.
    pub(super) fn change(&mut self, said: &mut Said<'_>, known: &Known<'_>) {
        said.know(&["variant_id"]);
        let course = said.take("course", text);
        if course.is_some_and(|course| course != self.course) {
            said.refuse("course", "Course cannot be changed for an existing course run");
        }
        self.read(said, known);
    }

    fn read(&mut self, said: &mut Said<'_>, known: &Known<'_>) {
        said.set("start", moment, &mut self.start);
        said.set("end", moment, &mut self.end);
        said.set("enrollment_end", moment_or_null, &mut self.enrollment_end);
        said.set("min_effort", number_or_null, &mut self.min_effort);
        said.set("max_effort", number_or_null, &mut self.max_effort);
        said.set("weeks_to_complete", number_or_null, &mut self.weeks_to_complete);
        said.set("external_key", text_or_null, &mut self.external_key);
        said.set("fixed_price_usd", amount_or_null, &mut self.fixed_price_usd);
        said.set("restriction_type", text_or_null, &mut self.restriction_type);
        let pacing = |value: &Value| match text_or_null(value)?.as_deref() {
            Some(other) if !matches!(other, "instructor_paced" | "self_paced") => {
                Err(format!("\"{other}\" is not a valid choice."))
            }
            pacing => Ok(pacing.map(str::to_owned)),
        };
        said.set("pacing_type", pacing, &mut self.pacing_type);
        let run_type = |value: &Value| {
            let uuid = text(value)?;
            let is_one = known.run_types.contains(&uuid);
            is_one.then_some(uuid.clone()).ok_or_else(|| unknown(&uuid))
        };
        said.set("run_type", run_type, &mut self.run_type);
        let staff = |value: &Value| {
            let uuids = texts(value)?;
            match uuids
                .iter()
                .find(|uuid| !known.people.iter().any(|person| person.uuid == **uuid))
            {
                Some(nobody) => Err(unknown(nobody)),
                None => Ok(uuids),
            }
        };
        said.set("staff", staff, &mut self.staff);
        said.know(&[
            "course",
            "term",
            "rerun",
            "draft",
            "prices",
            "status",
            "title",
            "go_live_date",
        ]);
        said.know(&[
            "enrollment_start",
            "content_language",
            "transcript_languages",
            "seats",
            "key",
        ]);
        if self.start > self.end {
            said.refuse("start", "Start date cannot be after the End date");
        }
        match (self.min_effort, self.max_effort) {
            (Some(min), Some(max)) if min > max && min > 0 && max > 0 => {
                said.refuse(
                    "min_effort",
                    "Minimum effort cannot be greater than Maximum effort",
                );
            }
            (Some(min), Some(max)) if min == max && min > 0 => {
                said.refuse(
                    "min_effort",
                    "Minimum effort and Maximum effort cannot be the same",
                );
            }
            _ => {}
        }
    }

    pub(super) fn to_json(&self, draft: bool, staff: &[Value], title: &str) -> Value {
        json!({
            "key": self.key, "uuid": self.uuid, "title": title, "course": self.course, "draft": draft,
            "status": self.status.as_str(), "start": self.start, "end": self.end,
            "enrollment_end": self.enrollment_end, "pacing_type": self.pacing_type, "run_type": self.run_type,
            "min_effort": self.min_effort, "max_effort": self.max_effort,
            "weeks_to_complete": self.weeks_to_complete, "external_key": self.external_key,
            "variant_id": self.variant_id, "restriction_type": self.restriction_type,
            "fixed_price_usd": self.fixed_price_usd.map(|price| format!("{price:.2}")), "staff": staff,
            "instructors": [],
        })
    }
}

fn unknown(uuid: &str) -> String {
    format!("Object with uuid={uuid} does not exist.")
}
