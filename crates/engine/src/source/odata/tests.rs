use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::Verdict;
use crate::clock::SystemClock;
use crate::http::Answer;
use crate::source::endpoint::Endpoint;

pub(super) const BASE: &str = "https://sap.example:50000/b1s/v2";
const RETRY: Verdict = Verdict::Retry { after: None };
const TAG: &str = "W/\"1B6453892473A467D07372D45EB05ABC2031647A\"";

pub(super) fn endpoint(base: &str) -> Endpoint {
    let http = Http::new(false).unwrap();
    Endpoint::new(http, Arc::new(SystemClock), base.parse().unwrap()).unwrap()
}

pub(super) fn partners() -> ODataEntity {
    ODataEntity::new("BusinessPartners", KeyKind::Text, &["CardCode", "U_Link"]).unwrap()
}

pub(super) fn invoices(select: &[&str]) -> ODataEntity {
    ODataEntity::new("Invoices", KeyKind::Number, select).unwrap()
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

fn read(status: u16, body: &Value) -> Result<Option<Found>, Error> {
    answer::read(&answer(status, &body.to_string()), false, Timestamp::UNIX_EPOCH)
}

fn changed(status: u16, body: &str) -> Result<(), Error> {
    answer::changed(&answer(status, body), Stage::Push, Timestamp::UNIX_EPOCH)
}

fn error(code: impl Into<Value>) -> Value {
    json!({"error": {"code": code.into(), "message": "of ada@lovelace.example"}})
}

/// As OData v3 writes it.
fn old_error(code: impl Into<Value>) -> Value {
    json!({"error": {"code": code.into(), "message": {"lang": "en-us", "value": "of ada@lovelace.example"}}})
}

#[rstest]
#[case::plain("C20000", "('C20000')")]
#[case::quote("O'Neil", "('O''Neil')")]
#[case::quotes("'''", "('''''''')")]
#[case::injected("C1')/Orders(1)?$select=x#", "('C1'')%2FOrders(1)%3F$select=x%23')")]
#[case::space_and_slash("C 1/2", "('C%201%2F2')")]
#[case::backslash(r"a\b", "('a%5Cb')")]
#[case::umlaut("Ä", "('%C3%84')")]
#[case::percent("100%2F", "('100%252F')")]
#[case::dots("..", "('..')")]
fn text_keys(#[case] key: &str, #[case] expected: &str) {
    let url = partners().selecting_url(&endpoint(BASE), key).unwrap();
    let expected = format!("{BASE}/BusinessPartners{expected}?$select=CardCode,U_Link");
    assert_eq!(url.as_str(), expected);
}

#[rstest]
#[case::empty("")]
#[case::line_break("C1\n")]
#[case::tab("C\t1")]
#[case::nul("\0")]
#[case::long(&"x".repeat(513))]
fn no_text_keys(#[case] key: &str) {
    let error = partners().selecting_url(&endpoint(BASE), key).unwrap_err();
    assert_eq!(
        (error.kind(), error.verdict()),
        (ErrorKind::Invalid, Verdict::Permanent)
    );
    assert!(error.message().contains("`BusinessPartners`"), "{error}");
}

#[rstest]
#[case::one("1")]
#[case::zero("0")]
#[case::largest("9223372036854775807")]
fn number_keys(#[case] key: &str) {
    let url = invoices(&[]).selecting_url(&endpoint(BASE), key).unwrap();
    assert_eq!(url.as_str(), format!("{BASE}/Invoices({key})"));
}

#[rstest]
#[case::empty("")]
#[case::text("4711a")]
#[case::negative("-1")]
#[case::signed("+1")]
#[case::fraction("1.0")]
#[case::two("1,2")]
#[case::another_name_of_7("007")]
#[case::other_digits("٣")]
#[case::injected("1)/Lines(2")]
#[case::long("12345678901234567890")]
fn no_number_keys(#[case] key: &str) {
    let error = invoices(&[]).url(&endpoint(BASE), key, Stage::Push).unwrap_err();
    let found = (error.kind(), error.verdict(), error.stage());
    assert_eq!(found, (ErrorKind::Invalid, Verdict::Permanent, Stage::Push));
}

#[test]
fn changes_go_to_the_record_itself() {
    let url = partners().url(&endpoint("https://sap.example/"), "C1", Stage::Push);
    assert_eq!(
        url.unwrap().as_str(),
        "https://sap.example/BusinessPartners('C1')"
    );
}

#[rstest]
#[case::empty("")]
#[case::path("Invoices/Lines")]
#[case::query("Invoices?a")]
#[case::list("A,B")]
#[case::digit("1A")]
#[case::umlaut("Ä")]
fn no_names(#[case] name: &str) {
    assert!(ODataEntity::new(name, KeyKind::Text, &[]).is_err());
    assert!(ODataEntity::new("Invoices", KeyKind::Text, &["DocEntry", name]).is_err());
}

#[rstest]
#[case::key_is_not_selected("Partner", "/CardName", false)]
#[case::no_pointer("Partner", "CardCode", false)]
#[case::name_is_taken("DocEntry", "/CardCode", false)]
#[case::good("Partner", "/CardCode", true)]
fn a_related_record_has_a_key_and_a_name(#[case] name: &str, #[case] key: &str, #[case] is_good: bool) {
    let http = Http::new(false).unwrap();
    let invoices = invoices(&["DocEntry", "CardCode"]);
    let source = ODataSource::new(http, Arc::new(SystemClock), BASE.parse().unwrap(), invoices).unwrap();
    assert_eq!(source.with(name, key, partners()).is_ok(), is_good);
}

#[test]
fn annotations_are_no_state() {
    let body = json!({
        "@odata.context": "x", "@odata.etag": TAG, "DocEntry": 7, "Lines@odata.navigationLink": "x",
        "Lines": [{"@odata.id": "x", "LineNum": 0, "Tax": {"@odata.type": "x", "Rate": 20.0}}], "Notes": [null, "a@b"],
    });
    let state =
        json!({"DocEntry": 7, "Lines": [{"LineNum": 0, "Tax": {"Rate": 20.0}}], "Notes": [null, "a@b"]});
    assert_eq!(read(200, &body).unwrap().unwrap().state, state);
}

#[rstest]
#[case::header(true, None, false, Some(TAG))]
#[case::header_before_body(true, Some("\"x\""), true, Some(TAG))]
#[case::whole_record(false, Some(TAG), true, Some(TAG))]
#[case::frozen_by_select(false, Some("W/\"356A192B7913B04C54574D18C28D46E6395428AB\""), false, None)]
#[case::none(false, None, true, None)]
fn tags(
    #[case] in_header: bool,
    #[case] in_body: Option<&str>,
    #[case] is_whole: bool,
    #[case] expected: Option<&str>,
) {
    let mut answer = answer(200, &json!({"@odata.etag": in_body, "DocEntry": 7}).to_string());
    if in_header {
        answer.headers.insert(header::ETAG, HeaderValue::from_static(TAG));
    }
    let found = answer::read(&answer, is_whole, Timestamp::UNIX_EPOCH)
        .unwrap()
        .unwrap();
    assert_eq!(found.etag.as_deref(), expected);
    let version = Fetched::from(found).version;
    let plain = Version::Tag("1B6453892473A467D07372D45EB05ABC2031647A".to_owned());
    assert_eq!(version, expected.map(|_| plain));
}

#[rstest]
#[case::not_found(404, error("-2028"))]
#[case::number(404, old_error(-2028))]
#[case::other_service(404, error("ResourceNotFound"))]
#[case::nameless(404, error(""))]
#[case::gone(410, error("Deleted"))]
#[case::by_code(400, error("-2028"))]
#[case::by_number(400, old_error(-2028))]
fn gone(#[case] status: u16, #[case] body: Value) {
    assert_eq!(read(status, &body).unwrap(), None);
}

#[rstest]
#[case::gateway(404, json!("<html>"), ErrorKind::NotFound, "404")]
#[case::gateway_in_json(404, json!({"message": "no Route matched"}), ErrorKind::NotFound, "404")]
#[case::no_code(404, json!({"error": {"message": "Not Found"}}), ErrorKind::NotFound, "404")]
#[case::no_body(404, Value::Null, ErrorKind::NotFound, "404")]
#[case::gateway_knows_better(410, json!("<html>"), ErrorKind::NotFound, "410")]
#[case::wrong_property(400, error("-1000"), ErrorKind::Refused, "-1000")]
#[case::wrong_set(400, old_error(-1002), ErrorKind::Refused, "-1002")]
#[case::wrong_request(400, json!("<html>"), ErrorKind::Refused, "400")]
#[case::session(401, old_error(301), ErrorKind::Deauthorized, "301")]
#[case::forbidden(403, error("-2"), ErrorKind::Deauthorized, "-2")]
#[case::busy(429, Value::Null, ErrorKind::RateLimited, "429")]
#[case::broken(500, error("-2028"), ErrorKind::Unavailable, "-2028")]
#[case::talkative_code(500, error("of ada"), ErrorKind::Unavailable, "500")]
#[case::down(503, json!("<html>"), ErrorKind::Unavailable, "503")]
#[case::another_code(404, error("-1002"), ErrorKind::NotFound, "-1002")]
#[case::moved(302, Value::Null, ErrorKind::Refused, "302")]
#[case::empty(204, Value::Null, ErrorKind::Refused, "204")]
fn failures_are_retried(
    #[case] status: u16,
    #[case] body: Value,
    #[case] kind: ErrorKind,
    #[case] code: &str,
) {
    let error = read(status, &body).unwrap_err();
    assert_eq!(
        (error.kind(), error.verdict(), error.vendor_code()),
        (kind, RETRY, Some(code))
    );
    assert!(!format!("{error:?}").contains("of "), "{error:?}");
}

#[rstest]
#[case::list(json!([]))]
#[case::text(json!("<html>"))]
fn no_record(#[case] body: Value) {
    let error = read(200, &body).unwrap_err();
    assert_eq!((error.kind(), error.verdict()), (ErrorKind::Unexpected, RETRY));
}

#[rstest]
#[case::not_found(404, error("-2028"), ErrorKind::NotFound, Verdict::Permanent, "-2028")]
#[case::by_code(400, old_error(-2028), ErrorKind::NotFound, Verdict::Permanent, "-2028")]
#[case::gateway(404, json!("<html>"), ErrorKind::NotFound, RETRY, "404")]
#[case::clash(412, error("-2039"), ErrorKind::Conflict, RETRY, "-2039")]
#[case::too_long(400, old_error(-1004), ErrorKind::Refused, Verdict::Permanent, "-1004")]
#[case::broken(500, error("-1"), ErrorKind::Unavailable, Verdict::Unknown, "-1")]
#[case::session(401, error(301), ErrorKind::Deauthorized, RETRY, "301")]
fn refused_changes(
    #[case] status: u16,
    #[case] body: Value,
    #[case] kind: ErrorKind,
    #[case] verdict: Verdict,
    #[case] code: &str,
) {
    let error = changed(status, &body.to_string()).unwrap_err();
    let found = (error.kind(), error.verdict(), error.vendor_code());
    assert_eq!(found, (kind, verdict, Some(code)));
    assert!(body.is_string() || error.message() == "of <address>", "{error}");
}

#[rstest]
#[case(204, "")]
#[case(200, "{}")]
fn changes(#[case] status: u16, #[case] body: &str) {
    assert!(changed(status, body).is_ok());
}

proptest! {
    /// What a key says never becomes a part of the path or of the query.
    #[test]
    fn a_key_stays_in_its_segment(key in "\\PC{1,20}|[./'%?#&;\\\\()$,]{1,12}") {
        let url = partners().selecting_url(&endpoint(BASE), &key).unwrap();
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert_eq!(&segments[..2], &["b1s", "v2"]);
        prop_assert_eq!(segments.len(), 3);
        prop_assert_eq!(url.query(), Some("$select=CardCode,U_Link"));
        prop_assert_eq!(url.fragment(), None);
        let segment = percent_decode_str(segments[2]).decode_utf8().unwrap();
        let quoted = segment.strip_prefix("BusinessPartners('").and_then(|rest| rest.strip_suffix("')"));
        let quoted = quoted.unwrap();
        prop_assert!(quoted.split("''").all(|part| !part.contains('\'')), "{}", quoted);
        prop_assert_eq!(quoted.replace("''", "'"), key);
    }

    #[test]
    fn a_number_key_is_a_number(key in "\\PC{0,4}|[0-9]{1,22}|[-+.0-9)(]{1,6}") {
        let url = invoices(&[]).selecting_url(&endpoint(BASE), &key);
        let is_number = key.parse::<u64>().is_ok_and(|number| number.to_string() == key && key.len() <= 19);
        prop_assert_eq!(url.is_ok(), is_number);
    }
}
