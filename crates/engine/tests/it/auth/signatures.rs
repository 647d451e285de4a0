//! Signatures, computed anew by whoever receives them.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::routing::any;
use hmac::{Hmac, KeyInit, Mac};
use rstest::rstest;
use sha2::{Digest, Sha256};
use standardwebhooks::Webhook;
use vendorbridge::ErrorKind;

use super::server::serve;
use super::*;

const SECRET_KEY: &str = "hunter2EXAMPLEKEY";
const SIGNING_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// As AWS documents it, for paths and queries that need no encoding
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
async fn aws(
    State(key): State<&'static str>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let authorization = text("authorization");
    let Some(rest) = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") else {
        return StatusCode::FORBIDDEN;
    };
    let (scope, rest) = rest.split_once(", SignedHeaders=").unwrap();
    let (signed, signature) = rest.split_once(", Signature=").unwrap();
    let canonical_headers: BTreeMap<_, _> = signed.split(';').map(|name| (name, text(name).trim())).collect();
    assert!(
        ["host", "x-amz-date", "x-amz-security-token", "content-type"]
            .iter()
            .all(|name| canonical_headers.contains_key(name))
    );
    let mut lines = String::new();
    for (name, value) in &canonical_headers {
        lines += &[name, ":", value, "\n"].concat();
    }
    let mut query: Vec<_> = uri.query().unwrap_or_default().split('&').collect();
    query.sort_unstable();
    let canonical = format!(
        "{method}\n{}\n{}\n{lines}\n{signed}\n{}",
        uri.path(),
        query.join("&"),
        hex::encode(Sha256::digest(&body))
    );
    let hashed = hex::encode(Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hashed}", text("x-amz-date"));
    let mut signing = format!("AWS4{key}").into_bytes();
    for part in scope.split('/') {
        signing = hmac(&signing, part);
    }
    if scope.ends_with("/eu-west-1/execute-api/aws4_request")
        && hex::encode(hmac(&signing, &to_sign)) == signature
    {
        StatusCode::OK
    } else {
        StatusCode::FORBIDDEN
    }
}

#[rstest]
#[case(SECRET_KEY, 200)]
#[case("another key", 403)]
#[tokio::test]
async fn a_sigv4_signature_is_what_aws_computes(#[case] key: &'static str, #[case] status: u16) {
    let url = serve(Router::new().fallback(any(aws)).with_state(key)).await;
    let mut instance = Instance::new(&Vault::new(&json!({})), clock());
    let role = Credentials::new(
        "AKIDEXAMPLE",
        SECRET_KEY,
        Some("hunter2-session".to_owned()),
        None,
        "test",
    );
    instance.setup = instance
        .setup
        .with_role(Some(SharedCredentialsProvider::new(role)));
    let auth = instance.auth(json!({"kind": "sigv4", "service": "execute-api", "region": "eu-west-1"}));
    let url = url.join("stage/customers/c-1?b=2&a=1").unwrap();
    let request = instance
        .http
        .request(Method::PUT, url)
        .json(&json!({"name": "Ada"}));
    let answer = auth.send(request, Stage::Push).await.unwrap();
    assert_eq!(answer.status.as_u16(), status);
    assert!(!format!("{auth:?}").contains(HUNTER));
}

async fn hook(State(seen): State<Arc<Mutex<Vec<String>>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let verifier = Webhook::new(SIGNING_SECRET).unwrap();
    if verifier.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    seen.lock().unwrap().push(id);
    StatusCode::NO_CONTENT
}

#[tokio::test]
async fn a_webhook_is_signed_under_the_messages_id() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let url = serve(Router::new().fallback(any(hook)).with_state(Arc::clone(&seen))).await;
    let vault = Vault::new(&json!({"acme_signing_secret": SIGNING_SECRET}));
    let instance = Instance::new(&vault, clock());
    let auth = instance.auth(json!({"kind": "standard-webhooks"}));
    for _ in 0..2 {
        let request = instance
            .http
            .request(Method::POST, url.clone())
            .message_id("msg_1")
            .json(&json!({"type": "customer.updated"}));
        assert_eq!(auth.send(request, Stage::Push).await.unwrap().status, 204);
    }
    assert_eq!(*seen.lock().unwrap(), ["msg_1", "msg_1"]);
    let unnamed = instance.http.request(Method::POST, url);
    assert_eq!(
        auth.send(unnamed, Stage::Push).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

#[rstest]
#[case("hunter2")]
#[case("whsec_hunter2!")]
#[tokio::test]
async fn an_unusable_signing_secret_is_deauthorized_and_not_shown(#[case] secret: &str) {
    let instance = Instance::new(&Vault::new(&json!({"acme_signing_secret": secret})), clock());
    let auth = instance.auth(json!({"kind": "standard-webhooks"}));
    let url = "http://127.0.0.1:9/".parse().unwrap();
    let request = instance.http.request(Method::POST, url).message_id("m");
    let error = auth.send(request, Stage::Push).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deauthorized, "{error}");
    assert_silent(&error);
}
