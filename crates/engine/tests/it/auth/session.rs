//! Logins that answer with a session, in the ways of SAP Business One, PortaBilling and others.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rstest::rstest;
use vendorbridge::ErrorKind;

use super::server::serve;
use super::*;

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// Cookies; 401 with a code (<https://help.sap.com/doc/0d2533ad95ba4ad7a702e83570a21c32/9.3/en-US/Working_with_SAP_Business_One_Service_Layer.pdf>).
    Sap,
    /// A bearer token; every refusal is a 500 with a fault code
    /// (<https://docs.portaone.com/docs/retrieving-data-from-portabilling>).
    Porta,
}

struct Desk {
    manner: Manner,
    password: String,
    sessions: HashSet<String>,
    logins: usize,
    calls: usize,
    takes_none: bool,
    outage: bool,
}

type Shared = Arc<Mutex<Desk>>;

async fn log_in(State(desk): State<Shared>, Json(document): Json<Value>) -> Response {
    tokio::task::yield_now().await;
    let mut desk = desk.lock().unwrap();
    desk.logins += 1;
    if desk.outage {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let session = format!("hunter2-s{}", desk.logins);
    match desk.manner {
        Manner::Sap => {
            if document != json!({"CompanyDB": "SBO", "UserName": "ada", "Password": desk.password}) {
                return (StatusCode::UNAUTHORIZED, Json(json!({"error": {"code": -304}}))).into_response();
            }
            desk.sessions.insert(session.clone());
            let mut answer = Json(json!({"SessionId": session})).into_response();
            for cookie in [
                format!("B1SESSION={session};HttpOnly;"),
                "ROUTEID=.node3; path=/b1s".to_owned(),
            ] {
                answer
                    .headers_mut()
                    .append(header::SET_COOKIE, cookie.parse().unwrap());
            }
            answer
        }
        Manner::Porta => {
            if document != json!({"params": {"login": "ada", "password": desk.password}}) {
                return fault("Server.Session.auth_failed");
            }
            desk.sessions.insert(session.clone());
            Json(json!({"access_token": session})).into_response()
        }
    }
}

fn fault(code: &str) -> Response {
    let body = json!({"faultcode": code, "faultstring": "hunter2 is not known"});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

async fn api(State(desk): State<Shared>, headers: HeaderMap) -> Response {
    let mut desk = desk.lock().unwrap();
    desk.calls += 1;
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let session = match desk.manner {
        Manner::Sap => text(header::COOKIE).and_then(|cookies| {
            cookies
                .strip_prefix("B1SESSION=")?
                .strip_suffix("; ROUTEID=.node3")
        }),
        Manner::Porta => text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")),
    };
    let is_good = session.is_some_and(|session| desk.sessions.contains(session)) && !desk.takes_none;
    match (is_good, desk.manner) {
        (true, _) => StatusCode::OK.into_response(),
        (false, Manner::Sap) => {
            (StatusCode::UNAUTHORIZED, Json(json!({"error": {"code": 301}}))).into_response()
        }
        (false, Manner::Porta) => fault("Server.Session.check_auth.auth_failed"),
    }
}

struct Stand {
    desk: Shared,
    api: Url,
    vault: Vault,
    clock: Arc<ManualClock>,
    instance: Instance,
    auth: Auth,
}

impl Stand {
    async fn start(manner: Manner) -> Self {
        let desk = Arc::new(Mutex::new(Desk {
            manner,
            password: HUNTER.to_owned(),
            sessions: HashSet::new(),
            logins: 0,
            calls: 0,
            takes_none: false,
            outage: false,
        }));
        let router = Router::new()
            .route("/login", post(log_in))
            .route("/api", get(api))
            .with_state(Arc::clone(&desk));
        let base = serve(router).await;
        let login = base.join("login").unwrap();
        let settings = match manner {
            Manner::Sap => json!({
                "kind": "session", "login_url": login, "document": {"CompanyDB": "SBO"},
                "secrets": {"/UserName": "user", "/Password": "password"},
                "session": {"from": "cookies", "names": ["B1SESSION", "ROUTEID"]},
                "expired": [{"status": 401, "pointer": "/error/code", "codes": ["301"]}],
            }),
            Manner::Porta => json!({
                "kind": "session", "login_url": login,
                "secrets": {"/params/login": "user", "/params/password": "password"},
                "session": {"from": "body", "pointer": "/access_token"},
                "expired": [{"status": 500, "pointer": "/faultcode",
                    "codes": ["Server.Session.check_auth.auth_failed", "Client.check_auth.envelope_missed"]}],
                "refused": [{"status": 500, "pointer": "/faultcode", "codes": ["Server.Session.auth_failed"]}],
                "lifetime_seconds": 600,
            }),
        };
        let vault = Vault::new(&json!({"acme_user": "ada", "acme_password": HUNTER}));
        let clock = clock();
        let instance = Instance::new(&vault, Arc::clone(&clock) as _);
        let auth = instance.auth(settings);
        Self {
            api: base.join("api").unwrap(),
            desk,
            vault,
            clock,
            instance,
            auth,
        }
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// Logins and calls.
    fn counts(&self) -> (usize, usize) {
        let desk = self.desk();
        (desk.logins, desk.calls)
    }

    async fn call(&self) -> Result<Answer, Error> {
        self.instance.get(&self.auth, &self.api).await
    }
}

#[rstest]
#[case(Manner::Sap)]
#[case(Manner::Porta)]
#[tokio::test]
async fn an_expired_session_is_renewed_once_for_all(#[case] manner: Manner) {
    let stand = Stand::start(manner).await;
    for _ in 0..2 {
        let calls = (0..10).map(|_| stand.call());
        for answer in futures::future::join_all(calls).await {
            assert_eq!(answer.unwrap().status, 200);
        }
        stand.desk().sessions.clear();
    }
    assert_eq!(stand.desk().logins, 2);
    assert!(!format!("{:?}", stand.auth).contains(HUNTER));
}

#[rstest]
#[case(Manner::Sap)]
#[case(Manner::Porta)]
#[tokio::test]
async fn a_wrong_password_is_deauthorized_and_not_tried_again_at_once(#[case] manner: Manner) {
    let stand = Stand::start(manner).await;
    stand.desk().password = "another".to_owned();
    for _ in 0..10 {
        let error = stand.call().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deauthorized);
        assert_silent(&error);
    }
    assert_eq!(stand.counts(), (1, 0));
}

#[rstest]
#[case(Manner::Sap)]
#[case(Manner::Porta)]
#[tokio::test]
async fn a_changed_password_is_read_at_once(#[case] manner: Manner) {
    let stand = Stand::start(manner).await;
    stand.call().await.unwrap();
    stand.desk().password = "hunter2-new".to_owned();
    stand.vault.set("acme_password", "hunter2-new");
    stand.desk().sessions.clear();
    assert_eq!(stand.call().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_session_that_is_refused_when_new_is_deauthorized() {
    let stand = Stand::start(Manner::Porta).await;
    stand.desk().takes_none = true;
    for _ in 0..10 {
        let error = stand.call().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deauthorized);
        assert_silent(&error);
    }
    assert_eq!(stand.desk().logins, 2);
}

#[tokio::test]
async fn a_login_that_is_down_is_unavailable() {
    let stand = Stand::start(Manner::Sap).await;
    stand.desk().outage = true;
    assert_eq!(stand.call().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_session_with_a_lifetime_is_renewed_before_it_ends() {
    let stand = Stand::start(Manner::Porta).await;
    stand.call().await.unwrap();
    stand.clock.advance(seconds(541));
    stand.call().await.unwrap();
    assert_eq!(stand.counts(), (2, 2));
}
