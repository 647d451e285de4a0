//! Mailchimp's answers → verdicts.
//!
//! | status | body | kind | verdict |
//! |---|---|---|---|
//! | 401, 403 | problem | deauthorized | retry |
//! | 403 | none | rate limited: what Mailchimp sends at very high volume | retry |
//! | 404 | problem | not found: the audience, so a setting is wrong | retry |
//! | 400 | any problem (compliance state, forgotten address, looks fake, invalid resource …) | refused | permanent |
//! | other 4xx, 3xx | | refused: a wrong setting | retry |
//! | 429 | | rate limited: more than 10 connections | retry |
//! | 5xx | | unavailable | unknown (503: retry) |
//!
//! Error bodies: <https://mailchimp.com/developer/marketing/docs/errors/>.

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use vendorbridge::http::{Answer, retry_after, status_error};
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

/// `application/problem+json`.
#[derive(Debug, Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    #[serde(default)]
    field: String,
    #[serde(default)]
    message: String,
}

/// Success, or what the answer means.
pub(crate) fn check(answer: &Answer, now: Timestamp) -> Result<(), Error> {
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(verdict(answer, now))
    }
}

/// As [`check`], for a `DELETE`: a member that is not there, or is archived already (405), is what was wanted.
pub(crate) fn check_archived(answer: &Answer, now: Timestamp) -> Result<(), Error> {
    match answer.status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(()),
        _ => check(answer, now),
    }
}

/// Whether the new address of a member belongs to another member already.
pub(crate) fn is_member_exists(answer: &Answer) -> bool {
    answer.status == StatusCode::BAD_REQUEST
        && answer
            .json::<Problem>()
            .is_some_and(|problem| problem.title == "Member Exists")
}

fn verdict(answer: &Answer, now: Timestamp) -> Error {
    let problem = answer.json::<Problem>();
    let Some(problem) = problem else {
        return match answer.status {
            StatusCode::FORBIDDEN => {
                let after = retry_after(answer, now);
                let message = "answered 403 without a body";
                Error::new(
                    ErrorKind::RateLimited,
                    Verdict::Retry { after },
                    Stage::Push,
                    message,
                )
                .code("403")
            }
            _ => status_error(Stage::Push, answer, now),
        };
    };
    let words = problem.words();
    match answer.status {
        StatusCode::NOT_FOUND => Error::retry(ErrorKind::NotFound, Stage::Push, words).code(problem.title),
        StatusCode::BAD_REQUEST => {
            let error = Error::permanent(ErrorKind::Refused, Stage::Push, words);
            match problem.errors.first().filter(|error| !error.field.is_empty()) {
                Some(field) => error.at(format!("/{}", field.field.replace('.', "/"))),
                None => error,
            }
            .code(problem.title)
        }
        _ => status_error(Stage::Push, answer, now).reworded(words, problem.title),
    }
}

impl Problem {
    fn words(&self) -> String {
        match self.errors.first() {
            Some(error) if !error.message.is_empty() => format!("{} ({})", self.detail, error.message),
            _ => self.detail.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: body.to_owned().into(),
        }
    }

    fn problem(status: u16, title: &str, detail: &str) -> String {
        let type_ = "https://mailchimp.com/developer/marketing/docs/errors/";
        serde_json::json!({"type": type_, "title": title, "status": status, "detail": detail, "instance": "1"})
            .to_string()
    }

    const RETRY: Verdict = Verdict::Retry { after: None };

    #[rstest]
    #[case(401, "API Key Invalid", ErrorKind::Deauthorized, RETRY)]
    #[case(403, "Forbidden", ErrorKind::Deauthorized, RETRY)]
    #[case(404, "Resource Not Found", ErrorKind::NotFound, RETRY)]
    #[case(400, "Invalid Resource", ErrorKind::Refused, Verdict::Permanent)]
    #[case(400, "Member In Compliance State", ErrorKind::Refused, Verdict::Permanent)]
    #[case(400, "Forgotten Email Not Subscribed", ErrorKind::Refused, Verdict::Permanent)]
    #[case(400, "Member Exists", ErrorKind::Refused, Verdict::Permanent)]
    #[case(429, "Too Many Requests", ErrorKind::RateLimited, RETRY)]
    #[case(500, "Internal Server Error", ErrorKind::Unavailable, Verdict::Unknown)]
    #[case(503, "Service Unavailable", ErrorKind::Unavailable, RETRY)]
    fn problems(
        #[case] status: u16,
        #[case] title: &str,
        #[case] kind: ErrorKind,
        #[case] expected: Verdict,
    ) {
        let detail = "ada@lovelace.example was refused";
        let error = check(
            &answer(status, &problem(status, title, detail)),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap_err();
        assert_eq!((error.kind(), error.verdict()), (kind, expected));
        assert_eq!(error.vendor_code(), Some(title));
        assert!(!error.to_string().contains("lovelace"), "{error}");
    }

    #[rstest]
    #[case(403, "", ErrorKind::RateLimited, RETRY)]
    #[case(403, "<html>Access Denied</html>", ErrorKind::RateLimited, RETRY)]
    #[case(429, "", ErrorKind::RateLimited, RETRY)]
    #[case(502, "<html></html>", ErrorKind::Unavailable, Verdict::Unknown)]
    #[case(400, "", ErrorKind::Refused, Verdict::Permanent)]
    fn bodiless(#[case] status: u16, #[case] body: &str, #[case] kind: ErrorKind, #[case] expected: Verdict) {
        let error = check(&answer(status, body), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!((error.kind(), error.verdict()), (kind, expected));
    }

    /// In Mailchimp's words a failure is as brief as in HTTP's.
    #[rstest]
    #[case::bad_gateway(502, None, true)]
    #[case::unavailable(503, None, true)]
    #[case::gateway_timeout(504, None, true)]
    #[case::asked_for_two(429, Some("2"), true)]
    #[case::asked_for_three(429, Some("3"), false)]
    #[case::asked_for_three_of_a_gateway(503, Some("3"), false)]
    #[case::error(500, None, false)]
    #[case::rate_limited(429, None, false)]
    #[case::refused(400, Some("1"), false)]
    fn brief_failures(#[case] status: u16, #[case] retry_after: Option<&str>, #[case] brief: bool) {
        for body in [problem(status, "In Their Words", "Ask again."), String::new()] {
            let mut answer = answer(status, &body);
            if let Some(seconds) = retry_after {
                answer
                    .headers
                    .insert(http::header::RETRY_AFTER, seconds.parse().unwrap());
            }
            let error = check(&answer, Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(error.is_brief(), brief, "{error:?}");
            assert_eq!(error.vendor_code() == Some("In Their Words"), !body.is_empty());
        }
    }

    /// Mailchimp at very high volume: the wait that it asks for is the wait.
    #[test]
    fn a_bodiless_403_passes_its_retry_after_on() {
        let mut answer = answer(403, "");
        answer
            .headers
            .insert(http::header::RETRY_AFTER, "90".parse().unwrap());
        let error = check(&answer, Timestamp::UNIX_EPOCH).unwrap_err();
        let after = Some(std::time::Duration::from_secs(90));
        assert_eq!(error.verdict(), Verdict::Retry { after });
    }

    #[test]
    fn a_refused_field_is_named() {
        let body = serde_json::json!({
            "title": "Invalid Resource", "status": 400, "detail": "The resource submitted could not be validated.",
            "errors": [{"field": "merge_fields.FNAME", "message": "Data did not match any of the schemas described in anyOf."}],
        });
        let error = check(&answer(400, &body.to_string()), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.pointer(), Some("/merge_fields/FNAME"));
    }

    #[test]
    fn gone_is_gone() {
        for status in [204, 404, 405] {
            assert!(check_archived(&answer(status, ""), Timestamp::UNIX_EPOCH).is_ok());
        }
        assert!(check_archived(&answer(500, ""), Timestamp::UNIX_EPOCH).is_err());
    }
}
