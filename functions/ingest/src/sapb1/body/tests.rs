use rstest::rstest;
use serde_json::json;

use super::*;

fn companies() -> Vec<String> {
    ["SBODEMOUS", "SBO_DE"].map(str::to_owned).to_vec()
}

fn read_json(body: &Value, company: Option<&str>) -> Result<Vec<ObjectChanged>, Vec<Violation>> {
    let companies = companies();
    let expected = Expected {
        company,
        companies: &companies,
    };
    events(body, &expected)
}

/// Where something is wrong, and what was found there.
fn wrong(body: &Value, company: Option<&str>) -> Vec<(Option<usize>, String, String)> {
    let violations = read_json(body, company).unwrap_err();
    violations
        .into_iter()
        .map(|violation| (violation.index, violation.pointer, violation.found))
        .collect()
}

fn event() -> Value {
    json!({
        "EventSource": "SBODEMOUS", "ObjectType": "13", "TransactionType": "A", "UserCode": "manager", "UserId": "manager",
        "keys": [{ "Name": "DocEntry", "Value": "4711" }],
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut event = event();
    if let Some(place) = event.pointer_mut(pointer) {
        *place = value;
    } else {
        event[pointer.trim_start_matches('/')] = value;
    }
    json!({ "b1events": [event] })
}

fn row() -> Value {
    json!({
        "object_type": "13", "transaction_type": "C", "num_of_cols_in_key": 1,
        "list_of_key_cols_tab_del": "DocEntry", "list_of_cols_val_tab_del": "4711",
    })
}

fn row_with(name: &str, value: Value) -> Value {
    let mut row = row();
    row[name] = value;
    row
}

/// The samples in `events/` are what the bus gets.
#[rstest]
#[case(
    json!({ "b1events": [event()] }),
    include_str!("../../../../../events/sap-object-changed.json")
)]
#[case(row(), include_str!("../../../../../events/sap-object-changed.cancelled.json"))]
fn an_event_becomes_the_detail_that_the_bus_gets(#[case] body: Value, #[case] sample: &str) {
    let sample: Value = serde_json::from_str(sample).unwrap();
    let put = read_json(&body, Some("SBODEMOUS")).unwrap()[0].event();
    assert_eq!(
        serde_json::from_str::<Value>(&put.detail).unwrap(),
        sample["detail"]
    );
    assert_eq!(
        (json!(put.source), json!(put.detail_type)),
        (sample["source"].clone(), sample["detail-type"].clone())
    );
}

#[rstest]
#[case::one_without_a_list(json!({ "b1events": event() }))]
#[case::as_xml_is_converted(json!({ "b1events": { "b1event": [event()] } }))]
#[case::the_same_with_one(json!({ "B1Events": { "B1Event": event() } }))]
#[case::in_lower_case(json!({ "b1events": [{
    "eventsource": "SBODEMOUS", "objecttype": "13", "transactiontype": "A", "usercode": "manager",
    "keys": { "key": { "name": "DocEntry", "value": "4711" } },
}] }))]
#[case::numbers(json!({ "b1events": [{
    "EventSource": "SBODEMOUS", "ObjectType": 13, "TransactionType": "A", "UserId": "manager", "UserCode": "",
    "keys": [{ "Name": "DocEntry", "Value": 4711 }],
}] }))]
fn shapes_of_the_same_event(#[case] body: Value) {
    let usual = read_json(&json!({ "b1events": [event()] }), None).unwrap();
    assert_eq!(read_json(&body, None).unwrap(), usual);
}

#[test]
fn the_company_is_the_events_or_the_querys() {
    let nameless = with("/EventSource", Value::Null);
    let mut without = event();
    without.as_object_mut().unwrap().remove("EventSource");
    let without = json!({ "b1events": [without] });
    let company = |body: &Value, company| Some(read_json(body, company).ok()?.remove(0).company);
    assert_eq!(company(&without, Some("SBO_DE")).as_deref(), Some("SBO_DE"));
    assert_eq!(
        company(&with("/UserCode", json!("x")), Some("SBODEMOUS")).as_deref(),
        Some("SBODEMOUS")
    );
    let place = |found: &str| vec![(Some(0), "/b1events/0/EventSource".to_owned(), found.to_owned())];
    assert_eq!(wrong(&without, None), place("nothing"));
    assert_eq!(wrong(&nameless, Some("SBO_DE")), place("null"));
    assert_eq!(
        wrong(&with("/EventSource", json!("OTHER")), None),
        place("`OTHER`")
    );
    assert_eq!(
        wrong(&json!({ "b1events": [event()] }), Some("SBO_DE")),
        place("`SBODEMOUS`")
    );
}

#[test]
fn a_company_of_the_query_that_is_not_taken_is_told_once() {
    let body = json!([row(), row()]);
    let expected = vec![(None, String::new(), "`OTHER`".to_owned())];
    assert_eq!(wrong(&body, Some("OTHER")), expected);
}

#[rstest]
#[case("/ObjectType", json!(""), "``")]
#[case("/ObjectType", json!("13/4"), "`13/4`")]
#[case("/ObjectType", json!("x".repeat(31)), "`xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`")]
#[case("/ObjectType", json!(1.5), "1.5")]
#[case("/ObjectType", json!(["13"]), "a list of 1")]
#[case("/TransactionType", json!("X"), "`X`")]
#[case("/TransactionType", json!("a"), "`a`")]
#[case("/TransactionType", json!(null), "null")]
#[case("/UserCode", json!("a\u{7}"), "a control character")]
#[case("/UserCode", json!({}), "an object")]
#[case("/keys", json!([]), "0")]
#[case("/keys", json!("x"), "`x`")]
#[case("/keys", json!(vec![json!({ "Name": "a", "Value": "b" }); 17]), "17")]
#[case("/keys/0", json!("x"), "`x`")]
#[case("/keys/0/Name", json!(""), "an empty text")]
#[case("/keys/0/Name", json!("x".repeat(129)), "129 bytes")]
#[case("/keys/0/Value", json!(""), "an empty text")]
#[case("/keys/0/Value", json!("é".repeat(257)), "514 bytes")]
#[case("/keys/0/Value", json!("a\nb"), "a control character")]
#[case("/keys/0/Value", json!(true), "true")]
#[case("/keys", json!([{ "Name": "a", "Value": "x".repeat(300) }, { "Name": "b", "Value": "x".repeat(300) }]), "601 bytes")]
fn a_wrong_value_is_pointed_at(#[case] pointer: &str, #[case] value: Value, #[case] found: &str) {
    let place = (Some(0), format!("/b1events/0{pointer}"), found.to_owned());
    assert_eq!(wrong(&with(pointer, value), None), vec![place]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let body =
        json!({ "b1events": [event(), 7, {}, with("/TransactionType", json!("Z"))["b1events"][0], event()] });
    let places: Vec<_> = wrong(&body, None)
        .into_iter()
        .map(|(index, pointer, _)| (index, pointer))
        .collect();
    let expected = [
        (1, "/b1events/1"),
        (2, "/b1events/2/EventSource"),
        (2, "/b1events/2/ObjectType"),
        (2, "/b1events/2/TransactionType"),
        (2, "/b1events/2/keys"),
        (3, "/b1events/3/TransactionType"),
    ];
    assert_eq!(
        places,
        expected.map(|(index, pointer)| (Some(index), pointer.to_owned()))
    );
}

#[test]
fn two_spellings_of_a_name_are_one_too_many() {
    let body = with("/eventsource", json!("SBO_DE"));
    let found = "two, `EventSource` in two spellings";
    let place = (Some(0), "/b1events/0/EventSource".to_owned(), found.to_owned());
    assert_eq!(wrong(&body, None), [place]);
}

#[test]
fn rows_of_the_notice_are_events_without_a_user() {
    let body = json!([row(), {
        "object_type": "1470000113", "transaction_type": "U", "num_of_cols_in_key": "2",
        "list_of_key_cols_tab_del": "DocEntry\tLine", "list_of_cols_val_tab_del": "12\t3",
    }]);
    let read = read_json(&body, Some("SBODEMOUS")).unwrap();
    let objects: Vec<_> = read.iter().map(|event| event.object.as_str()).collect();
    assert_eq!(objects, ["13/4711", "1470000113/12,3"]);
    assert!(
        read.iter()
            .all(|event| event.user.is_none() && event.company == "SBODEMOUS")
    );
    assert!(!read[0].event().detail.contains("user"));
    assert_eq!(read_json(&row(), Some("SBODEMOUS")).unwrap(), read[..1]);
    assert_eq!(wrong(&body, None), [(None, String::new(), "nothing".to_owned())]);
}

#[rstest]
#[case("num_of_cols_in_key", json!(0), &[("num_of_cols_in_key", "0")])]
#[case("num_of_cols_in_key", json!(-1), &[("num_of_cols_in_key", "`-1`")])]
#[case("num_of_cols_in_key", json!(17), &[("num_of_cols_in_key", "17")])]
#[case("num_of_cols_in_key", json!("99999999999999999999"), &[("num_of_cols_in_key", "`99999999999999999999`")])]
#[case("num_of_cols_in_key", json!(2), &[("list_of_key_cols_tab_del", "1"), ("list_of_cols_val_tab_del", "1")])]
#[case("list_of_key_cols_tab_del", json!("a\tb"), &[("list_of_key_cols_tab_del", "2")])]
#[case("list_of_cols_val_tab_del", json!("a\t"), &[("list_of_cols_val_tab_del", "2")])]
#[case("list_of_cols_val_tab_del", json!(""), &[("list_of_cols_val_tab_del", "an empty text")])]
#[case("list_of_cols_val_tab_del", json!("a\nb"), &[("list_of_cols_val_tab_del", "a control character")])]
#[case("object_type", json!(null), &[("object_type", "null")])]
fn a_wrong_row_is_pointed_at(#[case] name: &str, #[case] value: Value, #[case] found: &[(&str, &str)]) {
    let expected: Vec<_> = found
        .iter()
        .map(|(name, found)| (Some(0), format!("/{name}"), (*found).to_owned()))
        .collect();
    assert_eq!(wrong(&row_with(name, value), Some("SBODEMOUS")), expected);
}

#[rstest]
#[case(json!(7), "7")]
#[case(json!(null), "null")]
#[case(json!({ "b1events": 7 }), "7")]
#[case(json!([]), "0")]
#[case(json!({ "b1events": [] }), "0")]
#[case(json!({ "b1events": vec![event(); 101] }), "101")]
fn a_body_without_events_or_with_too_many(#[case] body: Value, #[case] found: &str) {
    assert_eq!(
        wrong(&body, Some("SBODEMOUS")),
        [(None, String::new(), found.to_owned())]
    );
}

#[rstest]
#[case("application/json", Some(Format::Json))]
#[case("Application/JSON; charset=UTF-8", Some(Format::Json))]
#[case("application/problem+json", Some(Format::Json))]
#[case("text/xml;charset=\"utf-8\"", Some(Format::Xml))]
#[case("application/xml", Some(Format::Xml))]
#[case("application/soap+xml; action=x", Some(Format::Xml))]
#[case("application/json; charset=utf-16", None)]
#[case("text/plain", None)]
#[case("", None)]
fn the_content_type_says_what_the_body_is(#[case] header: &str, #[case] format: Option<Format>) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, header.parse().unwrap());
    assert_eq!(Format::of(&headers).ok(), format);
    assert!(Format::of(&HeaderMap::new()).is_err());
}

#[rstest]
#[case(Format::Json, b"{\"b1events\":", "malformed")]
#[case(Format::Json, b"\xff\xfe{\0}\0", "malformed")]
#[case(Format::Xml, b"<a>", "malformed")]
#[case(Format::Xml, b"<a/>", "invalid")]
#[case(Format::Json, b"<a/>", "malformed")]
#[case(Format::Json, b"\xef\xbb\xbf{}", "invalid")]
fn a_body_that_is_none_is_told_apart_from_a_wrong_one(
    #[case] format: Format,
    #[case] bytes: &[u8],
    #[case] code: &str,
) {
    let companies = companies();
    let expected = Expected {
        company: Some("SBODEMOUS"),
        companies: &companies,
    };
    assert_eq!(read(format, bytes, &expected).unwrap_err().code, code);
}

#[test]
fn deep_json_is_refused_and_not_followed() {
    let companies = companies();
    let expected = Expected {
        company: None,
        companies: &companies,
    };
    let deep = "[".repeat(1024 * 1024);
    assert_eq!(
        read(Format::Json, deep.as_bytes(), &expected).unwrap_err().code,
        "malformed"
    );
}

mod properties;
