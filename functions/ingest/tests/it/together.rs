//! Events that meet each other: each keeps its own outcome.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::Fault;

use crate::events::{course, event, instructor, run};
use crate::front::Front;

const AT_ONCE: [(&str, &str); 1] = [("prefer", "wait=0")];

/// A product whose instructor has this position.
fn product(position: &str) -> Value {
    let mut run = run("r-1");
    run["staff"] = json!(["p-1"]);
    let mut person = instructor("p-1");
    person["position"]["organization"] = json!(position);
    json!({"course": course("1"), "runs": [run], "instructors": [person]})
}

/// The person was refused before, and comes mended in the same event as the product that needs him.
#[tokio::test]
async fn a_mended_product_is_brought() {
    let front = Front::open().await;
    front
        .sandbox
        .discovery
        .faults()
        .always_for("POST people", Fault::Status(400));
    let answer = front
        .event(&[], &event("product.created", "e-1", &product("ACME")))
        .await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_eq!(
        answer.body["point_of_failure"]["step"], "person",
        "{}",
        answer.body
    );
    front.sandbox.discovery.faults().clear();
    // A refusal without a field may hide a creation: by now that would show.
    front.pass(Duration::from_mins(2));
    let answer = front
        .event(&[], &event("product.created", "e-2", &product("ACME")))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// An event whose state another one brought stays done, whatever fails afterwards.
#[tokio::test]
async fn a_later_failure_is_not_blamed_on_who_was_done() {
    let front = Front::open().await;
    front
        .event(&[], &event("course.created", "e-0", &course("1")))
        .await;
    *front.queue.is_held.lock().unwrap() = true;
    let one = event("course.updated", "e-1", &json!({"id": "1", "title": "New"}));
    front.event(&AT_ONCE, &one).await;
    *front.queue.is_held.lock().unwrap() = false;
    let two = event("course.updated", "e-2", &json!({"id": "1", "outcome": "Skills"}));
    assert_eq!(front.event(&[], &two).await.status, 200);
    let first = front.event(&[], &one).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let bad = event(
        "course.updated",
        "e-3",
        &json!({"id": "1", "subjects": ["alchemy"]}),
    );
    assert_eq!(front.event(&[], &bad).await.status, 422);
    let again = front.event(&[], &one).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["status"]),
        (200, &json!("done")),
        "{}",
        again.body
    );
    assert_eq!(front.get("/v1/events/e-1").await.body["status"], "done");
}

/// Sent again before anything is known of it, when something newer and wrong is wanted by then.
#[tokio::test]
async fn a_repeat_does_not_take_over_a_newer_state() {
    let front = Front::open().await;
    front
        .event(&[], &event("course.created", "e-0", &course("1")))
        .await;
    *front.queue.is_held.lock().unwrap() = true;
    let one = event("course.updated", "e-1", &json!({"id": "1", "title": "New"}));
    front.event(&AT_ONCE, &one).await;
    let bad = event(
        "course.updated",
        "e-2",
        &json!({"id": "1", "subjects": ["alchemy"]}),
    );
    front.event(&AT_ONCE, &bad).await;
    front.event(&AT_ONCE, &one).await;
    let sent = front.queue.sent();
    assert_eq!(sent.len(), 4);
    for message in &sent[1..] {
        front.queue.deliver(message.clone()).await.unwrap();
    }
    let told = front.get("/v1/events/e-1").await.body;
    assert_eq!(told["status"], "done", "{told}");
    assert_eq!(front.get("/v1/events/e-2").await.body["status"], "failed");
}

/// The process died between writing the event and sending it; a newer one was accepted, and died as well.
#[tokio::test]
async fn a_repeat_sends_what_was_never_sent() {
    let front = Front::open().await;
    *front.queue.is_down.lock().unwrap() = true;
    let one = event("course.created", "e-1", &course("1"));
    assert_eq!(front.event(&[], &one).await.status, 503);
    let two = event("course.updated", "e-2", &json!({"id": "1", "title": "New"}));
    assert_eq!(front.event(&[], &two).await.status, 503);
    *front.queue.is_down.lock().unwrap() = false;
    let answer = front.event(&[], &one).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["status"]),
        (200, &json!("done")),
        "{}",
        answer.body
    );
    assert_eq!(front.sandbox.discovery.course("ACME+DM1").unwrap().title, "New");
    // What the other one wanted stands there as well.
    assert_eq!(front.event(&[], &two).await.status, 200);
}

#[rstest]
#[case("GET", "/v1/events/%FF", 404)]
#[case("GET", "/v1/events/..", 404)]
#[case("GET", "/v1/schemas/%FF", 404)]
#[case("GET", "/v1/schemas?line=%FF", 403)]
#[case("POST", "/v1/lines/%FF/events", 403)]
#[tokio::test]
async fn a_path_that_is_no_text_names_nothing(#[case] method: &str, #[case] path: &str, #[case] status: u16) {
    let front = Front::open().await;
    let answer = front
        .send(method, path, &[], &event("course.created", "e-0", &course("1")))
        .await;
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}

/// Each person and product is looked at until the request is answered.
#[tokio::test]
async fn a_request_is_about_so_many_at_most() {
    let front = Front::open().await;
    let people: Vec<_> = (0..50).map(|id| instructor(&format!("p-{id}"))).collect();
    let events = (0..5).map(|id| {
        let data = json!({"course": course(&id.to_string()), "runs": [run("r-1")], "instructors": people});
        event("product.created", &format!("e-{id}"), &data)
    });
    let answer = front.event(&AT_ONCE, &events.collect()).await;
    let statuses = answer.body["outcomes"].as_array().unwrap().iter();
    let statuses: Vec<_> = statuses
        .map(|outcome| outcome["http_status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [202, 202, 202, 413, 413], "{}", answer.body);
}
