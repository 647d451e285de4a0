//! Algolia's answers → verdicts.
//!
//! | status | message | kind | verdict |
//! |---|---|---|---|
//! | 400 | a record is too big | too large | permanent |
//! | 400, 422 | any other | refused | permanent |
//! | 401, 403 | | deauthorized: the key, or its rights | retry |
//! | 402 | | refused: the plan does not have it | retry |
//! | 404 | | not found: a wrong setting, since a write makes the index | retry |
//! | 413 | | too large | permanent |
//! | 429 | the reason | rate limited | retry |
//! | 5xx | | unavailable | unknown (503: retry) |
//!
//! Error bodies are `{"message", "status"}` and have no code, so a record that is too big can be told by the message only:
//! <https://www.algolia.com/doc/rest-api/search/>,
//! <https://www.algolia.com/doc/guides/sending-and-managing-data/prepare-your-data/in-depth/index-and-records-size-and-usage-limitations/>.

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use vendorbridge::http::{Answer, status_error};
use vendorbridge::{Error, ErrorKind, Stage};

#[derive(Debug, Deserialize)]
struct Problem {
    message: String,
}

/// What a refusal means.
pub(crate) fn verdict(answer: &Answer, now: Timestamp) -> Error {
    let error = status_error(Stage::Push, answer, now);
    let Some(Problem { message }) = answer
        .json()
        .filter(|problem: &Problem| !problem.message.is_empty())
    else {
        return error;
    };
    let code = answer.status.as_u16().to_string();
    match sizes(&message).filter(|_| answer.status == StatusCode::BAD_REQUEST) {
        Some((size, limit)) => too_large(size, limit).code(code),
        None => error.reworded(message, code),
    }
}

/// A record that the plan does not allow.
pub(crate) fn too_large(size: usize, limit: usize) -> Error {
    let message = format!("expected a record of at most {limit} bytes, found {size} bytes");
    Error::permanent(ErrorKind::TooLarge, Stage::Push, message)
}

/// Size and limit, of `Record at the position 0 objectID=a is too big size=10250/10000 bytes. Please have a look at …`.
fn sizes(message: &str) -> Option<(usize, usize)> {
    let (_, sizes) = message.split_once(" is too big size=")?;
    let (size, rest) = sizes.split_once('/')?;
    let limit = rest.split_once(' ').map_or(rest, |(limit, _)| limit);
    Some((size.parse().ok()?, limit.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use rstest::rstest;
    use vendorbridge::Verdict;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
        }
    }

    const RETRY: Verdict = Verdict::Retry { after: None };
    const TOO_BIG: &str = r#"{"message":"Record at the position 3 objectID=SKU#a is too big size=10250/10000 bytes. Please have a look at https://www.algolia.com/doc/guides/sending-and-managing-data/prepare-your-data/in-depth/index-and-records-size-and-usage-limitations/#record-size-limits","status":400}"#;

    #[rstest]
    #[case(400, TOO_BIG, ErrorKind::TooLarge, Verdict::Permanent)]
    #[case(
        400,
        r#"{"message":"expecting a hash value for parameter body near line:1 column:30","status":400}"#,
        ErrorKind::Refused,
        Verdict::Permanent
    )]
    #[case(
        402,
        r#"{"message":"Record quota exceeded. Change plan or delete records.","status":402}"#,
        ErrorKind::Refused,
        RETRY
    )]
    #[case(
        403,
        r#"{"message":"Invalid Application-ID or API key","status":403}"#,
        ErrorKind::Deauthorized,
        RETRY
    )]
    #[case(
        403,
        r#"{"message":"Not enough rights to add an object near line:1 column:80","status":403}"#,
        ErrorKind::Deauthorized,
        RETRY
    )]
    #[case(
        404,
        r#"{"message":"Path not supported by REST API","status":404}"#,
        ErrorKind::NotFound,
        RETRY
    )]
    #[case(413, "", ErrorKind::TooLarge, Verdict::Permanent)]
    #[case(
        429,
        r#"{"message":"Too many jobs","status":429}"#,
        ErrorKind::RateLimited,
        RETRY
    )]
    #[case(
        500,
        r#"{"message":"Internal error","status":500}"#,
        ErrorKind::Unavailable,
        Verdict::Unknown
    )]
    #[case(503, "<html>", ErrorKind::Unavailable, RETRY)]
    fn answers(#[case] status: u16, #[case] body: &str, #[case] kind: ErrorKind, #[case] expected: Verdict) {
        let error = verdict(&answer(status, body), Timestamp::UNIX_EPOCH);
        assert_eq!((error.kind(), error.verdict()), (kind, expected), "{error}");
        assert_eq!(error.vendor_code(), Some(status.to_string().as_str()));
    }

    #[test]
    fn the_reason_is_kept() {
        let error = verdict(&answer(400, TOO_BIG), Timestamp::UNIX_EPOCH);
        assert_eq!(
            error.message(),
            "expected a record of at most 10000 bytes, found 10250 bytes"
        );
        let error = verdict(
            &answer(429, r#"{"message":"Too many jobs","status":429}"#),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(error.message(), "Too many jobs");
    }
}
