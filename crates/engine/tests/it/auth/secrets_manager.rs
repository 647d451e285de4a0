//! The adapter, against the rules of `PutSecretValue`
//! (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use vendorbridge::http::AwsHttp;
use vendorbridge::secret::SecretsManager;

use super::server::serve;
use super::*;

/// Version id and text, the current one last.
type Kept = Arc<Mutex<Vec<(String, String)>>>;

async fn api(State(kept): State<Kept>, headers: HeaderMap, request: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&request).unwrap();
    let mut kept = kept.lock().unwrap();
    let text = |field: &str| request[field].as_str().unwrap().to_owned();
    assert_eq!(text("SecretId"), "acme");
    match headers["x-amz-target"].to_str().unwrap() {
        "secretsmanager.GetSecretValue" => {
            let (id, text) = kept.last().unwrap();
            Json(json!({"Name": "acme", "VersionId": id, "SecretString": text})).into_response()
        }
        "secretsmanager.PutSecretValue" => {
            let (id, text) = (text("ClientRequestToken"), text("SecretString"));
            assert!((32..=64).contains(&id.len()));
            match kept.iter().find(|(known, _)| *known == id) {
                Some((_, there)) if *there == text => {}
                Some(_) => {
                    let body = json!({"__type": "ResourceExistsException", "message": "hunter2"});
                    return (StatusCode::BAD_REQUEST, Json(body)).into_response();
                }
                None => kept.push((id.clone(), text)),
            }
            Json(json!({"Name": "acme", "VersionId": id})).into_response()
        }
        other => panic!("another call: {other}"),
    }
}

#[tokio::test]
async fn of_two_writers_who_read_the_same_one_wins() {
    let kept: Kept = Arc::new(Mutex::new(vec![("v0".to_owned(), "{}".to_owned())]));
    let router = Router::new().route("/", post(api)).with_state(Arc::clone(&kept));
    let url = serve(router).await;
    let sdk = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(AwsHttp::new(&Http::new(false).unwrap()))
        .endpoint_url(url.as_str())
        .region(aws_config::Region::from_static("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "a", "b", None, None, "test",
        ))
        .load()
        .await;
    let secret = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&sdk), "acme".to_owned());
    let read = secret.fetch().await.unwrap();
    assert_eq!((read.version.as_str(), read.text.expose_secret()), ("v0", "{}"));
    let write = async |text: &str| {
        let text = SecretString::from(text);
        secret.replace(&read.version, &text).await.unwrap()
    };
    assert!(write("mine").await);
    assert!(
        write("mine").await,
        "a repeat whose answer was lost is the same write"
    );
    assert!(!write("theirs").await);
    assert_eq!(kept.lock().unwrap().len(), 2);
    let read = secret.fetch().await.unwrap();
    assert_eq!(read.text.expose_secret(), "mine");
    assert!(secret.replace(&read.version, &"theirs".into()).await.unwrap());
}
