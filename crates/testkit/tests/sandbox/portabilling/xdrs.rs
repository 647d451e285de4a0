use std::time::Duration;

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Session, fault, transaction};
use crate::{dec, start, start_by_hand};

#[tokio::test]
async fn an_xdr_comes_late_and_without_the_internal_comment() {
    let (sandbox, hand) = start_by_hand().await;
    let id = sandbox.portabilling.add_customer("C1", |_| {});
    let session = Session::open(&sandbox).await;
    sandbox.portabilling.set_xdr_delay(Duration::from_secs(30));
    let params = transaction(id, "Manual Credit", &json!("119.90"));
    session.call("make_transaction", &params).await;
    let day = json!({"i_customer": id, "from_date": "2026-01-29 00:00:00", "to_date": "2026-01-29 23:59:59"});

    hand.pass(SignedDuration::from_secs(29));
    let before = session.call("get_customer_xdrs", &day).await;
    hand.pass(SignedDuration::from_secs(1));
    let after = session.call("get_customer_xdrs", &day).await;

    assert_eq!(before.body, json!({"xdr_list": []}));
    assert_eq!(
        after.body,
        json!({"xdr_list": [{
            "i_xdr": "500001", "account_id": null, "CLI": "", "CLD": "Invoice 1", "charged_amount": -119.9,
            "charged_quantity": 1, "bill_status": "O", "connect_time": "2026-01-29 14:36:25",
            "unix_connect_time": 1_769_697_385, "bill_time": "2026-01-29 14:36:25",
        }]})
    );
    assert!(!after.body.to_string().contains("sapb1:"));
}

/// Transactions of the seconds 0, 10 and 20 after 14:36:25, and one of somebody else.
#[rstest]
#[case::bounds_count("2026-01-29 14:36:25", "2026-01-29 14:36:45", json!({}), &[1, 2, 3])]
#[case::from("2026-01-29 14:36:26", "2026-01-29 14:36:45", json!({}), &[2, 3])]
#[case::to("2026-01-29 14:36:25", "2026-01-29 14:36:44", json!({}), &[1, 2])]
#[case::before("2026-01-28 00:00:00", "2026-01-29 14:36:24", json!({}), &[])]
#[case::turned_round("2026-01-30 00:00:00", "2026-01-28 00:00:00", json!({}), &[])]
#[case::first_page("2026-01-01 00:00:00", "2026-12-31 00:00:00", json!({"limit": 2}), &[1, 2])]
#[case::second_page("2026-01-01 00:00:00", "2026-12-31 00:00:00", json!({"limit": "2", "offset": "2"}), &[3])]
#[case::past_the_end("2026-01-01 00:00:00", "2026-12-31 00:00:00", json!({"offset": 3}), &[])]
#[tokio::test]
async fn xdrs_are_those_of_a_time_oldest_first(
    #[case] from: &str,
    #[case] to: &str,
    #[case] page: Value,
    #[case] expected: &[i64],
) {
    let (sandbox, hand) = start_by_hand().await;
    let id = sandbox.portabilling.add_customer("C1", |_| {});
    let other = sandbox.portabilling.add_customer("C2", |_| {});
    let session = Session::open(&sandbox).await;
    for _ in 0..3 {
        let params = transaction(id, "Manual Charge", &json!(5));
        session.call("make_transaction", &params).await;
        hand.pass(SignedDuration::from_secs(10));
    }
    session
        .call(
            "make_transaction",
            &transaction(other, "Manual Charge", &json!(5)),
        )
        .await;

    let mut params = page;
    params["i_customer"] = json!(id);
    params["from_date"] = json!(from);
    params["to_date"] = json!(to);
    let answer = session.call("get_customer_xdrs", &params).await;

    let found: Vec<_> = answer.body["xdr_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|xdr| xdr["i_xdr"].as_str().unwrap().parse::<i64>().unwrap() - 500_000)
        .collect();
    assert_eq!(found, expected);
}

#[rstest]
#[case::number(json!(1))]
#[case::text(json!("1"))]
#[case::flag(json!("Y"))]
#[tokio::test]
async fn a_page_has_a_hundred_at_most_and_the_total_is_told_who_asks(#[case] get_total: Value) {
    let sandbox = start().await;
    let id = sandbox.portabilling.add_customer("C1", |_| {});
    let session = Session::open(&sandbox).await;
    for _ in 0..101 {
        let params = transaction(id, "Manual Charge", &json!(0.01));
        session.call("make_transaction", &params).await;
    }
    let mut params = json!({
        "i_customer": id, "from_date": "2000-01-01 00:00:00", "to_date": "2100-01-01 00:00:00", "limit": 1000,
    });

    let without = session.call("get_customer_xdrs", &params).await;
    params["get_total"] = get_total;
    let with = session.call("get_customer_xdrs", &params).await;

    assert_eq!(without.body["total"], Value::Null);
    assert_eq!(with.body["total"], json!(101));
    assert_eq!(with.body["xdr_list"].as_array().unwrap().len(), 100);
    assert_eq!(sandbox.portabilling.balance(id), dec("1.01"));
}

#[rstest]
#[case::iso("from_date", json!("2026-01-29T00:00:00Z"), "parameter_invalid")]
#[case::day_only("to_date", json!("2026-01-29"), "parameter_invalid")]
#[case::short("to_date", json!("2026-1-29 0:00:00"), "parameter_invalid")]
#[case::no_day("to_date", json!("2026-02-30 00:00:00"), "parameter_invalid")]
#[case::unix("from_date", json!(1_769_697_385), "parameter_invalid")]
#[case::no_bound("to_date", json!(null), "parameter_missed")]
#[case::no_limit("limit", json!(0), "parameter_invalid")]
#[case::offset("offset", json!(-1), "parameter_invalid")]
#[case::boolean("get_total", json!(true), "parameter_invalid")]
#[case::nobody("i_customer", json!(7), "customer_not_found")]
#[tokio::test]
async fn xdrs_are_not_listed(#[case] name: &str, #[case] value: Value, #[case] what: &str) {
    let sandbox = start().await;
    let id = sandbox.portabilling.add_customer("C1", |_| {});
    let session = Session::open(&sandbox).await;
    let mut params =
        json!({"i_customer": id, "from_date": "2026-01-01 00:00:00", "to_date": "2026-12-31 00:00:00"});
    assert_eq!(session.call("get_customer_xdrs", &params).await.status, 200);
    params[name] = value;

    let answer = session.call("get_customer_xdrs", &params).await;

    assert_eq!(
        fault(&answer),
        format!("Server.Customer.get_customer_xdrs.{what}")
    );
}

#[tokio::test]
async fn a_terminated_customer_keeps_its_history() {
    let sandbox = start().await;
    let id = sandbox.portabilling.add_customer("C1", |_| {});
    let session = Session::open(&sandbox).await;
    session
        .call("make_transaction", &transaction(id, "Manual Charge", &json!(5)))
        .await;
    session
        .call("terminate_customer", &json!({"i_customer": id}))
        .await;

    let params =
        json!({"i_customer": id, "from_date": "2000-01-01 00:00:00", "to_date": "2100-01-01 00:00:00"});
    let answer = session.call("get_customer_xdrs", &params).await;

    assert_eq!(answer.body["xdr_list"][0]["charged_amount"], json!(5.0));
}
