//! Sessions and reads of SAP Business One's Service Layer.

use jiff::SignedDuration;
use reqwest::{Client, Method, RequestBuilder};
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Fault, Sandbox,
    servicelayer::{Kind, NewDocument, Partner},
};

use crate::{Answer, client, dec, send, start, start_by_hand};

/// A client that is logged in. It sets its cookie by hand.
pub(crate) struct Session<'a> {
    pub(crate) sandbox: &'a Sandbox,
    client: Client,
    cookie: String,
}

impl<'a> Session<'a> {
    pub(crate) async fn open(sandbox: &'a Sandbox) -> Self {
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

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/{path}", self.sandbox.service_layer_url());
        self.client.request(method, url).header("cookie", &self.cookie)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        send(self.request(Method::POST, path)).await.unwrap()
    }

    pub(crate) async fn patch(&self, path: &str, said: &Value) -> Answer {
        let request = self.request(Method::PATCH, path).body(said.to_string());
        send(request).await.unwrap()
    }
}

/// Status and code of a refusal; the code is a text in v2.
pub(crate) fn refusal(answer: &Answer) -> (u16, &str) {
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
#[case::text("BusinessPartners('C1')", 200, "")]
#[case::text_encoded("BusinessPartners(%27C1%27)", 200, "")]
#[case::unknown_text("BusinessPartners('c1')", 404, "-2028")]
#[case::text_without_quotes("BusinessPartners(C1)", 400, "-1000")]
#[case::text_half_open("BusinessPartners('C1)", 400, "-1000")]
#[case::lone_quote("BusinessPartners('O'Neil')", 400, "-1000")]
#[case::empty_text("BusinessPartners('')", 400, "-1000")]
#[case::number("Invoices(1)", 200, "")]
#[case::unknown_number("Invoices(2)", 404, "-2028")]
#[case::of_another_table("CreditNotes(1)", 404, "-2028")]
#[case::number_in_quotes("Invoices('1')", 400, "-1000")]
#[case::no_number("Invoices(one)", 400, "-1000")]
#[case::no_key("Invoices()", 400, "-1000")]
#[case::a_collection("Invoices", 404, "-1000")]
#[case::unknown_collection("Orders(1)", 404, "-1000")]
#[tokio::test]
async fn keys_are_written_as_odata_writes_them(#[case] path: &str, #[case] status: u16, #[case] code: &str) {
    let sandbox = start().await;
    sandbox
        .service_layer
        .add_partner(Partner::customer("C1", "Urist"));
    sandbox.service_layer.add_invoice(NewDocument::of("C1", dec("1")));
    let session = Session::open(&sandbox).await;

    let answer = session.get(path).await;

    assert_eq!(answer.status, status, "{}", answer.body);
    if !code.is_empty() {
        assert_eq!(refusal(&answer).1, code);
    }
}

#[tokio::test]
async fn a_key_may_have_quotes_slashes_and_brackets() {
    let sandbox = start().await;
    let code = "O'Neil & Söhne/1 (neu)";
    sandbox
        .service_layer
        .add_partner(Partner::customer(code, "O'Neil"));
    let session = Session::open(&sandbox).await;

    let path = "BusinessPartners('O''Neil%20%26%20S%C3%B6hne%2F1%20(neu)')";
    assert_eq!(session.get(path).await.body["CardCode"], json!(code));
    assert_eq!(sandbox.service_layer.calls_for(code), 1);
}

#[tokio::test]
async fn a_partner_has_these_properties() {
    let (sandbox, _) = start_by_hand().await;
    let mut partner = Partner::customer("C1", "Urist");
    (partner.phone1, partner.portabilling_id) = (None, Some("1001".to_owned()));
    sandbox.service_layer.add_partner(partner);
    let session = Session::open(&sandbox).await;

    let answer = session.get("BusinessPartners('C1')").await;

    let etag = answer.header("etag");
    assert!(etag.starts_with("W/\"") && etag.ends_with('"'), "{etag}");
    assert_eq!(
        answer.body,
        json!({
            "@odata.context": "/b1s/v2/$metadata#BusinessPartners/$entity", "@odata.etag": etag,
            "CardCode": "C1", "CardName": "Urist", "CardType": "cCustomer", "GroupCode": 100, "Currency": "EUR",
            "EmailAddress": "office@sandbox.test", "Phone1": null, "Address": "Hauptstr. 1", "City": "Berlin",
            "ZipCode": "10115", "Country": "DE", "Valid": "tYES", "UpdateDate": "2026-01-29T00:00:00Z",
            "UpdateTime": "14:36:25", "U_PortaBilling": "1001",
        })
    );
}

#[tokio::test]
async fn documents_and_payments_have_these_properties() {
    let sandbox = start().await;
    let b1 = &sandbox.service_layer;
    b1.add_partner(Partner::customer("C1", "Urist"));
    let invoice = b1.add_invoice(NewDocument::of("C1", dec("119.90")));
    b1.add_payment(NewDocument {
        comments: "Thanks".to_owned(),
        invoices: vec![(invoice, dec("100.1"))],
        ..NewDocument::of("C1", dec("1000000000000.01"))
    });
    let session = Session::open(&sandbox).await;
    let read = async |path: &str| {
        let mut body = session.get(path).await.body;
        body.as_object_mut()
            .unwrap()
            .retain(|name, _| !name.starts_with('@'));
        body
    };

    assert_eq!(
        read("Invoices(1)").await,
        json!({
            "DocEntry": 1, "DocNum": 100_001, "CardCode": "C1", "DocDate": "2026-01-29T00:00:00Z",
            "DocCurrency": "EUR", "DocTotal": 119.9, "Series": 1, "Cancelled": "tNO", "CancelStatus": "csNo",
            "Comments": "", "U_PortaBilling": null,
        })
    );
    assert_eq!(
        read("IncomingPayments(1)").await,
        json!({
            "DocEntry": 1, "DocNum": 100_001, "CardCode": "C1", "DocDate": "2026-01-29T00:00:00Z",
            "DocCurrency": "EUR", "CashSum": 0.0, "TransferSum": 1_000_000_000_000.01, "Series": 1,
            "Cancelled": "tNO", "Remarks": "Thanks", "U_PortaBilling": null,
            "PaymentInvoices": [
                {"LineNum": 0, "DocEntry": 1, "SumApplied": 100.1, "InvoiceType": "it_Invoice"},
            ],
        })
    );
    let kept = b1.document(Kind::Payment, 1).unwrap();
    assert_eq!(
        (kept.total, kept.invoices),
        (dec("1000000000000.01"), vec![(1, dec("100.1"))])
    );
}

#[rstest]
#[case::some("$select=DocEntry,DocTotal", 200, "")]
#[case::encoded("%24select=DocEntry%2C%20DocTotal", 200, "")]
#[case::unknown("$select=DocEntry,Total", 400, "-1000")]
#[case::wrong_case("$select=docentry", 400, "-1000")]
#[case::empty("$select=", 400, "-1000")]
#[case::of_payments("$select=TransferSum", 400, "-1000")]
#[case::another_option("$expand=BusinessPartner", 400, "-1000")]
#[tokio::test]
async fn select_names_properties(#[case] query: &str, #[case] status: u16, #[case] code: &str) {
    let sandbox = start().await;
    sandbox
        .service_layer
        .add_partner(Partner::customer("C1", "Urist"));
    sandbox.service_layer.add_invoice(NewDocument::of("C1", dec("5")));
    let session = Session::open(&sandbox).await;

    let answer = session.get(&format!("Invoices(1)?{query}")).await;

    assert_eq!(answer.status, status, "{}", answer.body);
    if status == 200 {
        let names: Vec<_> = answer.body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["@odata.context", "@odata.etag", "DocEntry", "DocTotal"]);
    } else {
        assert_eq!(refusal(&answer).1, code);
    }
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
