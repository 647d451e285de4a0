use rstest::rstest;
use serde_json::json;

use super::*;

/// A file whose one event is `event`.
fn file(event: &Value) -> String {
    let rules = json!({ "item": "./a", "loop": { "set": { "a": { "rule": "loop" } } } });
    let file =
        json!({ "title": "T", "$defs": { "a": {} }, "rules": rules, "events": { "course.updated": event } });
    file.to_string()
}

/// An event with this rule.
fn state(rule: &Value) -> Value {
    let change = json!({ "entity": "course", "kind": "updated", "id": "/id", "state": rule });
    json!({ "schema": {}, "changes": [change] })
}

fn read(event: &Value) -> ShapeError {
    shape("test", &file(event)).unwrap_err()
}

#[rstest]
#[case::event(json!({ "schema": {} }), "", "a member `changes`")]
#[case::schema(json!({ "schema": [], "changes": [] }), "/schema", "an object")]
#[case::reference(
    json!({ "schema": { "items": [{ "$ref": "#/$defs/b" }] }, "changes": [] }),
    "/schema/items/0/$ref", "`#/$defs/` and the name of one of this file's `$defs`"
)]
#[case::foreign_reference(
    json!({ "schema": { "$ref": "https://a.example/schema.json" }, "changes": [] }),
    "/schema/$ref", "`#/$defs/` and the name of one of this file's `$defs`"
)]
#[case::more(json!({ "schema": {}, "changes": [], "more/~": 1 }), "/more~1~0", "one of `schema`, `changes`")]
#[case::changes(json!({ "schema": {}, "changes": {} }), "/changes", "a list")]
#[case::other("course.created".into(), "", "a member `course.created`")]
#[case::column(json!({ "schema": {}, "row": ["title"] }), "/row/0", "a list")]
#[case::columns(json!({ "schema": {}, "row": [["title"]] }), "/row/0", "a column's name and its rule")]
fn says_what_is_wrong_with_an_event(#[case] event: Value, #[case] pointer: &str, #[case] expected: &str) {
    let error = read(&event);
    let at = if pointer.is_empty() && event.is_string() {
        "/events".to_owned()
    } else {
        format!("/events/course.updated{pointer}")
    };
    assert_eq!(
        (error.file.as_str(), error.pointer, error.expected.as_str()),
        ("test.json", at, expected)
    );
}

#[rstest]
#[case::number(json!(7), "", "a pointer, or an object with one of `copy`, `from`, `set`, `list`, `each`, `html`, `rule`")]
#[case::pointer(json!("title"), "", "a JSON Pointer, or one that begins with a dot")]
#[case::item(json!("./title"), "", "a JSON Pointer: one that begins with a dot is for what is done with `each` item")]
#[case::set(json!({ "set": { "a": "b" } }), "/set/a", "a JSON Pointer, or one that begins with a dot")]
#[case::reader(
    json!({ "from": "/a", "as": "texts" }), "/as",
    "one of `text`, `joined`, `base64-url`, `day-start`, `day-end`, `money`, `effort-min`, `effort-max`, `organization`, `words`"
)]
#[case::no_reader(json!({ "from": "/a" }), "", "a member `as`")]
#[case::two_readers(json!({ "from": "/a", "as": "text", "choices": {} }), "/as", "one of `from`, `choices`")]
#[case::except(json!({ "copy": "", "except": [1] }), "/except/0", "a text")]
#[case::list(json!({ "list": ["/a", "b"] }), "/list/1", "a JSON Pointer, or one that begins with a dot")]
#[case::key(json!({ "each": "/a", "key": "id", "item": "./a" }), "/key", "a JSON Pointer, or one that begins with a dot")]
#[case::no_item(json!({ "each": "/a" }), "", "a member `item`")]
#[case::open(json!({ "html": ["<p>{/a</p>"] }), "/html/0", "a `}` for each `{`")]
#[case::place(json!({ "html": ["<p>{a}</p>"] }), "/html/0", "a pointer between `{` and `}`")]
#[case::html_item(json!({ "html": ["<p>{./a}</p>"] }), "/html/0", "a pointer between `{` and `}`")]
#[case::rule(json!({ "rule": "b" }), "/rule", "the name of one of this file's `rules`")]
fn says_what_is_wrong_with_a_rule(#[case] rule: Value, #[case] pointer: &str, #[case] expected: &str) {
    let error = read(&state(&rule));
    let at = format!("/events/course.updated/changes/0/state{pointer}");
    assert_eq!((error.pointer, error.expected.as_str()), (at, expected));
}

#[rstest]
#[case::itself(json!({ "rule": "loop" }), "/rules/loop/set/a/rule", "a rule that this one is not a part of")]
#[case::outside_an_item(json!({ "rule": "item" }), "/rules/item", "a JSON Pointer: one that begins with a dot is for what is done with `each` item")]
fn says_what_is_wrong_with_a_named_rule(#[case] rule: Value, #[case] pointer: &str, #[case] expected: &str) {
    let error = read(&state(&rule));
    assert_eq!(
        (error.pointer.as_str(), error.expected.as_str()),
        (pointer, expected)
    );
}

#[rstest]
#[case("{", "", "JSON")]
#[case("[]", "", "an object")]
#[case("{}", "", "a member `title`")]
#[case(r#"{ "title": 1, "events": {} }"#, "/title", "a text")]
#[case(
    r#"{ "title": "T", "events": {}, "mapping": {} }"#,
    "/mapping",
    "one of `title`, `events`, `$defs`, `rules`"
)]
#[case(
    r#"{ "title": "T", "events": {}, "rules": { "a": 1 } }"#,
    "/rules/a",
    "a pointer, or an object with one of `copy`, `from`, `set`, `list`, `each`, `html`, `rule`"
)]
fn says_what_is_wrong_with_a_file(#[case] text: &str, #[case] pointer: &str, #[case] expected: &str) {
    let error = shape("test", text).unwrap_err();
    assert_eq!(
        (error.pointer.as_str(), error.expected.as_str()),
        (pointer, expected)
    );
}

#[test]
fn an_event_has_a_known_name() {
    let text = r#"{ "title": "T", "events": { "course.deleted": { "schema": {}, "changes": [] } } }"#;
    let error = shape("test", text).unwrap_err();
    assert_eq!(
        (error.pointer.as_str(), error.found.as_str()),
        ("/events/course.deleted", "course.deleted")
    );
    assert!(
        error
            .to_string()
            .starts_with("test.json, `/events/course.deleted`: expected an event of course-run.created,")
    );
}
