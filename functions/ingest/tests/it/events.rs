//! What a line sends, what it is told, and what stands at the vendor then.

use std::time::Duration;

use http::header::{LOCATION, RETRY_AFTER};
use rstest::rstest;
use serde_json::{Value, json};

use crate::front::{Answer, Front, SESSION};

/// A course with everything that is required.
pub(crate) fn course(id: &str) -> Value {
    json!({"id": id, "number": format!("DM{id}"), "organization": "ACME", "title": "Digital Marketing", "prices": {"verified": "2450.00"}})
}

pub(crate) fn run(id: &str) -> Value {
    json!({"id": id, "start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z"})
}

pub(crate) fn instructor(id: &str) -> Value {
    json!({"id": id, "given_name": "Ada", "family_name": "Lovelace", "position": {"title": "Professor", "organization": "ACME"}})
}

pub(crate) fn event(name: &str, id: &str, data: &Value) -> Value {
    json!({"event": name, "id": id, "data": data})
}

pub(crate) fn product(id: &str) -> Value {
    let mut run = run("r-1");
    run["staff"] = json!(["p-1"]);
    json!({"course": course(id), "runs": [run], "instructors": [instructor("p-1")]})
}

pub(crate) fn steps(answer: &Answer) -> Vec<String> {
    let entities = answer.body["entities"].as_array().unwrap();
    let steps = entities
        .iter()
        .flat_map(|entity| entity["steps"].as_array().unwrap());
    steps
        .map(|step| step["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_product_is_brought_in_its_order_and_the_answer_lists_the_steps() {
    let front = Front::open().await;
    let answer = front
        .event(&[], &event("product.created", "e-1", &product("1")))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        (&answer.body["status"], &answer.body["href"]),
        (&json!("done"), &json!("/v1/events/e-1"))
    );
    assert_eq!(
        steps(&answer),
        ["person", "people", "course", "run r-1", "metadata", "staff r-1"][..],
        "{}",
        answer.body
    );
    let entities = &answer.body["entities"];
    assert_eq!(entities[0]["entity"], "instructor/acme:p-1");
    assert_eq!(entities[1]["link"], "ACME+DM1");
    for step in entities[1]["steps"].as_array().unwrap() {
        assert!(step["at"].is_string() && step["took_ms"].is_number(), "{step}");
    }
    let discovery = &front.sandbox.discovery;
    assert_eq!(
        (
            discovery.people().len(),
            discovery.courses().len(),
            discovery.runs().len()
        ),
        (1, 1, 1)
    );
    let found = front.get("/v1/events/e-1").await;
    assert_eq!((found.status.as_u16(), &found.body), (200, &answer.body));
    // Who it was, is kept.
    assert_eq!(front.store.request_of("e-1").unwrap().caller, SESSION);
}

#[tokio::test]
async fn an_update_touches_only_what_it_is_about() {
    let front = Front::open().await;
    front
        .event(&[], &event("product.created", "e-1", &product("1")))
        .await;
    let before = front.sandbox.discovery.writes().len();
    let update = event("course.updated", "e-2", &json!({"id": "1", "title": "Marketing"}));
    let answer = front.event(&[], &update).await;
    assert_eq!(
        (answer.status.as_u16(), steps(&answer)),
        (200, vec!["metadata".to_owned()]),
        "{}",
        answer.body
    );
    assert_eq!(front.sandbox.discovery.writes().len(), before + 1);
    let course = front.sandbox.discovery.course("ACME+DM1").unwrap();
    assert_eq!(course.title, "Marketing");
    let state = front.store.wanted_state("course/acme:1").unwrap();
    assert_eq!(
        (state.revision, &state.state["runs"]["r-1"]["start"]),
        (2, &json!("2026-03-20T00:00:00Z"))
    );
}

#[tokio::test]
async fn a_repeat_gets_the_first_outcome_and_the_same_id_for_something_else_a_conflict() {
    let front = Front::open().await;
    let first = event("course.created", "e-1", &course("1"));
    let answer = front.event(&[], &first).await;
    let repeat = front.event(&[], &first).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body),
        (repeat.status.as_u16(), &repeat.body)
    );
    assert_eq!(
        (front.queue.sent().len(), front.sandbox.discovery.courses().len()),
        (1, 1)
    );
    let mut other = first.clone();
    other["data"]["title"] = json!("Another");
    let conflict = front.event(&[], &other).await;
    assert_eq!(
        (conflict.status.as_u16(), &conflict.body["code"]),
        (409, &json!("idempotency-mismatch"))
    );
    // By the header as well, and it names each event of an array.
    let keyed = [("idempotency-key", "k-1")];
    let unnamed = json!({"event": "course.created", "data": course("2")});
    let answer = front.event(&keyed, &unnamed).await;
    assert_eq!((answer.status.as_u16(), &answer.body["id"]), (200, &json!("k-1")));
    assert_eq!(front.event(&keyed, &unnamed).await.body, answer.body);
    let several = json!([{"event": "course.created", "data": course("3")}, {"event": "course.created", "data": course("4")}]);
    let answer = front.event(&[("idempotency-key", "k-2")], &several).await;
    assert_eq!(answer.body["outcomes"][1]["id"], "k-2.1");
    assert_eq!(front.sandbox.discovery.courses().len(), 4);
}

#[tokio::test]
async fn who_does_not_wait_gets_a_link() {
    let front = Front::open().await;
    *front.queue.is_held.lock().unwrap() = true;
    for prefer in ["respond-async", "wait=0", "wait=2"] {
        let id = prefer.replace('=', "-");
        let answer = front
            .event(&[("prefer", prefer)], &event("course.created", &id, &course(&id)))
            .await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["status"]),
            (202, &json!("pending")),
            "{}",
            answer.body
        );
        assert_eq!(answer.headers[LOCATION], format!("/v1/events/{id}"));
        assert_eq!(
            front.get(&format!("/v1/events/{id}")).await.body["status"],
            "pending"
        );
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_and_nothing_is_sent() {
    let front = Front::open().await;
    let mut wrong = course("1");
    wrong["title"] = json!(7);
    wrong["prices"] = json!({"verified": "free"});
    wrong["colour"] = json!("red");
    let answer = front.event(&[], &event("course.created", "e-1", &wrong)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (422, &json!("invalid"))
    );
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let violations = answer.body["violations"].as_array().unwrap();
    let pointers: Vec<_> = violations
        .iter()
        .map(|violation| violation["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/data/title", "/data/prices/verified", "/data/colour"] {
        assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
    }
    assert!(!answer.body.to_string().contains("red"));
    assert_eq!(
        (front.queue.sent().len(), front.sandbox.discovery.calls()),
        (0, 0)
    );
    assert!(front.store.request_of("e-1").is_none());
    assert_eq!(front.get("/v1/events/e-1").await.status, 404);
}

#[rstest]
#[case::a_run_of_no_course("course-run.created", json!({"id": "r-1", "course": "9", "start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z"}))]
#[case::an_unknown_course("course.updated", json!({"id": "9", "title": "x"}))]
#[case::an_unknown_person("instructor.updated", json!({"id": "9", "bio": "x"}))]
#[case::another_number("course.updated", json!({"id": "1", "number": "XX"}))]
#[case::another_products_number("course.created", json!({"id": "2", "number": "DM1", "organization": "ACME", "title": "Twin", "prices": {}}))]
#[case::another_organization("course.created", json!({"id": "2", "number": "X", "organization": "OTHER", "title": "x"}))]
#[tokio::test]
async fn what_does_not_fit_what_is_there(#[case] name: &str, #[case] data: Value) {
    let front = Front::open().await;
    front
        .event(&[], &event("course.created", "e-0", &course("1")))
        .await;
    let sent = front.queue.sent().len();
    let answer = front.event(&[], &event(name, "e-1", &data)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (422, &json!("invalid")),
        "{}",
        answer.body
    );
    assert_eq!(front.queue.sent().len(), sent);
}

#[tokio::test]
async fn a_degree_comes_back_as_the_row_that_can_be_imported() {
    let front = Front::open().await;
    let degree = json!({
        "title": "MSc Marketing", "card_image_url": "https://cdn.example/c.jpg", "product_type": "Masters", "organization_key": "ACME",
        "slug": "msc-marketing", "primary_subject": "Business & Management", "content_language": "English - United States",
        "course_level": "Intermediate", "paid_landing_page_url": "https://lob.example/lp", "organic_url": "https://lob.example/o",
        "identifier": "deg-1", "overview": "<p>x, \"y\"</p>", "organization_short_code_override": "",
    });
    let answer = front.event(&[], &event("degree.created", "e-1", &degree)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (422, &json!("degrees-are-read-only")),
        "{}",
        answer.body
    );
    assert_eq!(answer.body["row"]["title"], "MSc Marketing");
    assert!(
        answer.body["csv"]
            .as_str()
            .unwrap()
            .contains("\"<p>x, \"\"y\"\"</p>\"")
    );
    assert_eq!(
        (front.queue.sent().len(), front.sandbox.discovery.calls()),
        (0, 0)
    );
}

/// Each event stands for itself; those that others are made of come first, wherever they stand.
#[tokio::test]
async fn an_array_is_answered_event_by_event() {
    let front = Front::open().await;
    let mut staffed = run("r-1");
    staffed["course"] = json!("1");
    staffed["staff"] = json!(["p-1"]);
    let events = json!([
        event("course-run.created", "e-1", &staffed),
        {"event": "course.created", "data": 1},
        event("course.created", "e-3", &course("1")),
        event("instructor.created", "e-4", &instructor("p-1")),
    ]);
    let answer = front.event(&[], &events).await;
    assert_eq!(answer.status, 207, "{}", answer.body);
    let outcomes = answer.body["outcomes"].as_array().unwrap();
    let statuses: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome["http_status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 422, 200, 200], "{}", answer.body);
    assert_eq!(outcomes[1]["violations"][0]["index"], 1);
    let run = &front.sandbox.discovery.runs()[0];
    assert_eq!(run.staff.len(), 1);
}

#[tokio::test]
async fn two_that_change_one_product_at_once_both_count() {
    let front = Front::open().await;
    front
        .event(&[], &event("course.created", "e-0", &course("1")))
        .await;
    front.store.overtake(3);
    let (one, other) = (
        event("course.updated", "e-1", &json!({"id": "1", "title": "New"})),
        event("course.updated", "e-2", &json!({"id": "1", "outcome": "Skills"})),
    );
    let (one, other) = tokio::join!(front.event(&[], &one), front.event(&[], &other));
    assert_eq!(
        (one.status.as_u16(), other.status.as_u16()),
        (200, 200),
        "{} {}",
        one.body,
        other.body
    );
    let course = front.sandbox.discovery.course("ACME+DM1").unwrap();
    assert_eq!(course.title, "New");
    assert_eq!(front.store.wanted_state("course/acme:1").unwrap().revision, 3);
}

#[tokio::test]
async fn a_queue_that_is_down_took_nothing_and_a_repeat_does() {
    let front = Front::open().await;
    *front.queue.is_down.lock().unwrap() = true;
    let first = event("course.created", "e-1", &course("1"));
    let answer = front.event(&[], &first).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (503, &json!("not-taken"))
    );
    assert!(answer.headers.contains_key(RETRY_AFTER));
    *front.queue.is_down.lock().unwrap() = false;
    let answer = front.event(&[], &first).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(front.sandbox.discovery.courses().len(), 1);
}

#[rstest]
#[case::unsigned(None, "acme", 401, "unauthorized")]
#[case::nobody(Some(json!({})), "acme", 401, "unauthorized")]
#[case::another_role(Some(json!({"iam": {"userArn": "arn:aws:sts::123456789012:assumed-role/stranger/i-1"}})), "acme", 403, "not-your-line")]
#[case::another_account(Some(json!({"iam": {"userArn": "arn:aws:sts::999999999999:assumed-role/acme/i-1"}})), "acme", 403, "not-your-line")]
#[case::another_line(Some(json!({"iam": {"userArn": SESSION}})), "other", 403, "not-your-line")]
#[case::no_line(Some(json!({"iam": {"userArn": SESSION}})), "nothing", 403, "not-your-line")]
#[case::a_client(Some(json!({"jwt": {"claims": {"client_id": "acme-client"}, "scopes": null}})), "acme", 200, "")]
#[case::another_client(Some(json!({"jwt": {"claims": {"client_id": "other", "sub": "acme-client"}, "scopes": null}})), "acme", 403, "not-your-line")]
#[tokio::test]
async fn who_may_write_which_line(
    #[case] authorizer: Option<Value>,
    #[case] line: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let front = Front::open().await;
    let body = event("course.created", "e-1", &course("1")).to_string();
    let path = format!("/v1/lines/{line}/events");
    let answer = front.send_as(authorizer.clone(), "POST", &path, &[], body).await;
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.body["code"].as_str().unwrap_or_default()
        ),
        (status, code),
        "{}",
        answer.body
    );
    assert_eq!(front.queue.sent().len(), usize::from(status == 200));
    // Nor is anybody else told what became of it.
    front
        .event(&[], &event("course.created", "e-2", &course("2")))
        .await;
    let found = front
        .send_as(authorizer, "GET", "/v1/events/e-2", &[], String::new())
        .await;
    let may_see = status == 200 || line != "acme" && code == "not-your-line";
    assert_eq!(found.status == 200, may_see, "{}", found.body);
}

#[tokio::test]
async fn too_many_calls_of_one_caller_wait() {
    let front = Front::open_for(3).await;
    let several = json!([
        event("course.created", "e-1", &course("1")),
        event("course.created", "e-2", &course("2"))
    ]);
    assert_eq!(front.event(&[("prefer", "wait=0")], &several).await.status, 202);
    let answer = front.event(&[("prefer", "wait=0")], &several).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (429, &json!("too-many-requests")),
        "{}",
        answer.body
    );
    let seconds: u64 = answer.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=11).contains(&seconds), "{seconds}");
    front.pass(Duration::from_secs(seconds));
    assert_eq!(front.event(&[("prefer", "wait=0")], &several).await.status, 202);
}

#[tokio::test]
async fn a_body_without_end_is_not_read() {
    let front = Front::open().await;
    let text = "x".repeat(1024 * 1024);
    let answer = front
        .event(&[], &event("course.created", "e-1", &json!({"id": text})))
        .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (413, &json!("too-large"))
    );
}
