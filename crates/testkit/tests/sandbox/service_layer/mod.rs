//! SAP Business One's Service Layer: sessions, and what is the same for all records.

mod cancelling;
mod changes;
mod reads;
mod records;

use jiff::SignedDuration;
use reqwest::{Client, Method, RequestBuilder};
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Fault, Sandbox,
    servicelayer::{B1Event, Partner},
};

use crate::{Answer, client, send, start, start_by_hand};

/// A client that is logged in. It sets its cookie by hand.
struct Session<'a> {
    sandbox: &'a Sandbox,
    client: Client,
    cookie: String,
}

impl<'a> Session<'a> {
    async fn open(sandbox: &'a Sandbox) -> Self {
        let client = client();
        let answer = send(login(&client, sandbox, &credentials(sandbox)))
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
        Self {
            sandbox,
            client,
            cookie: format!("B1SESSION={}", answer.body["SessionId"].as_str().unwrap()),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/{path}", self.sandbox.service_layer_url());
        self.client.request(method, url).header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await.unwrap()
    }

    async fn post(&self, path: &str) -> Answer {
        send(self.request(Method::POST, path)).await.unwrap()
    }

    async fn patch(&self, path: &str, said: &Value) -> Answer {
        let request = self.request(Method::PATCH, path).body(said.to_string());
        send(request).await.unwrap()
    }
}

/// Status and code of a refusal; the code is a text in v2.
fn refusal(answer: &Answer) -> (u16, &str) {
    assert!(answer.body["error"]["message"].is_string(), "{}", answer.body);
    (answer.status, answer.body["error"]["code"].as_str().unwrap())
}

fn credentials(sandbox: &Sandbox) -> Value {
    let config = sandbox.config();
    json!({
        "CompanyDB": config.service_layer_company, "UserName": config.service_layer_user,
        "Password": config.service_layer_password,
    })
}

fn login(client: &Client, sandbox: &Sandbox, credentials: &Value) -> RequestBuilder {
    let url = format!("{}/Login", sandbox.service_layer_url());
    client.post(url).body(credentials.to_string())
}

/// With the partner C1; the events of that are taken.
async fn with_partner() -> Sandbox {
    let sandbox = start().await;
    sandbox
        .service_layer
        .add_partner(Partner::customer("C1", "Urist"));
    sandbox.service_layer.take_events();
    sandbox
}

/// The events since the last time, as `<object type>/<transaction type> <key> <user>`.
fn events(sandbox: &Sandbox) -> Vec<String> {
    let shown = |event: B1Event| {
        format!(
            "{}/{} {} {}",
            event.object_type, event.transaction_type, event.key, event.user
        )
    };
    sandbox
        .service_layer
        .take_events()
        .into_iter()
        .map(shown)
        .collect()
}

#[tokio::test]
async fn a_login_sets_two_cookies_of_which_one_is_asked_for() {
    let (sandbox, client) = (start().await, client());
    sandbox
        .service_layer
        .add_partner(Partner::customer("C1", "Urist"));

    let answer = send(login(&client, &sandbox, &credentials(&sandbox)))
        .await
        .unwrap();

    assert_eq!((answer.status, &answer.body["SessionTimeout"]), (200, &json!(30)));
    let id = answer.body["SessionId"].as_str().unwrap();
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(
        cookies,
        [&*format!("B1SESSION={id};HttpOnly;"), "ROUTEID=.node1; path=/b1s"]
    );
    let url = format!("{}/BusinessPartners('C1')", sandbox.service_layer_url());
    for (cookie, status) in [
        (format!("B1SESSION={id}"), 200),
        (format!("ROUTEID=.node1; B1SESSION={id}"), 200),
        ("ROUTEID=.node1".to_owned(), 401),
    ] {
        let answer = send(client.get(&url).header("cookie", &cookie)).await.unwrap();
        assert_eq!(answer.status, status, "{cookie}");
    }
    assert_eq!(sandbox.service_layer.logins(), 1);
}

#[rstest]
#[case::company("CompanyDB", json!("SBODEMODE"), 401, "100000027")]
#[case::user("UserName", json!("manager"), 401, "100000027")]
#[case::password("Password", json!(""), 401, "100000027")]
#[case::no_text("Password", json!(null), 400, "-1000")]
#[tokio::test]
async fn a_wrong_login_is_refused(
    #[case] field: &str,
    #[case] value: Value,
    #[case] status: u16,
    #[case] code: &str,
) {
    let (sandbox, client) = (start().await, client());
    let mut credentials = credentials(&sandbox);
    credentials[field] = value;

    let answer = send(login(&client, &sandbox, &credentials)).await.unwrap();

    assert_eq!(refusal(&answer), (status, code));
    assert!(answer.headers.get("set-cookie").is_none());
    assert_eq!(sandbox.service_layer.logins(), 0);
}

#[tokio::test]
async fn a_session_is_over_after_a_logout_and_after_a_restart() {
    let sandbox = start().await;
    let (first, second) = (Session::open(&sandbox).await, Session::open(&sandbox).await);

    assert_eq!(first.post("Logout").await.status, 204);
    assert_eq!(refusal(&first.get("Invoices(1)").await), (401, "301"));
    assert_eq!(refusal(&first.post("Logout").await), (401, "301"));
    assert_eq!(refusal(&second.get("Invoices(1)").await), (404, "-2028"));
    sandbox.service_layer.expire_sessions();
    assert_eq!(refusal(&second.get("Invoices(1)").await), (401, "301"));
    assert_eq!(refusal(&second.post("Invoices(1)/Cancel").await), (401, "301"));
    assert_eq!(
        refusal(&second.patch("Invoices(1)", &json!({})).await),
        (401, "301")
    );
}

#[tokio::test]
async fn a_session_ends_after_thirty_idle_minutes() {
    let (sandbox, hand) = start_by_hand().await;
    let session = Session::open(&sandbox).await;

    for _ in 0..2 {
        hand.pass(SignedDuration::from_secs(30 * 60 - 1));
        assert_eq!(session.get("Invoices(1)").await.status, 404, "used in time");
    }
    hand.pass(SignedDuration::from_mins(30));

    assert_eq!(refusal(&session.get("Invoices(1)").await), (401, "301"));
}

#[tokio::test]
async fn errors_can_have_the_shape_of_v1() {
    let sandbox = start().await;
    let session = Session::open(&sandbox).await;
    sandbox.service_layer.expire_sessions();
    sandbox.service_layer.old_error_shape(true);

    let answer = session.get("Invoices(1)").await;

    let message = json!({"lang": "en-us", "value": "Invalid session or session already timeout."});
    assert_eq!(answer.body, json!({"error": {"code": 301, "message": message}}));
}

#[rstest]
#[case::partner("C1", [503, 404, 404])]
#[case::invoice("invoice/1", [404, 503, 404])]
#[case::payment("payment/1", [404, 404, 503])]
#[tokio::test]
async fn faults_know_records_by_code_and_by_kind(#[case] subject: &str, #[case] statuses: [u16; 3]) {
    let sandbox = start().await;
    let session = Session::open(&sandbox).await;
    sandbox
        .service_layer
        .faults()
        .always_for(subject, Fault::Status(503));

    let paths = ["BusinessPartners('C1')", "Invoices(1)", "IncomingPayments(1)"];
    for (path, status) in paths.into_iter().zip(statuses) {
        assert_eq!(session.get(path).await.status, status, "{path}");
    }

    assert_eq!(
        (
            sandbox.service_layer.calls(),
            sandbox.service_layer.calls_for("Login")
        ),
        (4, 1)
    );
    sandbox
        .service_layer
        .faults()
        .always_for("Login", Fault::Status(502));
    let refused = send(login(&client(), &sandbox, &credentials(&sandbox)))
        .await
        .unwrap();
    assert_eq!(refusal(&refused), (502, "-1"));
}
