//! Who gets in and who does not.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::routing::{get, post};
use rstest::rstest;
use tower::ServiceExt;

use super::*;
use crate::console::routes::guarded;

const PORT: u16 = 4711;
const HERE: &str = "127.0.0.1:4711";

/// The page, a question and an action, and the token that opens them.
fn service() -> (Router, String) {
    let token = Token::random().unwrap();
    let shown = token.reveal().to_owned();
    let questions = Router::new()
        .route("/api/question", get(async || "told"))
        .route("/api/action", post(async |body: String| body));
    (guarded(questions, Guard::new(token, PORT)), shown)
}

async fn call(method: &str, path: &str, headers: &[(&str, &str)], body: String) -> (u16, Response) {
    let (service, token) = service();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        let value = if *value == "TOKEN" { &token } else { *value };
        request = request.header(*name, value);
    }
    let response = service
        .oneshot(request.body(Body::from(body)).unwrap())
        .await
        .unwrap();
    (response.status().as_u16(), response)
}

const HOST_IS_OURS: (&str, &str) = ("host", HERE);
const WITH_TOKEN: (&str, &str) = ("x-vendorbridge-token", "TOKEN");
const FROM_HERE: (&str, &str) = ("origin", "http://127.0.0.1:4711");

#[rstest]
#[case::the_page_itself("GET", "/", &[HOST_IS_OURS], 200)]
#[case::the_page_from_a_link_elsewhere("GET", "/", &[HOST_IS_OURS, ("sec-fetch-site", "cross-site")], 200)]
#[case::by_the_other_name("GET", "/", &[("host", "localhost:4711")], 200)]
#[case::an_unknown_path("GET", "/etc/passwd", &[HOST_IS_OURS], 404)]
#[case::a_question("GET", "/api/question", &[HOST_IS_OURS, WITH_TOKEN], 200)]
#[case::a_question_of_the_page("GET", "/api/question", &[HOST_IS_OURS, WITH_TOKEN, ("sec-fetch-site", "same-origin")], 200)]
#[case::an_action("POST", "/api/action", &[HOST_IS_OURS, WITH_TOKEN, FROM_HERE], 200)]
#[case::an_action_by_the_other_name("POST", "/api/action", &[("host", "localhost:4711"), WITH_TOKEN, ("origin", "http://localhost:4711")], 200)]
#[case::without_a_host("GET", "/", &[], 403)]
#[case::a_rebound_name("GET", "/", &[("host", "attacker.example:4711")], 403)]
#[case::a_rebound_name_with_the_token("GET", "/api/question", &[("host", "attacker.example:4711"), WITH_TOKEN], 403)]
#[case::another_port("GET", "/", &[("host", "127.0.0.1:80")], 403)]
#[case::no_port("GET", "/", &[("host", "127.0.0.1")], 403)]
#[case::a_name_that_begins_like_ours("GET", "/", &[("host", "127.0.0.1:4711.attacker.example")], 403)]
#[case::two_hosts("GET", "/", &[HOST_IS_OURS, ("host", "attacker.example")], 403)]
#[case::without_a_token("GET", "/api/question", &[HOST_IS_OURS], 401)]
#[case::with_an_empty_token("GET", "/api/question", &[HOST_IS_OURS, ("x-vendorbridge-token", "")], 401)]
#[case::with_a_wrong_token("GET", "/api/question", &[HOST_IS_OURS, ("x-vendorbridge-token", "0123456789abcdef")], 401)]
#[case::with_two_tokens("GET", "/api/question", &[HOST_IS_OURS, WITH_TOKEN, ("x-vendorbridge-token", "0")], 401)]
#[case::with_the_token_in_the_address("GET", "/api/question?token=TOKEN", &[HOST_IS_OURS], 401)]
#[case::an_unknown_question("GET", "/api/nothing", &[HOST_IS_OURS], 401)]
#[case::an_action_without_a_token("POST", "/api/action", &[HOST_IS_OURS, FROM_HERE], 401)]
#[case::an_action_of_nobody("POST", "/api/action", &[HOST_IS_OURS, WITH_TOKEN], 403)]
#[case::an_action_of_another_site("POST", "/api/action", &[HOST_IS_OURS, WITH_TOKEN, ("origin", "https://attacker.example")], 403)]
#[case::an_action_of_another_port("POST", "/api/action", &[HOST_IS_OURS, WITH_TOKEN, ("origin", "http://127.0.0.1:8080")], 403)]
#[case::an_action_of_a_sandboxed_frame("POST", "/api/action", &[HOST_IS_OURS, WITH_TOKEN, ("origin", "null")], 403)]
#[case::an_action_over_tls("POST", "/api/action", &[HOST_IS_OURS, WITH_TOKEN, ("origin", "https://127.0.0.1:4711")], 403)]
#[case::two_origins("POST", "/api/action", &[HOST_IS_OURS, WITH_TOKEN, FROM_HERE, ("origin", "null")], 403)]
#[case::a_question_of_another_site("GET", "/api/question", &[HOST_IS_OURS, WITH_TOKEN, ("origin", "https://attacker.example")], 403)]
#[case::a_link_to_a_question("GET", "/api/question", &[HOST_IS_OURS, WITH_TOKEN, ("sec-fetch-site", "same-site")], 403)]
#[case::a_preflight("OPTIONS", "/api/action", &[HOST_IS_OURS, ("origin", "https://attacker.example"), ("access-control-request-method", "POST")], 403)]
#[tokio::test]
async fn requests_are_let_in_or_not(
    #[case] method: &str,
    #[case] path: &str,
    #[case] headers: &[(&str, &str)],
    #[case] expected: u16,
) {
    let (status, response) = call(method, path, headers, String::new()).await;
    assert_eq!(status, expected, "{response:?}");
    for (name, value) in response.headers() {
        assert!(!name.as_str().starts_with("access-control-"), "{name}: {value:?}");
    }
    let told = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(told("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
    assert_eq!(told("x-content-type-options"), "nosniff");
    assert_eq!(told("referrer-policy"), "no-referrer");
    assert_eq!(told("cache-control"), "no-store");
}

#[rstest]
#[case(256 * 1024, 200)]
#[case(256 * 1024 + 1, 413)]
#[tokio::test]
async fn bodies_have_a_limit(#[case] length: usize, #[case] expected: u16) {
    let headers = [HOST_IS_OURS, WITH_TOKEN, FROM_HERE];
    let (status, _) = call("POST", "/api/action", &headers, "x".repeat(length)).await;
    assert_eq!(status, expected);
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_not_the_token() {
    let (service, token) = service();
    let request = Request::builder().uri("/api/question").header("host", HERE);
    let response = service
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        text.contains("`vendorbridge console`") && !text.contains(&token),
        "{text}"
    );
}
