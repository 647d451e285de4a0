//! PortaBilling: logins, and what is the same for all methods.

mod customers;
mod outages;
mod transactions;
mod xdrs;

use jiff::SignedDuration;
use reqwest::{Client, RequestBuilder};
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::Sandbox;

use crate::{Answer, client, send, start, start_by_hand};

/// A client that is logged in.
struct Session<'a> {
    sandbox: &'a Sandbox,
    client: Client,
    token: String,
}

impl<'a> Session<'a> {
    async fn open(sandbox: &'a Sandbox) -> Self {
        let client = client();
        let answer = login(&client, sandbox, &credentials(sandbox)).await;
        assert_eq!(answer.status, 200);
        Self {
            sandbox,
            client,
            token: answer.body["access_token"].as_str().unwrap().to_owned(),
        }
    }

    fn request(&self, method: &str, params: &Value) -> RequestBuilder {
        let request = post(&self.client, self.sandbox, &format!("Customer/{method}"), params);
        request.bearer_auth(&self.token)
    }

    async fn call(&self, method: &str, params: &Value) -> Answer {
        send(self.request(method, params)).await.unwrap()
    }

    /// The customer that was made.
    async fn add(&self, info: &Value) -> i64 {
        let answer = self.call("add_customer", &json!({"customer_info": info})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["i_customer"].as_i64().unwrap()
    }
}

fn post(client: &Client, sandbox: &Sandbox, method: &str, params: &Value) -> RequestBuilder {
    let url = format!("{}/{method}", sandbox.portabilling_url());
    client.post(url).body(json!({"params": params}).to_string())
}

/// The `faultcode` of a refusal, which always comes with a 500.
fn fault(answer: &Answer) -> &str {
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

fn transaction(id: i64, action: &str, amount: &Value) -> Value {
    json!({
        "i_customer": id, "action": action, "amount": amount, "visible_comment": "Invoice 1",
        "internal_comment": "sapb1:SBODEMOUS:13:1",
    })
}
