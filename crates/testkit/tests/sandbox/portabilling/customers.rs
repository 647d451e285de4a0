use rstest::rstest;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::portabilling::BillStatus;

use super::{Session, fault};
use crate::start;

#[tokio::test]
async fn a_customer_is_added_found_updated_and_terminated() {
    let sandbox = start().await;
    let session = Session::open(&sandbox).await;

    let id = session
        .add(&json!({
            "name": "C1", "iso_4217": "CHF", "refnum": "C1", "companyname": "Urist", "email": "urist@sandbox.test",
            "phone1": "1", "baddr1": "Hauptstr. 1", "city": "Bern", "zip": "3000", "country": "CH", "login": "urist",
            "i_customer_type": 1, "bill_status": "O", "i_time_zone": 1,
        }))
        .await;
    assert_eq!(
        sandbox.portabilling.unknown_properties(),
        ["i_time_zone".to_owned()].into()
    );
    let expected = json!({"customer_info": {
        "i_customer": id, "name": "C1", "refnum": "C1", "login": "urist", "companyname": "Urist",
        "email": "urist@sandbox.test", "phone1": "1", "baddr1": "Hauptstr. 1", "city": "Bern", "zip": "3000",
        "country": "CH", "iso_4217": "CHF", "i_customer_type": 1, "bill_status": "O", "balance": 0.0,
    }});
    let by_number = json!({"i_customer": id});
    let keys = [
        by_number.clone(),
        json!({"i_customer": id.to_string()}),
        json!({"refnum": "C1"}),
        json!({"name": "C1"}),
        json!({"login": "urist"}),
    ];
    for key in keys {
        assert_eq!(
            session.call("get_customer_info", &key).await.body,
            expected,
            "{key}"
        );
    }

    let change = json!({"customer_info": {"i_customer": id, "city": "Genf", "zip": null}});
    let answer = session.call("update_customer", &change).await;
    assert_eq!((answer.status, answer.body), (200, by_number.clone()));
    let customer = sandbox.portabilling.customer_by_refnum("C1").unwrap();
    assert_eq!(
        (customer.city.as_deref(), customer.zip, customer.email.as_deref()),
        (Some("Genf"), None, Some("urist@sandbox.test"))
    );

    assert_eq!(session.call("terminate_customer", &by_number).await.status, 200);
    assert_eq!(
        sandbox.portabilling.customer(id).unwrap().status,
        BillStatus::Closed
    );
    let found = session.call("get_customer_info", &by_number).await;
    assert_eq!(found.body["customer_info"]["bill_status"], json!("C"));
    for (method, params) in [("update_customer", &change), ("terminate_customer", &by_number)] {
        let code = format!("Server.Customer.{method}.customer_terminated");
        assert_eq!(fault(&session.call(method, params).await), code);
    }
}

#[rstest]
#[case::none(json!({}), "parameter_missed")]
#[case::null(json!({"refnum": null}), "parameter_missed")]
#[case::two(json!({"refnum": "C1", "name": "C1"}), "parameter_missed")]
#[case::wrong_type(json!({"refnum": 1}), "parameter_invalid")]
#[case::no_number(json!({"i_customer": "C1"}), "parameter_invalid")]
#[tokio::test]
async fn a_customer_is_found_by_exactly_one_key(#[case] params: Value, #[case] what: &str) {
    let sandbox = start().await;
    let session = Session::open(&sandbox).await;

    let answer = session.call("get_customer_info", &params).await;

    assert_eq!(
        fault(&answer),
        format!("Server.Customer.get_customer_info.{what}")
    );
}

#[rstest]
#[case::no_info(json!({"name": "C2"}), "parameter_missed")]
#[case::no_name(json!({"customer_info": {"iso_4217": "EUR"}}), "parameter_missed")]
#[case::empty_name(json!({"customer_info": {"name": "", "iso_4217": "EUR"}}), "parameter_missed")]
#[case::no_currency(json!({"customer_info": {"name": "C2"}}), "parameter_missed")]
#[case::all_currencies(json!({"customer_info": {"name": "C2", "iso_4217": "##"}}), "parameter_invalid")]
#[case::lower_case(json!({"customer_info": {"name": "C2", "iso_4217": "eur"}}), "parameter_invalid")]
#[case::boolean(json!({"customer_info": {"name": "C2", "iso_4217": "EUR", "blocked": true}}), "parameter_invalid")]
#[case::number(json!({"customer_info": {"name": "C2", "iso_4217": "EUR", "zip": 3000}}), "parameter_invalid")]
#[case::kind(json!({"customer_info": {"name": "C2", "iso_4217": "EUR", "i_customer_type": 4}}), "parameter_invalid")]
#[case::closed(json!({"customer_info": {"name": "C2", "iso_4217": "EUR", "bill_status": "C"}}), "parameter_invalid")]
#[case::taken(json!({"customer_info": {"name": "C1", "iso_4217": "EUR"}}), "duplicate_name")]
#[tokio::test]
async fn a_customer_is_not_added(#[case] params: Value, #[case] what: &str) {
    let sandbox = start().await;
    sandbox.portabilling.add_customer("C1", |_| {});
    let session = Session::open(&sandbox).await;

    let answer = session.call("add_customer", &params).await;

    assert_eq!(fault(&answer), format!("Server.Customer.add_customer.{what}"));
    assert_eq!(sandbox.portabilling.customers().len(), 1);
}

#[rstest]
#[case::nobody(json!({"i_customer": 7, "city": "Bonn"}), "customer_not_found")]
#[case::no_key(json!({"name": "C1", "city": "Bonn"}), "parameter_missed")]
#[case::name_of_another(json!({"i_customer": 1001, "name": "C2"}), "duplicate_name")]
#[case::name_of_a_terminated_one(json!({"i_customer": 1001, "name": "C3"}), "duplicate_name")]
#[case::empty_name(json!({"i_customer": 1001, "name": ""}), "parameter_missed")]
#[case::currency(json!({"i_customer": 1001, "iso_4217": "USD"}), "parameter_invalid")]
#[tokio::test]
async fn a_customer_is_not_updated(#[case] info: Value, #[case] what: &str) {
    let sandbox = start().await;
    assert_eq!(sandbox.portabilling.add_customer("C1", |_| {}), 1001);
    sandbox.portabilling.add_customer("C2", |_| {});
    sandbox
        .portabilling
        .add_customer("C3", |customer| customer.status = BillStatus::Closed);
    let before = sandbox.portabilling.customers();
    let session = Session::open(&sandbox).await;

    let answer = session
        .call("update_customer", &json!({"customer_info": info}))
        .await;

    assert_eq!(fault(&answer), format!("Server.Customer.update_customer.{what}"));
    assert_eq!(sandbox.portabilling.customers(), before);
}

#[tokio::test]
async fn names_are_unique_and_reference_numbers_are_not() {
    let sandbox = start().await;
    let session = Session::open(&sandbox).await;
    let first = session
        .add(&json!({"name": "C1", "iso_4217": "EUR", "refnum": "C1"}))
        .await;
    session
        .add(&json!({"name": "C1-2", "iso_4217": "EUR", "refnum": "C1"}))
        .await;

    assert_eq!(sandbox.portabilling.how_many_with_refnum("C1"), 2);
    let found = session.call("get_customer_info", &json!({"refnum": "C1"})).await;
    assert_eq!(found.body["customer_info"]["i_customer"], json!(first));

    sandbox
        .portabilling
        .set_duplicate_fault("Server.Customer.id_in_use");
    let again = json!({"customer_info": {"name": "C1", "iso_4217": "EUR"}});
    assert_eq!(
        fault(&session.call("add_customer", &again).await),
        "Server.Customer.id_in_use"
    );
    // Its own name is no other's.
    let same = json!({"customer_info": {"i_customer": first, "name": "C1"}});
    assert_eq!(session.call("update_customer", &same).await.status, 200);
    assert_eq!(sandbox.portabilling.balance(first), Decimal::ZERO);
}
