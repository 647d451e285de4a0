//! The engine's sessions open both services by settings alone, and come back when they are over.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use vendorbridge::{
    Error, Stage,
    auth::Auth,
    clock::{Clock, SystemClock},
    config::Config,
    http::{Answer, Http},
    lambda::Setup,
    secret::{SecretText, Secrets},
};
use vendorbridge_testkit::{
    memory::ManualClock,
    sandbox::{Sandbox, servicelayer::Partner},
};

use crate::start;

struct Secret(Value);

impl Secrets for Secret {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        Box::pin(async { Ok(SecretText::fixed(self.0.to_string())) })
    }
}

/// More than the time in which a session is not replaced twice.
const LATER: Duration = Duration::from_mins(1);

struct Caller {
    clock: Arc<ManualClock>,
    http: Http,
    auth: Auth,
}

impl Caller {
    fn new(settings: Value, secret: Value) -> Self {
        let lookup = |name: &str| match name {
            "VENDOR" => Some("portabilling".to_owned()),
            "VENDOR_SETTINGS" => Some("{}".to_owned()),
            "QUEUE_URL" | "LEDGER_TABLE" | "VENDOR_SECRET" => Some("in memory".to_owned()),
            _ => None,
        };
        let http = Http::new(true).unwrap();
        let config = Config::read(&lookup).unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let setup = Setup::new(
            config,
            http.clone(),
            Arc::clone(&clock) as _,
            Box::new(Secret(secret)),
        );
        let auth = setup
            .auth(&serde_json::from_value(settings).unwrap(), "sandbox")
            .unwrap();
        Self { clock, http, auth }
    }

    async fn call(&self, method: Method, url: &str, body: &Value) -> Answer {
        let request = self.http.request(method, url.parse().unwrap()).json(body);
        self.auth.send(request, Stage::Source).await.unwrap()
    }
}

fn service_layer(sandbox: &Sandbox) -> Caller {
    let config = sandbox.config();
    let settings = json!({
        "kind": "session", "login_url": format!("{}/Login", sandbox.service_layer_url()),
        "document": {"CompanyDB": config.service_layer_company, "UserName": config.service_layer_user},
        "secrets": {"/Password": "password"}, "session": {"from": "cookies", "names": ["B1SESSION", "ROUTEID"]},
        "lifetime_seconds": 1740,
        "expired": [{"status": 401, "pointer": "/error/code", "codes": ["301"]}],
    });
    Caller::new(
        settings,
        json!({"sandbox_password": config.service_layer_password}),
    )
}

fn portabilling(sandbox: &Sandbox) -> Caller {
    let config = sandbox.config();
    let expired = [
        "Server.Session.check_auth.auth_failed",
        "Client.check_auth.envelope_missed",
        "Client.Session.check_auth.failed_to_process_jwt",
        "Client.Session.check_auth.failed_to_process_access_token",
    ];
    let settings = json!({
        "kind": "session", "login_url": format!("{}/Session/login", sandbox.portabilling_url()),
        "document": {"params": {"login": config.portabilling_login}}, "secrets": {"/params/password": "password"},
        "session": {"from": "body", "pointer": "/access_token"},
        "expired": [{"status": 500, "pointer": "/faultcode", "codes": expired}],
        "refused": [{"status": 500, "pointer": "/faultcode", "codes": ["Server.Session.auth_failed"]}],
    });
    Caller::new(
        settings,
        json!({"sandbox_password": config.portabilling_password}),
    )
}

#[tokio::test]
async fn a_session_of_the_service_layer_is_opened_again() {
    let sandbox = start().await;
    sandbox
        .service_layer
        .add_partner(Partner::customer("C1", "Urist"));
    let caller = service_layer(&sandbox);
    let url = format!("{}/BusinessPartners('C1')", sandbox.service_layer_url());

    for (logins, old_errors) in [(1, false), (2, true), (3, false)] {
        for _ in 0..2 {
            let answer = caller.call(Method::GET, &url, &json!({})).await;
            assert_eq!(answer.status.as_u16(), 200);
        }
        assert_eq!(sandbox.service_layer.logins(), logins);
        sandbox.service_layer.old_error_shape(old_errors);
        sandbox.service_layer.expire_sessions();
        caller.clock.advance(LATER);
    }
}

#[tokio::test]
async fn a_session_of_portabilling_is_opened_again() {
    let sandbox = start().await;
    let caller = portabilling(&sandbox);
    let url = format!("{}/Customer/get_customer_info", sandbox.portabilling_url());

    for logins in 1..=3 {
        for _ in 0..2 {
            let find = json!({"params": {"refnum": "C1"}});
            assert_eq!(caller.call(Method::POST, &url, &find).await.status.as_u16(), 200);
        }
        assert_eq!(sandbox.portabilling.logins(), logins);
        sandbox.portabilling.expire_tokens();
        caller.clock.advance(LATER);
    }
    // Another refusal is not taken for the session's end.
    caller.call(Method::POST, &url, &json!({"params": {}})).await;
    let refused = caller.call(Method::POST, &url, &json!({"params": {}})).await;
    assert_eq!((refused.status.as_u16(), sandbox.portabilling.logins()), (500, 4));
}

#[tokio::test]
async fn a_token_for_course_discovery_is_asked_for_again() {
    let sandbox = start().await;
    let config = sandbox.config();
    let settings = json!({
        "kind": "client-credentials", "token_url": format!("{}/oauth2/access_token", sandbox.discovery_url()),
        "client_auth": "body", "scheme": "JWT", "parameters": {"token_type": "jwt"},
    });
    let secret = json!({
        "sandbox_client_id": config.discovery_client_id, "sandbox_client_secret": config.discovery_client_secret,
    });
    let caller = Caller::new(settings, secret);
    let url = format!("{}/api/v1/courses/", sandbox.discovery_url());

    for tokens in 1..=3 {
        for _ in 0..2 {
            let answer = caller.call(Method::GET, &url, &json!({})).await;
            assert_eq!(answer.status.as_u16(), 200);
        }
        assert_eq!(sandbox.discovery.tokens_issued(), tokens);
        sandbox.discovery.expire_tokens();
        caller.clock.advance(LATER);
    }
}
