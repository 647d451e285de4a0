use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use super::answer::{Persisted, Reading, persisted};
use super::*;
use crate::clock::SystemClock;
use crate::{ErrorKind, Verdict, Version};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";
const RETRY: Verdict = Verdict::Retry { after: None };

fn answer(status: u16, kind: &'static str, body: &Value) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]),
        body: body.to_string().into(),
    }
}

fn reading() -> Reading {
    let mut reading = Reading::new("/data/shortlist");
    reading.version = Some("/revision".to_owned());
    reading.harmless = vec!["/data/shortlist/items/*/price".to_owned()];
    reading.gone_codes = vec!["NOT_FOUND".to_owned()];
    reading
}

fn read(status: u16, kind: &'static str, body: &Value) -> Result<Fetched, Error> {
    reading().read(&answer(status, kind, body), Timestamp::UNIX_EPOCH)
}

/// A request error: no data at all.
fn refused(code: &str) -> Value {
    json!({"errors": [{"message": "of ada@lovelace.example", "extensions": {"code": code}}]})
}

/// A field error with this path, next to this data.
fn partial(path: &Value, data: &Value) -> Value {
    json!({"data": data, "errors": [
        {"message": "of ada@lovelace.example", "path": path, "extensions": {"code": "DOWNSTREAM"}},
    ]})
}

#[test]
fn data_is_the_state_and_its_version() {
    let body = json!({"data": {"shortlist": {"id": "s-1", "revision": 7}}, "extensions": {"cost": 1}});
    let state = json!({"id": "s-1", "revision": 7});
    let expected = Fetched::found(state, Some(Version::Number(7)));
    assert_eq!(read(200, JSON, &body).unwrap(), expected);
    assert_eq!(read(200, GRAPHQL, &body).unwrap(), expected);
}

#[rstest]
#[case::null(200, JSON, json!({"data": {"shortlist": null}}))]
#[case::null_and_no_errors(200, JSON, json!({"data": {"shortlist": null}, "errors": []}))]
#[case::declared_code(200, JSON, json!({"data": {"shortlist": null}, "errors": [
    {"path": ["shortlist"], "extensions": {"code": "NOT_FOUND"}}]}))]
#[case::declared_code_of_the_server(404, GRAPHQL, refused("NOT_FOUND"))]
fn gone(#[case] status: u16, #[case] kind: &'static str, #[case] body: Value) {
    assert_eq!(read(status, kind, &body).unwrap(), Fetched::gone());
}

#[rstest]
#[case::gateway_has_the_code_by_chance(404, JSON, refused("NOT_FOUND"))]
#[case::null_with_an_error(200, JSON, partial(&json!(["shortlist"]), &json!({"shortlist": null})))]
#[case::harmless_took_its_parents_along(200, JSON,
    partial(&json!(["shortlist", "items", 0, "price"]), &json!({"shortlist": null})))]
#[case::no_data(200, JSON, json!({}))]
#[case::another_answer(200, JSON, json!({"shortlist": null}))]
#[case::parent_is_null(200, JSON, json!({"data": null}))]
#[case::no_object(200, JSON, json!([]))]
#[case::status_of_the_endpoint(404, JSON, json!({"data": {"shortlist": null}}))]
#[case::wrong_url(404, "text/html", json!("<html>"))]
fn not_gone(#[case] status: u16, #[case] kind: &'static str, #[case] body: Value) {
    let error = read(status, kind, &body).unwrap_err();
    assert_eq!(
        (error.verdict(), error.stage()),
        (RETRY, Stage::Source),
        "{error}"
    );
}

#[rstest]
#[case("UNAUTHENTICATED", ErrorKind::Deauthorized, RETRY)]
#[case("FORBIDDEN", ErrorKind::Deauthorized, RETRY)]
#[case("RATE_LIMITED", ErrorKind::RateLimited, RETRY)]
#[case("TOO_MANY_REQUESTS", ErrorKind::RateLimited, RETRY)]
#[case("GRAPHQL_VALIDATION_FAILED", ErrorKind::Refused, RETRY)]
#[case("GRAPHQL_PARSE_FAILED", ErrorKind::Refused, RETRY)]
#[case("PERSISTED_QUERY_NOT_FOUND", ErrorKind::Refused, RETRY)]
#[case("BAD_USER_INPUT", ErrorKind::Refused, Verdict::Permanent)]
#[case("INTERNAL_SERVER_ERROR", ErrorKind::Unavailable, RETRY)]
#[case("SHORTLIST_ON_FIRE", ErrorKind::Unexpected, RETRY)]
fn codes(#[case] code: &str, #[case] kind: ErrorKind, #[case] verdict: Verdict) {
    let error = read(200, JSON, &refused(code)).unwrap_err();
    assert_eq!((error.kind(), error.verdict()), (kind, verdict));
    assert_eq!(error.vendor_code(), Some(code));
    let error = read(
        200,
        JSON,
        &json!({"errors": [{"extensions": {"classification": code}}]}),
    )
    .unwrap_err();
    assert_eq!((error.kind(), error.verdict()), (kind, verdict));
}

#[rstest]
#[case(401, json!("no JSON"), ErrorKind::Deauthorized, RETRY)]
#[case(400, refused("GRAPHQL_PARSE_FAILED"), ErrorKind::Refused, RETRY)]
#[case(400, json!({"errors": [{"message": "Syntax Error"}]}), ErrorKind::Refused, RETRY)]
#[case(422, json!({"errors": [{"message": "Unknown field"}]}), ErrorKind::Refused, RETRY)]
#[case(400, json!("<html>"), ErrorKind::Refused, RETRY)]
#[case(410, json!("<html>"), ErrorKind::NotFound, RETRY)]
#[case(413, json!("<html>"), ErrorKind::TooLarge, Verdict::Permanent)]
#[case(500, refused("INTERNAL_SERVER_ERROR"), ErrorKind::Unavailable, RETRY)]
#[case(503, json!("<html>"), ErrorKind::Unavailable, RETRY)]
fn statuses(#[case] status: u16, #[case] body: Value, #[case] kind: ErrorKind, #[case] verdict: Verdict) {
    for media in [JSON, GRAPHQL] {
        let error = read(status, media, &body).unwrap_err();
        assert_eq!((error.kind(), error.verdict()), (kind, verdict), "{error}");
    }
}

#[test]
fn a_wait_that_is_asked_for_is_kept() {
    let mut limited = answer(200, JSON, &refused("RATE_LIMITED"));
    limited
        .headers
        .insert(header::RETRY_AFTER, HeaderValue::from_static("90"));
    let error = reading().read(&limited, Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
}

#[test]
fn the_gravest_of_several_errors_decides() {
    let errors: Vec<_> = ["NOT_FOUND", "INTERNAL_SERVER_ERROR", "UNAUTHENTICATED", "ODD"]
        .map(|code| json!({"extensions": {"code": code}}))
        .into();
    let error = read(200, JSON, &json!({"data": null, "errors": errors})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deauthorized);
}

#[test]
fn partial_data_is_a_failure_that_names_the_field() {
    let data = json!({"shortlist": {"revision": 7, "items": null}});
    let error = read(200, JSON, &partial(&json!(["shortlist", "items"]), &data)).unwrap_err();
    assert_eq!(
        (error.kind(), error.verdict(), error.pointer()),
        (ErrorKind::Unexpected, RETRY, Some("/data/shortlist/items"))
    );
}

#[rstest]
#[case::null(json!({"sku": "a", "price": null}))]
#[case::left_out(json!({"sku": "a"}))]
fn a_harmless_field_that_failed_is_not_mentioned(#[case] item: Value) {
    let data = json!({"shortlist": {"revision": 7, "items": [item, {"sku": "b", "price": 3}]}});
    let path = json!(["shortlist", "items", 0, "price"]);
    let read = read(200, JSON, &partial(&path, &data)).unwrap();
    let expected = json!({"revision": 7, "items": [{"sku": "a"}, {"sku": "b", "price": 3}]});
    assert_eq!(read.state, Some(expected));
}

#[test]
fn a_harmless_field_in_a_list_that_failed_as_a_whole_is_not_harmless() {
    let data = json!({"shortlist": {"revision": 7, "items": null}});
    let path = json!(["shortlist", "items", 0, "price"]);
    let error = read(200, JSON, &partial(&path, &data)).unwrap_err();
    assert_eq!(error.pointer(), Some("/data/shortlist/items/0/price"));
}

#[test]
fn errors_quote_nothing() {
    let odd = json!({"errors": [{
        "message": "of ada@lovelace.example", "path": ["lovelace.example", "Ada Lovelace"],
        "extensions": {"code": "Ada Lovelace"},
    }]});
    let error = read(200, JSON, &odd).unwrap_err();
    assert_eq!((error.vendor_code(), error.pointer()), (None, None));
    assert!(!format!("{error:?}").to_lowercase().contains("lovelace"));
}

#[rstest]
#[case(json!([{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]), Persisted::Unknown)]
#[case(json!([{"message": "PersistedQueryNotFound"}]), Persisted::Unknown)]
#[case(json!([{"message": "x", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}]), Persisted::Refused)]
#[case(json!([{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]), Persisted::Known)]
#[case(json!([]), Persisted::Known)]
fn hashes(#[case] errors: Value, #[case] expected: Persisted) {
    assert_eq!(
        persisted(&answer(200, JSON, &json!({"errors": errors}))),
        expected
    );
}

fn source(url: &str, variables: Value, state: &str) -> Result<GraphQlSource, HttpError> {
    let query = GraphQlQuery {
        document: "query($id: ID!) { shortlist(id: $id) { id } }".to_owned(),
        operation: None,
        variables,
        state: state.to_owned(),
    };
    GraphQlSource::new(
        Http::new(false).unwrap(),
        Arc::new(SystemClock),
        url.parse().unwrap(),
        query,
    )
}

#[rstest]
#[case("https://shop.example/graphql", json!({"id": "{id}"}), "/data/shortlist", true)]
#[case("https://shop.example/graphql", json!({"where": {"ids": ["urn:{id}"]}}), "/data/shortlist", true)]
#[case("http://shop.example/graphql", json!({"id": "{id}"}), "/data/shortlist", false)]
#[case("https://shop.example/graphql", json!({"id": 7}), "/data/shortlist", false)]
#[case("https://shop.example/graphql", json!({"id": "{id}"}), "/shortlist", false)]
fn a_wrong_query_shows_at_start(
    #[case] url: &str,
    #[case] variables: Value,
    #[case] state: &str,
    #[case] is_usable: bool,
) {
    assert_eq!(source(url, variables, state).is_ok(), is_usable);
}

#[test]
fn the_id_is_a_value_and_nothing_else() {
    let id = r#"s-1"}) { secrets }"#;
    let variables = json!({"where": {"ids": ["urn:{id}", 1]}, "first": 1});
    let expected = json!({"where": {"ids": [format!("urn:{id}"), 1]}, "first": 1});
    assert_eq!(with_id(&variables, id), expected);
}
