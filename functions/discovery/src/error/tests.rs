use http::header;
use rstest::rstest;

use super::*;

const RETRY: Verdict = Verdict::Retry { after: None };
const PERMANENT: Verdict = Verdict::Permanent;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: http::HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

fn fields() -> Fields {
    Fields {
        below: "/course".to_owned(),
        renamed: &[
            ("org", "organization"),
            ("video/src", "video_url"),
            ("external_key", ""),
        ],
    }
}

fn refused(status: u16, body: &str) -> Error {
    check(&answer(status, body), Timestamp::UNIX_EPOCH, &fields()).unwrap_err()
}

const PAGE: &str = "<!doctype html><html lang=\"en\"><head><title>Server Error (500)</title></head></html>";

#[rstest]
#[case(301, "", ErrorKind::Unexpected, PERMANENT)]
#[case(302, "", ErrorKind::Refused, RETRY)]
#[case(
    400,
    r#""Incorrect data sent. Organization [NOPE] does not exist. ""#,
    ErrorKind::Refused,
    PERMANENT
)]
#[case(
    400,
    r#"{"start": ["This field is required."]}"#,
    ErrorKind::Refused,
    PERMANENT
)]
#[case(400, PAGE, ErrorKind::Refused, PERMANENT)]
#[case(
    401,
    r#"{"detail": "Authentication credentials were not provided."}"#,
    ErrorKind::Deauthorized,
    RETRY
)]
#[case(
    403,
    r#"{"detail": "You do not have permission to perform this action."}"#,
    ErrorKind::Deauthorized,
    RETRY
)]
#[case(
    403,
    r#""Course run is in review. Editing disabled.""#,
    ErrorKind::Deauthorized,
    RETRY
)]
#[case(404, r#"{"detail": "Not found."}"#, ErrorKind::NotFound, RETRY)]
#[case(
    405,
    r#"{"detail": "Method \"DELETE\" not allowed."}"#,
    ErrorKind::Refused,
    PERMANENT
)]
#[case(405, "", ErrorKind::Refused, PERMANENT)]
#[case(413, "", ErrorKind::TooLarge, PERMANENT)]
#[case(
    429,
    r#"{"detail": "Request was throttled. Expected available in 90 seconds."}"#,
    ErrorKind::RateLimited,
    RETRY
)]
#[case(500, PAGE, ErrorKind::Unavailable, Verdict::Unknown)]
#[case(502, PAGE, ErrorKind::Unavailable, Verdict::Unknown)]
#[case(503, "", ErrorKind::Unavailable, RETRY)]
#[case(504, "", ErrorKind::Unavailable, Verdict::Unknown)]
fn answers(#[case] status: u16, #[case] body: &str, #[case] kind: ErrorKind, #[case] verdict: Verdict) {
    let error = refused(status, body);
    assert_eq!((error.kind(), error.verdict()), (kind, verdict), "{error}");
    assert_eq!(error.status(), Some(status));
    assert_eq!(error.vendor_code(), Some(status.to_string().as_str()));
}

#[rstest]
#[case(r#""Failed to add person data.""#, None, "Failed to add person data.")]
#[case(
    r#"{"org": ["Object with key=NOPE does not exist."]}"#,
    Some("/course/organization"),
    "Object with key=NOPE does not exist."
)]
#[case(
    r#"{"title": ["This field may not be blank."]}"#,
    Some("/course/title"),
    "This field may not be blank."
)]
#[case(
    r#"{"video": {"src": ["Enter a valid URL."]}}"#,
    Some("/course/video_url"),
    "Enter a valid URL."
)]
#[case(r#"{"external_key": ["Too long."]}"#, Some("/course"), "Too long.")]
#[case(
    r#"{"facts": [{}, {"blurb": ["This field is required."]}]}"#,
    Some("/course/facts/1/blurb"),
    "This field is required."
)]
#[case(r#"{"non_field_errors": ["Invalid data."]}"#, None, "Invalid data.")]
#[case(r#"{"detail": "JSON parse error"}"#, None, "JSON parse error")]
#[case(
    r#"{"end": ["Required."], "start": ["Required.", "Wrong."]}"#,
    Some("/course/end"),
    "end: Required.; start: Required.; start: Wrong."
)]
#[case("7", None, "answered 400")]
fn both_shapes_of_400_name_the_field_in_our_words(
    #[case] body: &str,
    #[case] pointer: Option<&str>,
    #[case] message: &str,
) {
    let error = refused(400, body);
    assert_eq!(error.pointer(), pointer);
    assert_eq!(error.message(), message);
}

#[test]
fn the_wait_that_is_asked_for_is_the_wait() {
    let mut answer = answer(429, r#"{"detail": "Request was throttled."}"#);
    answer.headers.insert(header::RETRY_AFTER, "90".parse().unwrap());
    let error = check(&answer, Timestamp::UNIX_EPOCH, &fields()).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
    assert_eq!(error.message(), "Request was throttled.");
}

#[rstest]
#[case(404, Verdict::Unknown)]
#[case(500, Verdict::Unknown)]
#[case(503, Verdict::Unknown)]
#[case(401, RETRY)]
#[case(429, RETRY)]
#[case(400, PERMANENT)]
#[case(413, PERMANENT)]
fn a_create_that_is_not_known_to_have_failed(#[case] status: u16, #[case] verdict: Verdict) {
    let error = unless_certain(refused(status, ""));
    assert_eq!((error.verdict(), error.status()), (verdict, Some(status)));
    assert!(!error.is_brief());
}

#[test]
fn what_was_not_sent_did_not_happen() {
    let not_sent = Error::retry(ErrorKind::Unavailable, Stage::Push, "could not connect");
    assert_eq!(unless_certain(not_sent).verdict(), RETRY);
}

/// Neither a refused credential, which would shut the vendor for everybody, nor the end of the road.
#[test]
fn a_review_is_waited_for() {
    let error = in_review();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.retry_after(), Some(Duration::from_hours(1)));
    assert_eq!(
        (error.vendor_code(), error.status()),
        (Some("in-review"), Some(403))
    );
}
