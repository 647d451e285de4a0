//! API key, basic and bearer; and what is wrong with settings.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use rstest::rstest;
use vendorbridge::ErrorKind;

use super::server::serve;
use super::*;

type Wanted = Arc<Mutex<(String, usize)>>;

/// Lets in who shows the wanted text: in `Authorization`, in `x-key` or in the query.
async fn door(State(wanted): State<Wanted>, headers: HeaderMap, RawQuery(query): RawQuery) -> StatusCode {
    let mut wanted = wanted.lock().unwrap();
    wanted.1 += 1;
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let shown = [header(header::AUTHORIZATION.as_str()), header("x-key"), query];
    if shown.contains(&Some(wanted.0.clone())) {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    }
}

async fn start(wanted: &str) -> (Url, Wanted) {
    let wanted = Arc::new(Mutex::new((wanted.to_owned(), 0)));
    let router = Router::new()
        .route("/", get(door))
        .with_state(Arc::clone(&wanted));
    (serve(router).await, wanted)
}

fn vault() -> Vault {
    Vault::new(&json!({
        "acme_api_key": "hunter2/?&", "acme_token": "hunter2", "acme_user": "ada", "acme_password": "hunter2",
        "another": "hunter2-x",
    }))
}

#[rstest]
#[case(json!({"kind": "api-key", "header": "X-Key"}), "hunter2/?&")]
#[case(json!({"kind": "api-key", "query": "key"}), "key=hunter2%2F%3F%26")]
#[case(json!({"kind": "api-key", "header": "X-Key", "field": "another"}), "hunter2-x")]
#[case(json!({"kind": "bearer"}), "Bearer hunter2")]
#[case(json!({"kind": "bearer", "scheme": "JWT"}), "JWT hunter2")]
#[case(json!({"kind": "basic"}), "Basic YWRhOmh1bnRlcjI=")]
#[case(json!({"kind": "basic", "user": "any", "field": "another"}), "Basic YW55Omh1bnRlcjIteA==")]
#[case(json!({"kind": "all", "of": [{"kind": "bearer"}, {"kind": "api-key", "header": "x-other"}]}), "Bearer hunter2")]
#[tokio::test]
async fn each_kind_is_let_in(#[case] settings: Value, #[case] wanted: &str) {
    let (url, _) = start(wanted).await;
    let instance = Instance::new(&vault(), clock());
    let auth = instance.auth(settings);
    assert_eq!(instance.status(&auth, &url).await, 200);
    let text = format!("{auth:?}");
    assert!(!text.contains(HUNTER), "{text}");
}

#[rstest]
#[case(json!({"kind": "api-key", "header": "x-key"}), "hunter2/?&", "acme_api_key", "hunter2-new")]
#[case(json!({"kind": "bearer"}), "Bearer hunter2", "acme_token", "Bearer hunter2-new")]
#[case(json!({"kind": "api-key", "query": "key"}), "key=hunter2%2F%3F%26", "acme_api_key", "key=hunter2-new")]
#[tokio::test]
async fn a_rotated_credential_is_used_at_once(
    #[case] settings: Value,
    #[case] before: &str,
    #[case] field: &str,
    #[case] after: &str,
) {
    let (url, wanted) = start(before).await;
    let vault = vault();
    let instance = Instance::new(&vault, clock());
    let auth = instance.auth(settings);
    assert_eq!(instance.status(&auth, &url).await, 200);
    vault.set(field, "hunter2-new");
    wanted.lock().unwrap().0 = after.to_owned();
    assert_eq!(instance.status(&auth, &url).await, 200);
    assert_eq!(
        wanted.lock().unwrap().1,
        3,
        "the refused request was repeated once"
    );
}

#[tokio::test]
async fn a_refused_credential_is_repeated_only_with_another_one() {
    let (url, wanted) = start("Bearer of somebody else").await;
    let (vault, clock) = (vault(), clock());
    let instance = Instance::new(&vault, Arc::clone(&clock) as _);
    let auth = instance.auth(json!({"kind": "bearer"}));
    for _ in 0..10 {
        assert_eq!(instance.status(&auth, &url).await, 401);
    }
    assert_eq!((wanted.lock().unwrap().1, vault.reads()), (10, 2));
    clock.advance(seconds(31));
    assert_eq!(instance.status(&auth, &url).await, 401);
    assert_eq!(vault.reads(), 3);
}

#[rstest]
#[case(json!({"kind": "api-key"}))]
#[case(json!({"kind": "api-key", "header": "a", "query": "b"}))]
#[case(json!({"kind": "api-key", "header": "no header"}))]
#[case(json!({"kind": "client-credentials", "token_url": "ftp://a.example"}))]
#[case(json!({"kind": "sigv4", "service": "execute-api", "region": "eu-west-1"}))]
#[case(json!({"kind": "session", "login_url": "https://a.example", "secrets": {"user": "user"},
    "session": {"from": "cookies", "names": ["a"]}}))]
#[case(json!({"kind": "session", "login_url": "https://a.example", "secrets": {},
    "session": {"from": "cookies", "names": []}}))]
fn wrong_settings_show_at_start(#[case] settings: Value) {
    let instance = Instance::new(&vault(), clock());
    assert!(instance.try_auth(settings).is_err());
}

#[rstest]
#[case(json!({"kind": "bearer", "tokn": "x"}))]
#[case(json!({"kind": "password"}))]
#[case(json!({"kind": "client-credentials", "token_url": "https://a.example", "scopes": "x"}))]
#[case(json!({"kind": "session", "login_url": "https://a.example", "secrets": {}, "user": "x",
    "session": {"from": "cookies", "names": ["a"]}}))]
fn unknown_settings_are_refused(#[case] settings: Value) {
    assert!(serde_json::from_value::<AuthSettings>(settings).is_err());
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let instance = Instance::new(&Vault::new(&json!({"other": "hunter2"})), clock());
    let auth = instance.auth(json!({"kind": "bearer"}));
    let error = instance
        .get(&auth, &"http://127.0.0.1:9/".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deauthorized);
    assert!(visible(&error).contains("acme_token"));
    assert_silent(&error);
}

#[tokio::test]
async fn a_key_in_the_query_reaches_no_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let instance = Instance::new(&vault(), clock());
    let auth = instance.auth(json!({"kind": "api-key", "query": "key"}));
    assert_silent(&instance.get(&auth, &url).await.unwrap_err());
    let wrong = "ftp://127.0.0.1/".parse().unwrap();
    assert_silent(&instance.get(&auth, &wrong).await.unwrap_err());
}
