use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Fault, Sandbox,
    auth0::{Change, NewUser, event, sign_up},
};

use crate::{client, send, start};

const USER: &str = "auth0|679fb1b1e809445f129bc18d";

fn user(client: &Client, sandbox: &Sandbox, token: &str) -> RequestBuilder {
    selected(client, sandbox, token, "")
}

fn selected(client: &Client, sandbox: &Sandbox, token: &str, query: &str) -> RequestBuilder {
    let url = format!(
        "{}/api/v2/users/auth0%7C679fb1b1e809445f129bc18d{query}",
        sandbox.auth0_url()
    );
    client.get(url).bearer_auth(token)
}

fn token(client: &Client, sandbox: &Sandbox, body: &Value) -> RequestBuilder {
    client
        .post(format!("{}/oauth/token", sandbox.auth0_url()))
        .header("content-type", "application/json")
        .body(body.to_string())
}

fn credentials(sandbox: &Sandbox) -> Value {
    json!({
        "grant_type": "client_credentials", "client_id": sandbox.config().auth0_client_id,
        "client_secret": sandbox.config().auth0_client_secret, "audience": "https://acme.eu.auth0.com/api/v2/",
    })
}

#[tokio::test]
async fn a_token_opens_the_management_api() {
    let (sandbox, client) = (start().await, client());
    sandbox.auth0.put(NewUser::by_email(USER, "urist@sandbox.test"));
    let given = send(token(&client, &sandbox, &credentials(&sandbox)))
        .await
        .unwrap();
    let token = given.body["access_token"].as_str().unwrap();

    let answer = send(user(&client, &sandbox, token)).await.unwrap();
    assert_eq!(
        (answer.status, &answer.body["email"]),
        (200, &json!("urist@sandbox.test"))
    );
    assert_eq!(answer.header("x-ratelimit-remaining"), "9");
    let query = "?fields=user_id,email&include_fields=true";
    let answer = send(selected(&client, &sandbox, token, query)).await.unwrap();
    assert_eq!(
        answer.body,
        json!({"user_id": USER, "email": "urist@sandbox.test"})
    );

    sandbox.auth0.remove(USER);
    assert_eq!(send(user(&client, &sandbox, token)).await.unwrap().status, 404);
    assert_eq!(sandbox.auth0.reads_of(USER), 3);
    sandbox.auth0.revoke_tokens();
    assert_eq!(send(user(&client, &sandbox, token)).await.unwrap().status, 401);
}

#[tokio::test]
async fn a_token_is_for_the_client_with_its_secret_and_for_the_management_api() {
    let (sandbox, client) = (start().await, client());
    let wrong = [
        ("client_secret", "wrong", 401),
        ("client_id", "somebody", 401),
        ("audience", "https://shop.example/", 403),
        ("grant_type", "password", 403),
    ];
    for (field, value, status) in wrong {
        let mut body = credentials(&sandbox);
        body[field] = json!(value);
        let answer = send(token(&client, &sandbox, &body)).await.unwrap();
        assert_eq!(answer.status, status, "{field}");
    }
    assert_eq!(sandbox.auth0.tokens_issued(), 0);
    let config = sandbox.config();
    let form = client
        .post(format!("{}/oauth/token", sandbox.auth0_url()))
        .basic_auth(&config.auth0_client_id, Some(&config.auth0_client_secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials&audience=https%3A%2F%2Facme.eu.auth0.com%2Fapi%2Fv2%2F");
    assert_eq!(send(form).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_429_says_when_there_will_be_more() {
    let (sandbox, client) = (start().await, client());
    sandbox
        .auth0
        .faults()
        .at(1, Fault::TooManyRequests { retry_after: None });
    let answer = send(user(&client, &sandbox, &sandbox.auth0.token()))
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.header("x-ratelimit-remaining")),
        (429, "0")
    );
    assert!(answer.header("x-ratelimit-reset").parse::<i64>().unwrap() > 0);
}

/// Every field of the samples is there, with a value of the same type; what the sandbox leaves out is named.
#[test]
fn events_have_the_shape_of_the_samples() {
    let time: Timestamp = "2026-01-29T14:36:25.801Z".parse().unwrap();
    let user = NewUser::by_email(USER, "urist@sandbox.test").at(time, time);
    let sample = include_str!("../../../../events/user-created.json");
    let unlike = differences(
        "",
        &serde_json::from_str(sample).unwrap(),
        &event(Change::Created, &user, "e", time),
    );
    let left_out = ["client", "connection", "request"].map(|field| format!("/detail/data/context/{field}"));
    assert_eq!(
        unlike,
        [left_out.as_slice(), &["/detail/data/object/nickname".to_owned()]].concat()
    );
    let sample = include_str!("../../../../events/auth0-log.sign-up.json");
    let unlike = differences(
        "",
        &serde_json::from_str(sample).unwrap(),
        &sign_up(&user, "e", time),
    );
    let read = [
        "/detail-type",
        "/source",
        "/detail/data/type",
        "/detail/data/user_id",
    ];
    assert!(
        read.iter().all(|at| !unlike.iter().any(|left| left == at)),
        "{unlike:?}"
    );
}

/// Where `found` lacks what `sample` has.
fn differences(at: &str, sample: &Value, found: &Value) -> Vec<String> {
    match (sample, found) {
        (Value::Object(sample), Value::Object(found)) => sample
            .iter()
            .flat_map(|(name, sample)| {
                differences(
                    &format!("{at}/{name}"),
                    sample,
                    found.get(name).unwrap_or(&Value::Null),
                )
            })
            .collect(),
        (sample, found) if std::mem::discriminant(sample) == std::mem::discriminant(found) => Vec::new(),
        _ => vec![at.to_owned()],
    }
}
