//! Answers that are no success: problem details (<https://www.rfc-editor.org/rfc/rfc9457>).

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::events::StepView;

/// What went wrong, for the caller.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    /// For the log and for programs: one word for each kind of problem.
    pub(crate) code: &'static str,
    detail: String,
    #[serde(skip)]
    retry_after: Option<u32>,
    #[serde(skip)]
    because: Option<String>,
    #[serde(flatten)]
    more: Box<More>,
}

/// Members that a kind of problem has beside the usual ones.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum More {
    /// None.
    Nothing {},
    /// What is wrong with the body, all of it.
    Violations {
        /// In the body's order.
        violations: Vec<Violation>,
    },
    /// What of the request was done, and what was not.
    Parts {
        /// What need not be sent again.
        accepted: Vec<Accepted>,
        /// What is to be sent again.
        failed: Vec<Failed>,
    },
    /// What failed at the vendor, and what was done before that.
    Failure {
        /// The event.
        id: String,
        /// Where to ask for it again.
        href: String,
        /// The exact point.
        point_of_failure: PointOfFailure,
        /// The steps that were completed.
        done: Vec<StepView>,
        /// Those that were not.
        not_done: Vec<String>,
        /// What becomes of it.
        retry: Retry,
    },
    /// What a person can bring to the vendor in another way.
    Row {
        /// Its columns.
        row: Value,
        /// The same as CSV, with a header.
        csv: String,
    },
}

/// Where a plan failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PointOfFailure {
    /// The entity.
    pub(crate) entity: String,
    /// The step of its plan; the station of the engine where it failed outside of the plan.
    pub(crate) step: String,
    /// A JSON Pointer into the event that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// The status of the vendor's answer, if it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vendor_status: Option<u16>,
    /// Its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vendor_code: Option<String>,
    /// Its words, or ours where it had none.
    pub(crate) vendor_message: String,
}

/// What becomes of what failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Retry {
    /// It is tried again without anybody's doing.
    pub(crate) will_be_retried: bool,
    /// When, at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Timestamp>,
}

/// A place in the body, what was expected there and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    /// The event's place in the body, from 0, where it is one event's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<usize>,
    /// A JSON Pointer; into XML as if it were JSON.
    pub(crate) pointer: String,
    /// What should be there.
    pub(crate) expected: String,
    /// What is there.
    pub(crate) found: String,
}

/// An event that is on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Accepted {
    /// The event's place in the body, from 0.
    pub(crate) index: usize,
    /// The id that the bus gave it.
    pub(crate) event_id: String,
    /// The object that it is about.
    pub(crate) object: String,
}

/// An event that is not on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Failed {
    /// The event's place in the body, from 0.
    pub(crate) index: usize,
    /// The bus's code.
    pub(crate) code: String,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    #[serde(flatten)]
    problem: &'a Problem,
}

impl Problem {
    /// A problem with this answer's status.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            retry_after: None,
            because: None,
            more: Box::new(More::Nothing {}),
        }
    }

    /// What the body says is not what was expected.
    pub(crate) fn violations(violations: Vec<Violation>) -> Self {
        let detail = "nothing was taken: `violations` says what is wrong with the body";
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        let more = Box::new(More::Violations { violations });
        Self { more, ..problem }
    }

    /// The same with more members.
    pub(crate) fn with(self, more: More) -> Self {
        let more = Box::new(more);
        Self { more, ..self }
    }

    /// The same, with what the log is told besides.
    pub(crate) fn because(self, code: &str) -> Self {
        let because = Some(code.to_owned());
        Self { because, ..self }
    }

    /// The same of the event at this place of an array.
    pub(crate) fn of_index(mut self, at: usize) -> Self {
        if let More::Violations { violations } = &mut *self.more {
            for violation in violations {
                violation.index = Some(at);
            }
        }
        self
    }

    /// The answer's status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// It is about an event that was accepted.
    pub(crate) fn is_of_accepted(&self) -> bool {
        matches!(*self.more, More::Failure { .. })
    }

    /// The body.
    pub(crate) fn body(&self) -> Value {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            problem: self,
        };
        serde_json::to_value(&body).unwrap_or_default()
    }

    /// The same with the seconds after which a repeat makes sense.
    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        let retry_after = Some(seconds);
        Self { retry_after, ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body().to_string()).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, problem);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Code {
            code: self.code,
            because: self.because,
        });
        response
    }
}

/// A problem's code, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) code: &'static str,
    /// The code of what stood in the way.
    pub(crate) because: Option<String>,
}
