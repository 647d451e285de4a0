use http::HeaderMap;
use jiff::Timestamp;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::http::Answer;
use crate::source::odata::tests::{BASE, endpoint, invoices, partners};

#[rstest]
#[case::first(None, "$select=CardCode&$orderby=CardCode")]
#[case::behind_a_key(
    Some("C1"),
    "$select=CardCode&$orderby=CardCode&$filter=CardCode%20gt%20%27C1%27"
)]
#[case::behind_a_hard_one(
    Some("O'N & +1%#"),
    "$select=CardCode&$orderby=CardCode&$filter=CardCode%20gt%20%27O%27%27N%20%26%20%2B1%25%23%27"
)]
fn a_page_begins_behind_a_key(#[case] after: Option<&str>, #[case] query: &str) {
    let url = partners()
        .list_url(&endpoint(BASE), "CardCode", false, after)
        .unwrap();
    assert_eq!(url.query(), Some(query));
    assert!(
        invoices(&[])
            .list_url(&endpoint(BASE), "DocEntry", true, Some("1 or 1 eq 1"))
            .is_err()
    );
}

#[rstest]
#[case::not_told(&json!({}), None)]
#[case::number(&json!({"@odata.count": 155}), Some(155))]
#[case::text(&json!({"@odata.count": "155"}), Some(155))]
#[case::negative(&json!({"@odata.count": -1}), None)]
#[case::no_count(&json!({"@odata.count": {"of": 155}}), None)]
fn a_total_is_told_where_it_is_one(#[case] more: &Value, #[case] total: Option<u64>) {
    let mut body = json!({"value": [{"CardCode": "C1"}], "@odata.nextLink": "BusinessPartners?$skip=1"});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let answer = Answer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: body.to_string().into(),
    };
    let read = answer::records(&answer, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((read.value.len(), read.next.is_some()), (1, true));
    assert_eq!(read.total, total);
}

#[test]
fn a_count_is_asked_for_in_passing() {
    let url = partners()
        .list_url(&endpoint(BASE), "CardCode", false, None)
        .unwrap();
    assert_eq!(
        counting(&url).query(),
        Some("$select=CardCode&$orderby=CardCode&$count=true")
    );
}
