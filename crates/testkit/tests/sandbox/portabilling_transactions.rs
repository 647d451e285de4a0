//! Transactions of PortaBilling, how they come back, and outages.

use std::time::Duration;

use jiff::SignedDuration;
use rstest::rstest;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Fault,
    portabilling::{Action, BillStatus},
};

use crate::{
    client, dec,
    portabilling::{Session, fault, post},
    send, start, start_by_hand,
};

fn transaction(id: i64, action: &str, amount: &Value) -> Value {
    json!({
        "i_customer": id, "action": action, "amount": amount, "visible_comment": "Invoice 1",
        "internal_comment": "sapb1:SBODEMOUS:13:1",
    })
}

#[tokio::test]
async fn transactions_add_up() {
    let sandbox = start().await;
    let (one, two) = (
        sandbox.portabilling.add_customer("C1", |_| {}),
        sandbox.portabilling.add_customer("C2", |_| {}),
    );
    let session = Session::open(&sandbox).await;

    let mut answers = Vec::new();
    for (id, action, amount) in [
        (one, "Manual Charge", json!(119.9)),
        (one, "manual credit", json!("19.95")),
        (two, "MANUAL CHARGE", json!(7)),
        (one, "Manual payment", json!(0.00001)),
    ] {
        let answer = session
            .call("make_transaction", &transaction(id, action, &amount))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answers.push(answer.body);
    }

    assert_eq!(
        answers,
        [
            json!({"i_xdr": 500_001, "balance": 119.9}),
            json!({"i_xdr": 500_002, "balance": 99.95}),
            json!({"i_xdr": 500_003, "balance": 7.0}),
            json!({"i_xdr": 500_004, "balance": 99.94999, "i_payment_transaction": 1}),
        ]
    );
    let booked: Vec<_> = sandbox
        .portabilling
        .transactions(one)
        .into_iter()
        .map(|booked| (booked.i_xdr, booked.action, booked.amount))
        .collect();
    assert_eq!(
        booked,
        [
            (500_001, Action::Charge, dec("119.9")),
            (500_002, Action::Credit, dec("19.95")),
            (500_004, Action::Payment, dec("0.00001")),
        ]
    );
    let all = sandbox.portabilling.all_transactions();
    assert_eq!((all.len(), all[2].i_customer), (4, two));
    assert_eq!(all[2].internal_comment.as_deref(), Some("sapb1:SBODEMOUS:13:1"));
    let balances = [one, two].map(|id| sandbox.portabilling.balance(id));
    assert_eq!(balances, [dec("99.94999"), dec("7")]);
    let found = session
        .call("get_customer_info", &json!({"i_customer": two}))
        .await;
    assert_eq!(found.body["customer_info"]["balance"], json!(7.0));
}

#[rstest]
#[case::zero("amount", json!(0), "parameter_invalid")]
#[case::negative("amount", json!(-5), "parameter_invalid")]
#[case::six_decimals("amount", json!(0.000_001), "parameter_invalid")]
#[case::six_decimals_in_text("amount", json!("1.000001"), "parameter_invalid")]
#[case::with_a_comma("amount", json!("1,5"), "parameter_invalid")]
#[case::no_amount("amount", json!(null), "parameter_missed")]
#[case::boolean("amount", json!(true), "parameter_invalid")]
#[case::unknown_action("action", json!("Charge"), "parameter_invalid")]
#[case::other_action("action", json!("Capture Payment"), "parameter_invalid")]
#[case::no_action("action", json!(null), "parameter_missed")]
#[case::comment("internal_comment", json!(4711), "parameter_invalid")]
#[case::nobody("i_customer", json!(7), "customer_not_found")]
#[case::no_customer("i_customer", json!(null), "parameter_missed")]
#[case::terminated("i_customer", json!(1002), "customer_terminated")]
#[tokio::test]
async fn a_transaction_is_not_booked(#[case] name: &str, #[case] value: Value, #[case] what: &str) {
    let sandbox = start().await;
    sandbox.portabilling.add_customer("C1", |_| {});
    sandbox
        .portabilling
        .add_customer("C2", |customer| customer.status = BillStatus::Closed);
    let session = Session::open(&sandbox).await;
    let mut params = transaction(1001, "Manual Charge", &json!(5));
    params[name] = value;

    let answer = session.call("make_transaction", &params).await;

    assert_eq!(fault(&answer), format!("Server.Customer.make_transaction.{what}"));
    assert_eq!(sandbox.portabilling.all_transactions(), []);
}

#[tokio::test]
async fn zeros_at_the_end_are_no_decimals() {
    let sandbox = start().await;
    let id = sandbox.portabilling.add_customer("C1", |_| {});
    let session = Session::open(&sandbox).await;

    let params = transaction(id, "Manual Charge", &json!("1.500000"));
    assert_eq!(session.call("make_transaction", &params).await.status, 200);

    assert_eq!(sandbox.portabilling.balance(id), dec("1.5"));
}

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
            "i_xdr": 500_001, "account_id": null, "CLI": "", "CLD": "Manual Credit", "charged_amount": -119.9,
            "charged_quantity": 1, "bill_status": "O", "connect_time": "2026-01-29 14:36:25",
            "unix_connect_time": 1_769_697_385, "bill_time": "2026-01-29 14:36:25", "visible_comment": "Invoice 1",
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
        .map(|xdr| xdr["i_xdr"].as_i64().unwrap() - 500_000)
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

#[tokio::test]
async fn the_same_transaction_can_be_booked_twice_when_its_answer_is_lost() {
    let sandbox = start().await;
    let id = sandbox.portabilling.add_customer("C1", |_| {});
    let session = Session::open(&sandbox).await;
    let faults = sandbox.portabilling.faults();
    let params = transaction(id, "Manual Charge", &json!(5));

    faults.always_for("SAPB1:SBODEMOUS:13:1", Fault::CutConnection);
    assert!(send(session.request("make_transaction", &params)).await.is_err());
    assert_eq!(sandbox.portabilling.all_transactions(), []);
    faults.always_for("sapb1:SBODEMOUS:13:1", Fault::AcceptThenCut);
    assert!(send(session.request("make_transaction", &params)).await.is_err());
    faults.heal("sapb1:SBODEMOUS:13:1");
    assert_eq!(session.call("make_transaction", &params).await.status, 200);

    assert_eq!(sandbox.portabilling.transactions(id).len(), 2);
    assert_eq!(sandbox.portabilling.balance(id), Decimal::TEN);
    assert_eq!(sandbox.portabilling.calls_for("sapb1:SBODEMOUS:13:1"), 3);
}

#[tokio::test]
async fn during_an_outage_nothing_is_done_and_no_fault_is_named() {
    let sandbox = start().await;
    let id = sandbox.portabilling.add_customer("C1", |_| {});
    let session = Session::open(&sandbox).await;
    let params = transaction(id, "Manual Charge", &json!(5));

    sandbox.portabilling.set_down(true);
    sandbox.portabilling.faults().clear();
    for request in [
        session.request("make_transaction", &params),
        post(&client(), &sandbox, "Session/login", &json!({})),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 503);
        assert!(response.text().await.unwrap().starts_with("<html>"));
    }
    assert_eq!(sandbox.portabilling.all_transactions(), []);

    sandbox.portabilling.set_down(false);
    assert_eq!(session.call("make_transaction", &params).await.status, 200);
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let sandbox = start().await;
    let session = Session::open(&sandbox).await;
    let find = json!({"refnum": "C1"});

    let own = send(
        session
            .request("get_customer_info", &find)
            .header("x-trace-id", "mine"),
    )
    .await
    .unwrap();
    let given = session.call("get_customer_info", &find).await;
    let refused = session.call("get_customer_info", &json!({})).await;
    sandbox.portabilling.faults().at(1, Fault::Status(502));
    let injected = session.call("get_customer_info", &find).await;

    assert_eq!(own.header("x-trace-id"), "mine");
    let ids = [&given, &refused, &injected].map(|answer| answer.header("x-trace-id").to_owned());
    assert!(
        ids.iter().all(|id| id.len() == 32) && ids[0] != ids[1] && ids[1] != ids[2],
        "{ids:?}"
    );
    assert_eq!(injected.status, 502);
}
