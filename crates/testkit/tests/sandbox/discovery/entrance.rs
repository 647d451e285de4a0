//! Who is let in, and on which paths.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{Fault, discovery::REQUESTS_PER_HOUR};

use super::{Api, client, course, person, token_request, with};
use crate::{send, start, start_by_hand};

#[rstest]
#[case::another_secret(&[("client_secret", "wrong")], 401, "invalid_client")]
#[case::another_client(&[("client_id", "wrong")], 401, "invalid_client")]
#[case::another_grant(&[("grant_type", "password")], 400, "unsupported_grant_type")]
#[tokio::test]
async fn no_token_is_given(#[case] instead: &[(&str, &str)], #[case] status: u16, #[case] error: &str) {
    let sandbox = start().await;

    let answer = send(token_request(&client(), &sandbox, instead)).await.unwrap();

    assert_eq!((answer.status, answer.body), (status, json!({"error": error})));
    assert_eq!(sandbox.discovery.tokens_issued(), 0);
}

#[tokio::test]
async fn a_token_that_is_no_jwt_opens_nothing() {
    let sandbox = start().await;
    let client = client();
    let answer = send(token_request(&client, &sandbox, &[("token_type", "bearer")]))
        .await
        .unwrap();
    assert_eq!(
        (answer.status, &answer.body["token_type"]),
        (200, &"Bearer".into())
    );
    let token = answer.body["access_token"].as_str().unwrap().to_owned();
    let api = Api {
        sandbox: &sandbox,
        client,
        token,
    };

    assert_eq!(api.get("courses/").await.status, 401);
}

#[rstest]
#[case::nothing(None)]
#[case::bearer(Some("Bearer"))]
#[case::lower_case(Some("jwt"))]
#[case::basic(Some("Basic"))]
#[tokio::test]
async fn only_the_scheme_jwt_is_let_in(#[case] scheme: Option<&str>) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let ask = |method: Method, path: &str| {
        let url = format!("{}/api/v1/{path}", sandbox.discovery_url());
        let request = api.client.request(method, url);
        match scheme {
            Some(scheme) => request.header("authorization", format!("{scheme} {}", api.token)),
            None => request,
        }
    };

    for (method, path) in [
        (Method::GET, "courses/"),
        (Method::GET, "course_runs/x/"),
        (Method::POST, "people/"),
        (Method::POST, "programs/"),
    ] {
        let answer = send(ask(method, path)).await.unwrap();
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.body["detail"].is_string(), "{path}");
        assert_eq!(answer.header("www-authenticate"), "JWT realm=\"api\"");
    }
    // Reading people is open to all.
    let people = send(ask(Method::GET, "people/")).await.unwrap();
    assert_eq!((people.status, &people.body["count"]), (200, &0.into()));
}

#[tokio::test]
async fn a_token_ends_after_an_hour_and_when_the_test_says_so() {
    let (sandbox, hand) = start_by_hand().await;
    let api = Api::open(&sandbox).await;
    hand.pass(SignedDuration::from_mins(59));
    assert_eq!(api.get("courses/").await.status, 200);
    hand.pass(SignedDuration::from_mins(1));
    assert_eq!(api.get("courses/").await.status, 401);
    assert_eq!(api.get("people/").await.status, 401);

    let api = Api::open(&sandbox).await;
    assert_eq!(api.get("courses/").await.status, 200);
    sandbox.discovery.expire_tokens();
    assert_eq!(api.get("courses/").await.status, 401);
    assert_eq!(sandbox.discovery.tokens_issued(), 2);
}

#[rstest]
#[case(Method::POST, "people", "people/")]
#[case(Method::POST, "courses", "courses/")]
#[case(Method::PATCH, "courses/ACME+DM", "courses/ACME+DM/")]
#[case(
    Method::GET,
    "course_runs/course-v1:ACME+DM+1T2026?editable=1",
    "course_runs/course-v1:ACME+DM+1T2026/?editable=1"
)]
#[tokio::test]
async fn without_its_slash_a_path_is_somewhere_else_and_the_body_is_lost(
    #[case] method: Method,
    #[case] path: &str,
    #[case] location: &str,
) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let request = with(api.request(method, path), &person("Ada", "Lovelace"));

    let answer = send(request).await.unwrap();

    assert_eq!(answer.status, 301);
    assert_eq!(answer.header("location"), format!("/discovery/api/v1/{location}"));
    assert_eq!(sandbox.discovery.writes(), []);
    assert_eq!(sandbox.discovery.people(), []);
}

#[rstest]
#[case(Method::DELETE, "courses/ACME+DM/", Value::Null)]
#[case(Method::DELETE, "course_runs/course-v1:ACME+DM+1T2026/", Value::Null)]
#[case(Method::POST, "programs/", json!({"detail": "Method \"POST\" not allowed."}))]
#[case(Method::PATCH, "programs/1/", json!({"detail": "Method \"PATCH\" not allowed."}))]
#[case(Method::POST, "degrees/", json!({"detail": "Method \"POST\" not allowed."}))]
#[case(Method::PATCH, "degrees/1/", json!({"detail": "Method \"PATCH\" not allowed."}))]
#[tokio::test]
async fn what_the_api_cannot_do_is_405(#[case] method: Method, #[case] path: &str, #[case] body: Value) {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let course = api.course("DM").await;
    api.run(&course).await;

    let answer = api.write(method, path, &json!({"title": "MSc"})).await;

    assert_eq!((answer.status, answer.body), (405, body));
    assert_eq!(
        (sandbox.discovery.courses().len(), sandbox.discovery.runs().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn who_is_no_staff_has_two_hundred_requests_in_an_hour() {
    let (sandbox, hand) = start_by_hand().await;
    let api = Api::open(&sandbox).await;
    for _ in 0..=REQUESTS_PER_HOUR {
        assert_eq!(api.get("courses/").await.status, 200);
    }
    sandbox.discovery.set_staff(false);
    assert_eq!(api.get("courses/").await.status, 200);
    hand.pass(SignedDuration::from_mins(10));
    for _ in 1..REQUESTS_PER_HOUR {
        assert_eq!(api.get("courses/").await.status, 200);
    }

    for _ in 0..2 {
        let refused = api.post("courses/", &course("DM")).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "3000"));
        assert!(refused.body["detail"].is_string());
    }

    assert_eq!(sandbox.discovery.courses(), []);
    let api = Api::open(&sandbox).await;
    hand.pass(SignedDuration::from_mins(50));
    // The oldest is an hour ago, and no more than that one.
    assert_eq!(api.post("courses/", &course("DM")).await.status, 201);
    assert_eq!(api.get("courses/").await.status, 429);
}

#[tokio::test]
async fn the_most_requests_of_a_second_are_remembered() {
    let (sandbox, hand) = start_by_hand().await;
    let api = Api::open(&sandbox).await;
    assert_eq!(sandbox.discovery.peak_per_second(), 0);

    for requests in [2, 5, 3] {
        for _ in 0..requests {
            api.get("courses").await;
        }
        hand.pass(SignedDuration::from_secs(1));
    }

    assert_eq!(sandbox.discovery.peak_per_second(), 5);
    assert_eq!(sandbox.discovery.calls(), 11);
}

#[tokio::test]
async fn a_fault_hits_what_it_was_meant_for() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let faults = sandbox.discovery.faults();
    let down = Fault::Status(503);
    let retry_after = Some(Duration::from_secs(7));

    faults.always_for("POST courses", Fault::TooManyRequests { retry_after });
    let refused = api.post("courses/", &course("DM")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "7"));
    faults.heal("POST courses");
    let key = api.course("DM").await;
    let run = api.run(&key).await;
    let run = format!("course_runs/{run}/");
    for (subject, path, body) in [
        ("metadata", "courses/ACME+DM/", json!({"additional_metadata": {}})),
        ("staff", run.as_str(), json!({"staff": []})),
        ("publish", run.as_str(), json!({"draft": false})),
        ("Ada Lovelace", "people/", person("Ada", "Lovelace")),
    ] {
        faults.always_for(subject, down);
        let method = if path == "people/" {
            Method::POST
        } else {
            Method::PATCH
        };
        assert_eq!(api.write(method, path, &body).await.status, 503, "{subject}");
        assert_eq!(
            api.get("courses/ACME+DM/?editable=1").await.status,
            200,
            "{subject}"
        );
        assert_eq!(sandbox.discovery.calls_for(subject), 1, "{subject}");
        faults.heal(subject);
    }

    // The answer is lost and the deed is done.
    faults.always_for("POST people", Fault::AcceptThenCut);
    let request = with(api.request(Method::POST, "people/"), &person("Ada", "Lovelace"));
    assert!(send(request).await.is_err());
    assert_eq!(sandbox.discovery.how_many_people_named("Ada Lovelace"), 1);
    let done = sandbox.discovery.writes();
    let done: Vec<_> = done.iter().map(|write| (&write.method, write.resource)).collect();
    let posts = ["courses", "course_runs", "people"].map(|resource| (&Method::POST, resource));
    assert_eq!(done, posts);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let sandbox = start().await;
    let api = Api::open(&sandbox).await;
    let post = |body: &str| api.request(Method::POST, "people/").body(body.to_owned());

    assert_eq!(send(post("{}")).await.unwrap().status, 415);
    let broken = send(post("{").header("content-type", "application/json"))
        .await
        .unwrap();
    assert_eq!(broken.status, 400);
    assert!(broken.body["detail"].is_string());
    let (status, page) = api.text(Method::POST, "people/", &json!([])).await;
    assert_eq!(status, 500);
    assert!(page.starts_with("<!doctype html>"));
}
