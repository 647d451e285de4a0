//! Asks a vendor's function a question, past its queue (docs/adr/0020-questions-to-a-vendors-function.md).

use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;
use vendorbridge::EntityKey;
use vendorbridge::ask::{
    Answer, Asked, Description, Kept, Page, Preview, Question, SourceRecord, VendorEntry,
};

use crate::CliError;
use crate::session::Session;

const ACTION: &str = "asking the vendor's function";

/// Asks the function of `vendor`.
///
/// # Errors
/// If there is no such vendor, its function may not be invoked or does not understand the question, or it answers that it failed.
pub async fn ask(session: &Session, vendor: &str, question: Question) -> Result<Answer, CliError> {
    session.deployment.chosen(Some(vendor))?;
    let name = session.deployment.outputs.get(&format!("FunctionName{vendor}"));
    let name = name.ok_or_else(|| CliError::Unanswered {
        vendor: vendor.to_owned(),
        found: "no output `FunctionName` of the stack".to_owned(),
    })?;
    let asked = serde_json::to_vec(&Asked { ask: question }).map_err(CliError::Json)?;
    let answer = session
        .lambda()
        .invoke()
        .function_name(name)
        .payload(Blob::new(asked))
        .send()
        .await
        .map_err(|error| CliError::of_sdk(ACTION, &error))?;
    let payload = answer.payload().map_or(&[][..], AsRef::as_ref);
    understood(vendor, answer.function_error(), payload)
}

/// What an invocation came to.
fn understood(vendor: &str, function_error: Option<&str>, payload: &[u8]) -> Result<Answer, CliError> {
    let unanswered = |found: String| CliError::Unanswered {
        vendor: vendor.to_owned(),
        found,
    };
    if let Some(error) = function_error {
        // The payload has the runtime's words, which may quote what it was working on: they stay in the function's log.
        let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
        let kind = payload["errorType"].as_str().unwrap_or("no type");
        return Err(unanswered(format!("that it crashed ({error}, {kind})")));
    }
    match serde_json::from_slice(payload) {
        Ok(Answer::Failed { error }) => Err(CliError::Answered {
            vendor: vendor.to_owned(),
            kind: error.kind,
            code: error.code,
            message: error.message,
            is_passing: error.verdict == "retry",
        }),
        Ok(answer) => Ok(answer),
        Err(_) => Err(unanswered("another".to_owned())),
    }
}

/// What the function keeps, and whether it reaches what it needs.
///
/// # Errors
/// As [`ask`].
pub async fn describe(session: &Session, vendor: &str) -> Result<Description, CliError> {
    match ask(session, vendor, Question::Describe).await? {
        Answer::Describe(description) => Ok(description),
        _ => Err(another(vendor)),
    }
}

/// A type was asked for that the vendor's function does not keep.
pub(crate) fn unknown_type(kept: &[Kept], found: &str) -> CliError {
    let known: Vec<_> = kept.iter().map(|kept| kept.entity_type.as_str()).collect();
    CliError::Usage(format!(
        "expected one of the types {}, found `{found}`",
        known.join(", ")
    ))
}

/// What would be sent for each of at most [`MAX_PREVIEWS`](vendorbridge::ask::MAX_PREVIEWS) entities, in their order.
///
/// # Errors
/// As [`ask`].
pub async fn preview(
    session: &Session,
    vendor: &str,
    entities: Vec<EntityKey>,
) -> Result<Vec<Preview>, CliError> {
    match ask(session, vendor, Question::Preview { entities }).await? {
        Answer::Preview { entities } => Ok(entities),
        _ => Err(another(vendor)),
    }
}

/// A page of the source's entities of a type.
///
/// # Errors
/// As [`ask`].
pub async fn source_page(
    session: &Session,
    vendor: &str,
    entity_type: &str,
    page: Option<String>,
    limit: u32,
    with_fields: bool,
) -> Result<Page<SourceRecord>, CliError> {
    let question = Question::SourcePage {
        entity_type: entity_type.to_owned(),
        page,
        limit,
        with_fields,
    };
    match ask(session, vendor, question).await? {
        Answer::SourcePage(page) => Ok(page),
        _ => Err(another(vendor)),
    }
}

/// A page of the vendor's records of a type.
///
/// # Errors
/// As [`ask`].
pub async fn vendor_page(
    session: &Session,
    vendor: &str,
    entity_type: &str,
    page: Option<String>,
    limit: u32,
) -> Result<Page<VendorEntry>, CliError> {
    let question = Question::VendorPage {
        entity_type: entity_type.to_owned(),
        page,
        limit,
    };
    match ask(session, vendor, question).await? {
        Answer::VendorPage(page) => Ok(page),
        _ => Err(another(vendor)),
    }
}

fn another(vendor: &str) -> CliError {
    CliError::Unanswered {
        vendor: vendor.to_owned(),
        found: "one to another question".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::crashed(
        Some("Unhandled"),
        r#"{"errorType": "Runtime.ExitError", "errorMessage": "a@b.example"}"#,
        "crashed (Unhandled, Runtime.ExitError)"
    )]
    #[case::older(None, r#"{"batchItemFailures": []}"#, "found another")]
    #[case::nothing(None, "", "found another")]
    #[case::failed(
        None,
        r#"{"kind": "failed", "error": {"kind": "unavailable", "verdict": "retry", "stage": "source", "message": "no table"}}"#,
        "no table"
    )]
    fn no_answer_is_said(#[case] error: Option<&str>, #[case] payload: &str, #[case] expected: &str) {
        let error = understood("algolia", error, payload.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected) && error.contains("algolia"), "{error}");
        assert!(!error.contains("a@b.example"), "{error}");
    }

    #[rstest]
    #[case("retry", true)]
    #[case("permanent", false)]
    fn what_passes_may_be_asked_again(#[case] verdict: &str, #[case] expected: bool) {
        let answer = format!(
            r#"{{"kind": "failed", "error": {{"kind": "unavailable", "verdict": "{verdict}", "stage": "source", "message": "m"}}}}"#
        );
        let error = understood("algolia", None, answer.as_bytes()).unwrap_err();
        assert_eq!(error.is_passing(), expected);
    }

    #[test]
    fn an_answer_is_read() {
        let payload = br#"{"kind": "source-page", "records": [{"entity": "product/1"}], "next": "2"}"#;
        let Answer::SourcePage(page) = understood("algolia", None, payload).unwrap() else {
            panic!("expected a page of the source");
        };
        assert_eq!((page.records.len(), page.next.as_deref()), (1, Some("2")));
    }
}
