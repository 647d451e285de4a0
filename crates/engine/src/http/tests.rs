use rstest::rstest;

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
    assert_eq!(error.at(Stage::Push).verdict(), RETRY);
}

#[test]
fn a_secret_stays_out_of_debug() {
    let http = Http::new(false).unwrap();
    let request = http
        .request(Method::GET, url("https://a.example"))
        .bearer(&"hunter2".to_owned().into());
    assert!(!format!("{:?}", request.headers).contains("hunter2"));
}
