//! A question, answered and noted in the log.

use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::invocation::Unusable;
use crate::ask::{Answer, Question};
use crate::engine::Engine;
use crate::ledger::ErrorRecord;
use crate::{Error, ErrorKind, Stage};

/// Lambda returns no more than 6 MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_ANSWER_BYTES: usize = 6_000_000;

pub(super) async fn answer(
    engine: &Engine,
    question: Value,
    deadline: Timestamp,
) -> Result<Box<RawValue>, Unusable> {
    let begun = Instant::now();
    let (kind, answer) = match serde_json::from_value::<Question>(question) {
        Ok(question) => (kind(&question), engine.answer(&question, deadline).await),
        Err(error) => {
            let message = format!("expected a question that this version knows, found another: {error}");
            ("unknown", failed(message))
        }
    };
    let mut sent = to_raw_value(&answer).map_err(|_| Unusable::Answer)?;
    let mut records = records(&answer);
    if sent.get().len() > MAX_ANSWER_BYTES {
        let found = sent.get().len();
        let message = format!(
            "expected an answer of at most {MAX_ANSWER_BYTES} bytes, found {found}: ask for fewer at once"
        );
        sent = to_raw_value(&failed(message)).map_err(|_| Unusable::Answer)?;
        records = None;
    }
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: "vendorbridge", kind, took_ms, records, "ask.answered");
    Ok(sent)
}

fn kind(question: &Question) -> &'static str {
    match question {
        Question::Describe => "describe",
        Question::Preview { .. } => "preview",
        Question::SourcePage { .. } => "source-page",
        Question::VendorPage { .. } => "vendor-page",
    }
}

/// How many; nothing where there is no answer.
fn records(answer: &Answer) -> Option<usize> {
    match answer {
        Answer::Describe(description) => Some(description.entities.len()),
        Answer::Preview { entities } => Some(entities.len()),
        Answer::SourcePage(page) => Some(page.records.len()),
        Answer::VendorPage(page) => Some(page.records.len()),
        Answer::Failed { .. } => None,
    }
}

fn failed(message: String) -> Answer {
    let error = Error::permanent(ErrorKind::Invalid, Stage::Intake, message);
    Answer::Failed {
        error: ErrorRecord::from(&error),
    }
}
