//! A log against a service that answers in pages, and not always.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use aws_sdk_cloudwatchlogs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// `CloudWatch` Logs with its answers in order; a status of 0 is none. Keeps what it was asked.
#[derive(Debug, Clone, Default)]
struct Service {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Service {
    fn answering(answers: Vec<(u16, Value)>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into()));
        Self {
            answers,
            ..Self::default()
        }
    }

    fn log(&self) -> Log {
        let config = aws_sdk_cloudwatchlogs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(self.clone());
        let since = Timestamp::from_millisecond(1_000).unwrap();
        Log::new(Client::from_conf(config.build()), "s", "mailchimp", since)
    }

    /// Where each question began, and which page it asked for.
    fn asked(&self) -> Vec<(i64, Option<String>)> {
        let asked = self.asked.lock().unwrap();
        let page = |question: &Value| {
            assert_eq!(question["logGroupName"], "/aws/lambda/s-mailchimp");
            let token = question["nextToken"].as_str().map(str::to_owned);
            (question["startTime"].as_i64().unwrap(), token)
        };
        asked.iter().map(page).collect()
    }
}

impl HttpClient for Service {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let question = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.asked.lock().unwrap().push(question);
        let (status, answer) = self.answers.lock().unwrap().pop_front().unwrap();
        HttpConnectorFuture::ready(match status {
            0 => Err(ConnectorError::io("nobody is there".into())),
            status => Ok(HttpResponse::new(
                status.try_into().unwrap(),
                SdkBody::from(answer.to_string()),
            )),
        })
    }
}

fn page(ids: &[(&str, i64)], next: Option<&str>) -> (u16, Value) {
    let line = |(id, at): &(&str, i64)| json!({"eventId": id, "timestamp": at, "message": "{}"});
    let lines: Vec<_> = ids.iter().map(line).collect();
    (200, json!({"events": lines, "nextToken": next}))
}

fn refused(code: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": "Rate exceeded"}))
}

fn ids(page: &Page) -> Vec<&str> {
    page.lines.iter().map(|line| line.id.as_str()).collect()
}

#[tokio::test]
async fn each_page_is_handed_out_before_the_next_is_asked_for() {
    let service = Service::answering(vec![
        page(&[("a", 1_000)], Some("2")),
        page(&[], Some("3")),
        page(&[("b", 200_000)], None),
        page(&[("b", 200_000), ("c", 200_001)], None),
    ]);
    let mut log = service.log();
    let mut pages = Vec::new();
    for asked in 1..=4 {
        pages.push(log.page().await.unwrap());
        assert_eq!(service.asked().len(), asked);
    }
    let found: Vec<_> = pages.iter().map(|page| (ids(page), page.rest)).collect();
    let at_once = Duration::ZERO;
    let expected = [
        (vec!["a"], at_once),
        (vec![], at_once),
        (vec!["b"], EVERY),
        (vec!["c"], EVERY),
    ];
    assert_eq!(found, expected);
    let token = |token: &str| Some(token.to_owned());
    let expected = [
        (1_000, None),
        (1_000, token("2")),
        (1_000, token("3")),
        (140_000, None),
    ];
    assert_eq!(service.asked(), expected);
}

#[tokio::test]
async fn a_page_that_does_not_come_is_asked_for_again_and_that_is_said_once() {
    let service = Service::answering(vec![
        page(&[("a", 1_000)], Some("2")),
        refused("ThrottlingException"),
        (0, Value::Null),
        (503, json!({})),
        page(&[("b", 2_000)], Some("3")),
        refused("ThrottlingException"),
        page(&[("c", 3_000)], None),
        refused("LimitExceededException"),
    ]);
    let mut log = service.log();
    let mut pages = Vec::new();
    for _ in 0..8 {
        pages.push(log.page().await.unwrap());
    }
    let found: Vec<_> = pages
        .iter()
        .map(|page| (ids(page), page.trouble.is_some(), page.rest.as_secs()))
        .collect();
    let expected = [
        (vec!["a"], false, 0),
        (vec![], true, 1),
        (vec![], false, 2),
        (vec![], false, 4),
        (vec!["b"], false, 0),
        (vec![], false, 1), // the end was not reached since it was said
        (vec!["c"], false, 2),
        (vec![], true, 1),
    ];
    assert_eq!(found, expected);
    let trouble = pages[1].trouble.as_deref().unwrap();
    let expected = "mailchimp: reading the function's log failed: Rate exceeded (ThrottlingException). It is asked again";
    assert!(trouble.starts_with(expected), "{trouble}");
    let tokens: Vec<_> = service.asked().into_iter().map(|(_, token)| token).collect();
    let second = Some("2".to_owned());
    assert!(tokens[1..5].iter().all(|token| *token == second), "{tokens:?}");
}

#[rstest]
#[case("AccessDeniedException", "expected permission for reading the function's log")]
#[case("ResourceNotFoundException", "reading the function's log failed")]
#[case("ExpiredTokenException", "sign in again")]
#[tokio::test]
async fn what_waiting_does_not_mend_ends_it(#[case] code: &str, #[case] expected: &str) {
    let service = Service::answering(vec![refused(code)]);
    let error = service.log().page().await.unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

const NOBODY: (u16, Value) = (0, Value::Null);

#[tokio::test]
async fn a_log_that_never_answers_is_given_up_and_one_that_has_is_not() {
    let service = Service::answering(vec![NOBODY; 5]);
    let mut log = service.log();
    for _ in 0..4 {
        assert_eq!(log.page().await.unwrap().lines, []);
    }
    let error = log.page().await.unwrap_err();
    assert!(matches!(error, CliError::NoAnswer { .. }), "{error}");

    let mut answers = vec![NOBODY; 12];
    answers[0] = page(&[], Some("2"));
    let service = Service::answering(answers);
    let mut log = service.log();
    for failures in 0..12 {
        let asked = log.page().await;
        assert!(asked.is_ok(), "after {failures}: {asked:?}");
    }
}

#[rstest]
#[case::never_asked(vec![], Some("found none in this time"))]
#[case::nobody(vec![NOBODY, NOBODY], Some("nobody is there"))]
#[case::throttled(vec![refused("ThrottlingException")], Some("Rate exceeded"))]
#[case::half_way(vec![page(&[], Some("2")), refused("ThrottlingException")], Some("Rate exceeded"))]
#[case::under_way(vec![NOBODY, page(&[], Some("2"))], None)]
#[case::at_last(vec![NOBODY, page(&[], None)], None)]
#[case::read_before(vec![page(&[], None), NOBODY], None)]
#[tokio::test]
async fn a_log_that_was_not_read_is_no_success(
    #[case] answers: Vec<(u16, Value)>,
    #[case] expected: Option<&str>,
) {
    let is_failing = answers.last().is_some_and(|(status, _)| *status != 200);
    let questions = answers.len();
    let mut log = Service::answering(answers).log();
    for _ in 0..questions {
        log.page().await.unwrap();
    }
    assert_eq!(log.is_failing(), is_failing);
    match (log.unread(), expected) {
        (Some(error), Some(expected)) => assert!(error.to_string().contains(expected), "{error}"),
        (unread, expected) => assert_eq!((unread.is_some(), expected), (false, None)),
    }
}
