//! Logins and customers of PortaBilling.

use jiff::SignedDuration;
use reqwest::{Client, RequestBuilder};
use rstest::rstest;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{Fault, Sandbox, portabilling::BillStatus};

use crate::{Answer, client, send, start, start_by_hand};

/// A client that is logged in.
pub(crate) struct Session<'a> {
    sandbox: &'a Sandbox,
    client: Client,
    token: String,
}

impl<'a> Session<'a> {
    pub(crate) async fn open(sandbox: &'a Sandbox) -> Self {
        let client = client();
        let answer = login(&client, sandbox, &credentials(sandbox)).await;
        assert_eq!(answer.status, 200);
        Self {
            sandbox,
            client,
            token: answer.body["access_token"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) fn request(&self, method: &str, params: &Value) -> RequestBuilder {
        let request = post(&self.client, self.sandbox, &format!("Customer/{method}"), params);
        request.bearer_auth(&self.token)
    }

    pub(crate) async fn call(&self, method: &str, params: &Value) -> Answer {
        send(self.request(method, params)).await.unwrap()
    }

    /// The customer that was made.
    async fn add(&self, info: &Value) -> i64 {
        let answer = self.call("add_customer", &json!({"customer_info": info})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["i_customer"].as_i64().unwrap()
    }
}

pub(crate) fn post(client: &Client, sandbox: &Sandbox, method: &str, params: &Value) -> RequestBuilder {
    let url = format!("{}/{method}", sandbox.portabilling_url());
    client.post(url).body(json!({"params": params}).to_string())
}

/// The `faultcode` of a refusal, which always comes with a 500.
pub(crate) fn fault(answer: &Answer) -> &str {
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.body["faultstring"].is_string());
    answer.body["faultcode"].as_str().unwrap()
}

fn credentials(sandbox: &Sandbox) -> Value {
    let config = sandbox.config();
    json!({"login": config.portabilling_login, "password": config.portabilling_password})
}

async fn login(client: &Client, sandbox: &Sandbox, credentials: &Value) -> Answer {
    send(post(client, sandbox, "Session/login", credentials))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_login_by_password_or_token_gives_an_access_token() {
    let (sandbox, _) = start_by_hand().await;
    let by_token = json!({"login": "vendorbridge", "token": sandbox.config().portabilling_token});

    for credentials in [credentials(&sandbox), by_token] {
        let given = login(&client(), &sandbox, &credentials).await;
        assert_eq!(
            (given.status, &given.body["expires_at"]),
            (200, &json!("2026-01-30 14:36:25"))
        );
        assert!(given.body["refresh_token"].is_string() && given.body["session_id"].is_string());
        let request = post(
            &client(),
            &sandbox,
            "Customer/get_customer_info",
            &json!({"refnum": "C1"}),
        );
        let answer = send(request.bearer_auth(given.body["access_token"].as_str().unwrap()))
            .await
            .unwrap();
        assert_eq!((answer.status, answer.body), (200, json!({})));
    }

    assert_eq!(sandbox.portabilling.logins(), 2);
}

#[rstest]
#[case::login(json!({"login": "somebody", "password": "sandbox-portabilling-password"}))]
#[case::password(json!({"login": "vendorbridge", "password": "sandbox-portabilling-token"}))]
#[case::token(json!({"login": "vendorbridge", "token": "sandbox-portabilling-password"}))]
#[case::nothing(json!({"login": "vendorbridge"}))]
#[tokio::test]
async fn a_wrong_login_is_refused(#[case] credentials: Value) {
    let sandbox = start().await;

    let answer = login(&client(), &sandbox, &credentials).await;

    assert_eq!(fault(&answer), "Server.Session.auth_failed");
    assert_eq!(sandbox.portabilling.logins(), 0);
}

#[tokio::test]
async fn a_token_is_missing_or_over() {
    let (sandbox, hand) = start_by_hand().await;
    let session = Session::open(&sandbox).await;
    let find = json!({"refnum": "C1"});

    let without = send(post(&client(), &sandbox, "Customer/get_customer_info", &find))
        .await
        .unwrap();
    assert_eq!(fault(&without), "Client.check_auth.envelope_missed");
    hand.pass(SignedDuration::from_hours(24) - SignedDuration::from_secs(1));
    assert_eq!(session.call("get_customer_info", &find).await.status, 200);
    hand.pass(SignedDuration::from_secs(1));
    let over = [
        session.call("get_customer_info", &find).await,
        session.call("get_customer_info", &find).await,
    ];
    assert_eq!(
        over.each_ref().map(fault),
        [
            "Client.Session.check_auth.failed_to_process_jwt",
            "Client.Session.check_auth.failed_to_process_access_token"
        ]
    );

    let session = Session::open(&sandbox).await;
    assert_eq!(session.call("get_customer_info", &find).await.status, 200);
    sandbox.portabilling.expire_tokens();
    let over = session.call("get_customer_info", &find).await;
    assert_eq!(fault(&over), "Client.Session.check_auth.failed_to_process_jwt");
}

#[rstest]
#[case::not_json("POST", "Customer/get_customer_info", "{", "Client.wrong_request")]
#[case::no_params(
    "POST",
    "Customer/get_customer_info",
    r#"{"refnum": "C1"}"#,
    "Client.wrong_request"
)]
#[case::get("GET", "Customer/get_customer_info", "", "Client.wrong_request")]
#[case::unknown_method(
    "POST",
    "Customer/upsert",
    r#"{"params": {}}"#,
    "Server.Customer.upsert.method_not_found"
)]
#[case::unknown_service(
    "POST",
    "Invoice/create",
    r#"{"params": {}}"#,
    "Server.Invoice.create.method_not_found"
)]
#[case::no_method("POST", "Customer", r#"{"params": {}}"#, "Client.method_not_found")]
#[tokio::test]
async fn refusals_are_500_whatever_is_wrong(
    #[case] http_method: &str,
    #[case] path: &str,
    #[case] body: &'static str,
    #[case] code: &str,
) {
    let sandbox = start().await;
    let session = Session::open(&sandbox).await;

    let url = format!("{}/{path}", sandbox.portabilling_url());
    let request = session.client.request(http_method.parse().unwrap(), url);
    let answer = send(request.bearer_auth(&session.token).body(body))
        .await
        .unwrap();

    assert_eq!(fault(&answer), code);
    assert!(!answer.header("x-trace-id").is_empty());
}

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
