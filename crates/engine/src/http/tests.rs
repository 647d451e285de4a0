use rstest::rstest;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use super::*;
use crate::{ErrorKind, Stage, Verdict};

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

#[rstest]
#[case("https://api.example/3.0", false, true)]
#[case("http://api.example/3.0", false, false)]
#[case("http://127.0.0.1:9/", true, true)]
#[case("ftp://api.example/", true, false)]
#[case("https://user:pass@api.example/", false, false)]
fn only_https_unless_told_otherwise(#[case] target: &str, #[case] allow_plain: bool, #[case] allowed: bool) {
    assert_eq!(
        Http::new(allow_plain).unwrap().check(&url(target)).is_ok(),
        allowed
    );
}

fn answer(status: u16, retry_after: Option<&str>) -> Answer {
    let mut headers = HeaderMap::new();
    if let Some(value) = retry_after {
        headers.insert(header::RETRY_AFTER, value.parse().unwrap());
    }
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: Bytes::new(),
    }
}

const RETRY: Verdict = Verdict::Retry { after: None };

#[rstest]
#[case(401, Stage::Push, ErrorKind::Deauthorized, RETRY)]
#[case(403, Stage::Source, ErrorKind::Deauthorized, RETRY)]
#[case(404, Stage::Push, ErrorKind::NotFound, RETRY)]
#[case(410, Stage::Push, ErrorKind::NotFound, Verdict::Permanent)]
#[case(400, Stage::Source, ErrorKind::Refused, Verdict::Permanent)]
#[case(405, Stage::Push, ErrorKind::Refused, RETRY)]
#[case(429, Stage::Push, ErrorKind::RateLimited, RETRY)]
#[case(413, Stage::Push, ErrorKind::TooLarge, Verdict::Permanent)]
#[case(422, Stage::Push, ErrorKind::Refused, Verdict::Permanent)]
#[case(302, Stage::Push, ErrorKind::Refused, RETRY)]
#[case(500, Stage::Push, ErrorKind::Unavailable, Verdict::Unknown)]
#[case(500, Stage::Source, ErrorKind::Unavailable, RETRY)]
#[case(503, Stage::Push, ErrorKind::Unavailable, RETRY)]
fn statuses(#[case] status: u16, #[case] stage: Stage, #[case] kind: ErrorKind, #[case] verdict: Verdict) {
    let error = status_error(stage, &answer(status, None), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!((error.kind(), error.verdict()), (kind, verdict));
}

/// As after a secret was pasted with its line break: nothing is sent, and the entity waits until the secret is mended.
#[tokio::test]
async fn a_secret_that_no_header_can_hold_is_a_refused_credential() {
    let http = Http::new(false).unwrap();
    let request = http
        .request(Method::GET, url("https://api.example/"))
        .secret_header(header::AUTHORIZATION, &"Bearer hunter2\n".into());
    let error = request.send().await.unwrap_err().at(Stage::Push);
    assert_eq!((error.kind(), error.verdict()), (ErrorKind::Deauthorized, RETRY));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

/// Five minutes past the hour, for the dates below.
fn now() -> jiff::Timestamp {
    "2026-01-29T14:05:00Z".parse().unwrap()
}

/// What is nearly free to try again at once, and what is not.
#[rstest]
#[case::bad_gateway(502, None, true)]
#[case::unavailable(503, None, true)]
#[case::gateway_timeout(504, None, true)]
#[case::asked_for_none(503, Some("0"), true)]
#[case::asked_for_one(429, Some("1"), true)]
#[case::asked_for_two(503, Some("2"), true)]
#[case::asked_for_two_of_an_error(500, Some("2"), true)]
#[case::asked_by_date(503, Some("Thu, 29 Jan 2026 14:05:02 GMT"), true)]
#[case::asked_by_a_past_date(503, Some("Thu, 29 Jan 2026 14:04:00 GMT"), true)]
#[case::unreadable_wish(503, Some("soon"), true)]
#[case::asked_for_three(503, Some("3"), false)]
#[case::asked_for_three_of_a_gateway(502, Some("3"), false)]
#[case::asked_for_three_of_a_slow_gateway(504, Some("3"), false)]
#[case::asked_for_three_of_an_error(500, Some("3"), false)]
#[case::asked_by_a_later_date(503, Some("Thu, 29 Jan 2026 14:05:03 GMT"), false)]
#[case::error(500, None, false)]
#[case::not_implemented(501, None, false)]
#[case::version(505, None, false)]
#[case::rate_limited(429, None, false)]
#[case::rate_limited_for_long(429, Some("90"), false)]
#[case::timeout(408, None, false)]
#[case::refused(400, None, false)]
#[case::refused_with_a_wish(400, Some("1"), false)]
#[case::gone_with_a_wish(410, Some("1"), false)]
#[case::too_large_with_a_wish(413, Some("1"), false)]
#[case::deauthorized(401, None, false)]
#[case::not_found(404, None, false)]
fn brief_failures(#[case] status: u16, #[case] retry_after: Option<&str>, #[case] brief: bool) {
    for stage in [Stage::Source, Stage::Push] {
        let error = status_error(stage, &answer(status, retry_after), now());
        assert_eq!(error.is_brief(), brief, "{error:?}");
    }
}

/// All but a refused connection, which has a test of its own below.
#[rstest]
#[case(HttpError::Timeout)]
#[case(HttpError::TooLarge { limit: 1 })]
#[case(HttpError::Request("no JSON"))]
#[case(HttpError::Url { expected: "an https URL", found: "`ftp:`".to_owned() })]
fn other_failures_without_an_answer_are_not_brief(#[case] error: HttpError) {
    assert!(!error.at(Stage::Push).is_brief());
}

#[test]
fn a_retry_after_is_passed_on() {
    let error = status_error(Stage::Push, &answer(429, Some("90")), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(
        error.verdict(),
        Verdict::Retry {
            after: Some(Duration::from_secs(90))
        }
    );
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = url(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let error = Http::new(true)
        .unwrap()
        .request(Method::PUT, target)
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::NotSent(_)), "{error:?}");
    let error = error.at(Stage::Push);
    assert_eq!(error.verdict(), RETRY);
    assert!(error.is_brief());
}

#[test]
fn a_secret_stays_out_of_debug() {
    let http = Http::new(false).unwrap();
    let request = http
        .request(Method::GET, url("https://a.example"))
        .secret_header(header::AUTHORIZATION, &"hunter2".to_owned().into());
    assert!(!format!("{:?}", request.headers).contains("hunter2"));
}
