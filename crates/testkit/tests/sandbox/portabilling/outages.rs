use rstest::rstest;
use rust_decimal::Decimal;
use serde_json::json;
use vendorbridge_testkit::sandbox::Fault;

use super::{Session, post, transaction};
use crate::{client, send, start};

#[rstest]
#[case::by_refnum("C1", [503, 503, 503, 503])]
#[case::by_name("N1", [200, 503, 503, 503])]
#[case::by_method("Customer/update_customer", [200, 200, 503, 200])]
#[tokio::test]
async fn faults_know_customers_by_refnum_and_name(#[case] subject: &str, #[case] statuses: [u16; 4]) {
    let sandbox = start().await;
    let id = sandbox
        .portabilling
        .add_customer("N1", |customer| customer.refnum = Some("C1".to_owned()));
    let session = Session::open(&sandbox).await;
    sandbox
        .portabilling
        .faults()
        .always_for(subject, Fault::Status(503));

    let calls = [
        // What nobody has yet is known by what is asked for.
        ("get_customer_info", json!({"refnum": "C1"})),
        ("get_customer_info", json!({"i_customer": id})),
        (
            "update_customer",
            json!({"customer_info": {"i_customer": id, "city": "Bonn"}}),
        ),
        ("terminate_customer", json!({"i_customer": id.to_string()})),
    ];
    for ((method, params), status) in calls.iter().zip(statuses) {
        assert_eq!(session.call(method, params).await.status, status, "{method}");
    }
    assert_eq!(sandbox.portabilling.calls_for("Customer/get_customer_info"), 2);
    assert_eq!(sandbox.portabilling.calls(), 5);
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
