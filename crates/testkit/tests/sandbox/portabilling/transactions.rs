use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::portabilling::{Action, BillStatus};

use super::{Session, fault, transaction};
use crate::{dec, start};

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
