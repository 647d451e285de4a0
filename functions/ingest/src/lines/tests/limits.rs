//! What is told of wrong data.

use rstest::rstest;

use super::*;

fn refused(event: &str, data: &Value) -> Vec<Violation> {
    match canonical(event, data) {
        Err(Refused::Invalid(violations)) => violations,
        other => panic!("{other:?}"),
    }
}

fn with(name: &str, value: Value) -> Value {
    let mut course = course();
    course[name] = value;
    course
}

#[rstest]
#[case(with("title", json!(null)), "/title", "a text that is not blank, without control characters", "null")]
#[case(with("title", json!("")), "/title", "a text that is not empty", "an empty text")]
#[case(with("title", json!("x".repeat(256))), "/title", "a text of at most 255 characters", "a text of 256 characters")]
#[case(with("faq", json!("\0")), "/faq", "a text without null characters or null", "a text of one character")]
#[case(with("faq", json!(7)), "/faq", "a text without null characters or null", "a number")]
#[case(with("type", json!("7")), "/type", "a UUID or null", "a text of one character")]
#[case(with("subjects", json!(["a b"])), "/subjects/0", "a slug of letters, digits, `_` and `-`", "a text of 3 characters")]
#[case(with("subjects", json!({})), "/subjects", "a list or null", "an object of 0")]
#[case(with("subjects", json!(["a", "a"])), "/subjects", "a list without repetitions", "a list of 2")]
#[case(with("prices", json!({ "verified": 7 })), "/prices/verified", "a price as a text, such as 2450.00 or null", "a number")]
#[case(with("prices", json!({ "Ada Example": "7" })), "/prices", "modes of at most 50 letters, `_` and `-`", "another name")]
#[case(with("metadata", json!({ "product_status": "gone" })), "/metadata/product_status", "one of `published`, `archived`, null", "`gone`")]
#[case(with("metadata", json!({ "product_status": "Ada Example" })), "/metadata/product_status", "one of `published`, `archived`, null", "a text of 11 characters")]
#[case(with("a/b~c", json!(1)), "/a~1b~0c", "no such member", "a number")]
#[case(with(&"x".repeat(65), json!("Ada")), "", "no such member", "a text of 3 characters")]
#[case(json!({ "id": "1", "number": "DM", "title": "T" }), "/organization", "`organization`", "nothing")]
#[case(with("organization", json!("OTHER")), "/organization", "an organisation of this line", "`OTHER`")]
#[case(json!([]), "", "an object", "a list of 0")]
fn says_what_is_wrong(
    #[case] data: Value,
    #[case] pointer: &str,
    #[case] expected: &str,
    #[case] found: &str,
) {
    assert_eq!(
        refused("course.created", &data),
        [Violation::new(pointer, expected, found)]
    );
}

#[rstest]
#[case("https://cdn.example/a.jpg", true)]
#[case("https://cdn.example:8443/a%20b?c=d&e#f", true)]
#[case("https://cdn.example", true)]
#[case("http://cdn.example/a.jpg", false)]
#[case("HTTPS://cdn.example/a.jpg", false)]
#[case("https://user:password@cdn.example/", false)]
#[case("https://cdn.example\\@other.example/", false)]
#[case("https:///a.jpg", false)]
#[case("https://cdn.example/a b", false)]
#[case("https://cdn.example/%zz", false)]
#[case("https://cdn.example/\n", false)]
#[case("ftp://cdn.example/", false)]
#[case("javascript:alert(1)", false)]
#[case("", false)]
fn urls_are_https(#[case] url: &str, #[case] is_right: bool) {
    let read = canonical("course.updated", &json!({ "id": "1", "image_url": url }));
    assert_eq!(read.is_ok(), is_right, "{read:?}");
}

#[rstest]
#[case("2026-03-20T00:00:00Z", true)]
#[case("2026-03-20T00:00:00.123456+02:00", true)]
#[case("2026-02-30T00:00:00Z", false)]
#[case("2026-03-20", false)]
#[case("2026-03-20 00:00:00Z", false)]
#[case("2026-03-20T00:00:00", false)]
#[case("2026-03-20T23:59:60Z", false)]
#[case("9999-03-20T00:00:00Z", false)]
fn times_are_as_in_rfc_3339(#[case] time: &str, #[case] is_right: bool) {
    let read = canonical(
        "course.updated",
        &json!({ "id": "1", "metadata": { "start_date": time } }),
    );
    assert_eq!(read.is_ok(), is_right, "{read:?}");
}

#[test]
fn all_that_is_wrong_is_told_but_not_without_end() {
    let mut course = course();
    for at in 0..300 {
        course[format!("member-{at}")] = json!(at);
    }
    assert_eq!(refused("course.created", &course).len(), MAX_VIOLATIONS);
}

/// A body of a megabyte can hold half a million items: telling of each takes more memory than there is.
#[rstest]
#[case(with("subjects", json!(vec![0; 501])), "/subjects", "a list of at most 500", "a list of 501")]
#[case(with("metadata", json!({ "facts": [vec![0; 501]] })), "/metadata/facts/0", "a list of at most 500", "a list of 501")]
#[case(Value::Object((0..501).map(|at| (at.to_string(), json!(at))).collect()), "", "an object of at most 500", "an object of 501")]
fn what_is_too_large_is_not_looked_into(
    #[case] data: Value,
    #[case] pointer: &str,
    #[case] expected: &str,
    #[case] found: &str,
) {
    assert_eq!(
        refused("course.created", &data),
        [Violation::new(pointer, expected, found)]
    );
}

#[test]
fn no_value_of_the_caller_is_repeated() {
    let secret = "Ada Example <ada@example.org> 1815-12-10 very private";
    let data = json!({
        "id": secret, "number": secret, "organization": secret, "title": [secret], "type": secret, "image_url": secret,
        "prices": { "verified": secret }, "subjects": [secret], "metadata": { "start_date": secret, "product_status": secret },
    });
    let told = serde_json::to_string(&refused("course.created", &data)).unwrap();
    assert!(!told.contains("Ada") && !told.contains("1815"), "{told}");
    assert!(refused("course.created", &data).len() >= 9, "{told}");
}

#[test]
fn an_event_that_a_shape_does_not_know_is_named_with_those_that_it_knows() {
    let line = LineTerms::default();
    let read = shape("executive-education").read("instructor.created", &line, &json!({}));
    let known = vec!["course.updated".to_owned(), "product.created".to_owned()];
    assert_eq!(read, Err(Refused::UnknownEvent { known }));
}
