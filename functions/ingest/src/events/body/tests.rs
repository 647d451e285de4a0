use http::HeaderValue;
use rstest::rstest;
use serde_json::json;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        let name = http::header::HeaderName::from_static(name);
        (name, HeaderValue::from_static(value))
    });
    pairs.collect()
}

fn read_json(value: &Value) -> Result<Body, Problem> {
    read(
        &headers(&[("content-type", "application/json; charset=utf-8")]),
        value.to_string().as_bytes(),
    )
}

#[test]
fn one_or_several() {
    let event = json!({"event": "course.created", "id": "e-1", "data": {"id": "1"}});
    let one = read_json(&event).unwrap();
    assert!(!one.is_array);
    let first = one.events[0].clone().unwrap();
    assert_eq!(
        (first.event.as_str(), first.id.as_deref()),
        ("course.created", Some("e-1"))
    );
    let several = read_json(&json!([event, {"event": 1}])).unwrap();
    assert!(several.is_array && several.events[0].is_ok() && several.events[1].is_err());
    // The same JSON is the same event, however it is written.
    let reordered = br#"{"data":{"id":"1"},  "id":"e-1","event":"course.created"}"#;
    let reordered = read(&headers(&[("content-type", "application/json")]), reordered).unwrap();
    assert_eq!(reordered.events[0].clone().unwrap().hash, first.hash);
}

#[rstest]
#[case(json!(1), &[""])]
#[case(json!({}), &["/event", "/data"])]
#[case(json!({"event": null, "id": 7, "data": []}), &["/event", "/id", "/data"])]
#[case(json!({"event": "e", "id": "", "data": {}}), &["/id"])]
#[case(json!({"event": "e", "id": "a b", "data": {}}), &["/id"])]
#[case(json!({"event": "e", "id": "x".repeat(65), "data": {}}), &["/id"])]
#[case(json!({"event": "e", "data": {}, "Data": {}}), &[""])]
fn all_that_is_wrong_is_told(#[case] event: Value, #[case] pointers: &[&str]) {
    let body = read_json(&event).unwrap();
    let violations = body.events[0].clone().unwrap_err();
    let found: Vec<_> = violations
        .iter()
        .map(|violation| violation.pointer.as_str())
        .collect();
    assert_eq!(found, pointers);
}

#[rstest]
#[case("application/json", "{", 400)]
#[case("application/json", "[]", 422)]
#[case("text/plain", "{}", 415)]
#[case("application/json", "\u{feff}{}", 400)]
fn what_is_no_body(#[case] media_type: &'static str, #[case] body: &str, #[case] status: u16) {
    let problem = read(&headers(&[("content-type", media_type)]), body.as_bytes()).unwrap_err();
    assert_eq!(problem.status().as_u16(), status);
    assert!(!problem.body().to_string().contains('\u{feff}'));
}

#[test]
fn too_many() {
    let events = vec![json!({}); MAX_EVENTS + 1];
    assert_eq!(
        read_json(&Value::from(events)).unwrap_err().status().as_u16(),
        422
    );
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = "[".repeat(100_000);
    let problem = read(&headers(&[("content-type", "application/json")]), deep.as_bytes()).unwrap_err();
    assert_eq!(problem.status().as_u16(), 400);
}

#[rstest]
#[case(&[], Ok(None))]
#[case(&[("idempotency-key", "a-1")], Ok(Some("a-1")))]
#[case(&[("idempotency-key", "\"a-1\"")], Ok(Some("a-1")))]
#[case(&[("idempotency-key", "")], Err(400))]
#[case(&[("idempotency-key", "a/1")], Err(400))]
fn the_key_of_a_request(
    #[case] pairs: &[(&'static str, &'static str)],
    #[case] expected: Result<Option<&str>, u16>,
) {
    let found = idempotency_key(&headers(pairs)).map_err(|problem| problem.status().as_u16());
    assert_eq!(
        found.as_ref().map(Option::as_deref).map_err(|status| *status),
        expected
    );
}
