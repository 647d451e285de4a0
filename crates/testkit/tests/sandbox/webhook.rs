use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use standardwebhooks::Webhook as Signer;
use vendorbridge_testkit::sandbox::{Clock, Sandbox, SandboxConfig};

use crate::{client, send};

const NOW: i64 = 1_769_697_385;

async fn start() -> Sandbox {
    let clock = Clock::from_fn(|| jiff::Timestamp::from_second(NOW).unwrap());
    Sandbox::start(SandboxConfig {
        clock,
        ..SandboxConfig::default()
    })
    .await
    .unwrap()
}

fn event(kind: &str, id: &str, channel: &str) -> Value {
    json!({"type": kind, "timestamp": "2026-01-29T14:36:25Z", "data": {"id": id, "channel": channel}})
}

/// Signed by the scheme's own library.
fn signed(client: &Client, sandbox: &Sandbox, id: &str, at: i64, body: &str) -> RequestBuilder {
    let signer = Signer::new(&sandbox.config().signing_secret).unwrap();
    let signature = signer.sign(id, at, body.as_bytes()).unwrap();
    unsigned(client, sandbox, id, at, body).header("webhook-signature", signature)
}

fn unsigned(client: &Client, sandbox: &Sandbox, id: &str, at: i64, body: &str) -> RequestBuilder {
    let post = client
        .post(sandbox.webhook_url())
        .header("content-type", "application/json");
    post.header("webhook-id", id)
        .header("webhook-timestamp", at)
        .body(body.to_owned())
}

#[tokio::test]
async fn the_last_state_of_every_subject_is_held() {
    let (sandbox, client) = (start().await, client());
    let events = [
        ("msg_1", event("customer.updated", "c-1", "EMAIL")),
        ("msg_2", event("customer.updated", "c-2", "EMAIL")),
        ("msg_3", event("customer.updated", "c-1", "PAPER")),
        ("msg_4", event("customer.deleted", "c-2", "EMAIL")),
    ];
    for (id, event) in &events {
        let answer = send(signed(&client, &sandbox, id, NOW, &event.to_string()))
            .await
            .unwrap();
        let kept = format!("kept-{}", event["data"]["id"].as_str().unwrap());
        assert_eq!((answer.status, answer.body), (200, json!({ "id": kept })));
    }

    let held = serde_json::to_value(sandbox.webhook.held()).unwrap();
    assert_eq!(held, json!({"c-1": {"id": "c-1", "channel": "PAPER"}}));
    assert!(sandbox.webhook.last("c-2").unwrap().is_deletion());
    let order: Vec<_> = sandbox
        .webhook
        .history_of("c-1")
        .into_iter()
        .map(|delivery| delivery.id)
        .collect();
    assert_eq!(order, ["msg_1", "msg_3"]);
    assert_eq!(
        (sandbox.webhook.history().len(), sandbox.webhook.calls_for("c-1")),
        (4, 2)
    );
}

#[tokio::test]
async fn a_repeat_is_accepted_without_a_second_effect() {
    let (sandbox, client) = (start().await, client());
    let (first, other) = (
        event("customer.updated", "c-1", "EMAIL"),
        event("customer.updated", "c-1", "PAPER"),
    );
    for (at, body) in [(NOW, &first), (NOW + 60, &first), (NOW + 61, &other)] {
        let answer = send(signed(&client, &sandbox, "msg_1", at, &body.to_string()))
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
    }

    assert_eq!(sandbox.webhook.history().len(), 1);
    assert_eq!(
        sandbox.webhook.last("c-1").unwrap().data["channel"],
        json!("EMAIL")
    );
    assert_eq!(
        (sandbox.webhook.repeats(), sandbox.webhook.conflicting_repeats()),
        (2, 1)
    );
}

#[tokio::test]
async fn what_is_not_signed_is_refused() {
    let (sandbox, client) = (start().await, client());
    let body = event("customer.updated", "c-1", "EMAIL").to_string();
    let other_key = Signer::new("whsec_c29tZSBvdGhlciBrZXksIGFsc28gbG9uZyBlbm91Z2g=").unwrap();
    let wrong = other_key.sign("msg_1", NOW, body.as_bytes()).unwrap();
    let good = Signer::new(&sandbox.config().signing_secret)
        .unwrap()
        .sign("msg_1", NOW, body.as_bytes())
        .unwrap();
    let plain = |id: &str, body: &str| unsigned(&client, &sandbox, id, NOW, body);
    let requests = [
        (
            "no headers",
            client.post(sandbox.webhook_url()).body(body.clone()),
        ),
        ("no signature", plain("msg_1", &body)),
        (
            "wrong key",
            plain("msg_1", &body).header("webhook-signature", &wrong),
        ),
        (
            "wrong id",
            plain("msg_2", &body).header("webhook-signature", &good),
        ),
        (
            "wrong body",
            plain("msg_1", &format!("{body} ")).header("webhook-signature", &good),
        ),
        (
            "wrong version",
            plain("msg_1", &body).header("webhook-signature", good.replace("v1,", "v2,")),
        ),
        ("too old", signed(&client, &sandbox, "msg_1", NOW - 301, &body)),
        ("too new", signed(&client, &sandbox, "msg_1", NOW + 301, &body)),
        (
            "full stop in the id",
            signed(&client, &sandbox, "msg.1", NOW, &body),
        ),
    ];
    for (case, request) in requests {
        let answer = send(request).await.unwrap();
        assert_eq!((answer.status, answer.title()), (401, "Unauthorized"), "{case}");
    }
    assert!(sandbox.webhook.history().is_empty());

    // One good signature among others is enough: that is how keys are changed.
    let both = format!("{wrong} v1a,AAAA {good}");
    assert_eq!(
        send(plain("msg_1", &body).header("webhook-signature", both))
            .await
            .unwrap()
            .status,
        200
    );
    assert_eq!(
        send(signed(&client, &sandbox, "msg_2", NOW - 300, &body))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn what_is_not_an_event_is_a_bad_request() {
    let (sandbox, client) = (start().await, client());
    let good = event("customer.updated", "c-1", "EMAIL");
    let mut bodies = vec!["{".to_owned(), "[]".to_owned()];
    for (field, value) in [
        ("type", json!("")),
        ("type", json!(1)),
        ("timestamp", json!("now")),
        ("data", json!([])),
    ] {
        let mut body = good.clone();
        body[field] = value;
        bodies.push(body.to_string());
        body.as_object_mut().unwrap().remove(field);
        bodies.push(body.to_string());
    }
    for body in bodies {
        let answer = send(signed(&client, &sandbox, "msg_1", NOW, &body))
            .await
            .unwrap();
        assert_eq!(answer.status, 400, "{body}");
    }
    assert!(sandbox.webhook.history().is_empty());
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_too_large() {
    let (sandbox, client) = (start().await, client());
    let mut body = event("customer.updated", "c-1", "EMAIL");
    body["data"]["text"] = json!("x".repeat(1024 * 1024));

    let answer = send(signed(&client, &sandbox, "msg_1", NOW, &body.to_string()))
        .await
        .unwrap();

    assert_eq!((answer.status, answer.title()), (413, "Payload Too Large"));
}

#[tokio::test]
async fn other_events_and_empty_answers() {
    let (sandbox, client) = (start().await, client());
    sandbox.webhook.answer_without_content(true);
    let mut by_subject = event("customer.updated", "c-1", "EMAIL");
    by_subject["data"] = json!({});
    by_subject["subject"] = json!("customer/1");
    let without = json!({"type": "ping", "timestamp": "2026-01-29T14:36:25Z", "data": {}});

    for (id, body) in [("msg_1", &by_subject), ("msg_2", &without)] {
        let answer = send(signed(&client, &sandbox, id, NOW, &body.to_string()))
            .await
            .unwrap();
        assert_eq!((answer.status, answer.body), (204, Value::Null));
    }
    assert!(sandbox.webhook.last("customer/1").is_some());
    assert_eq!(sandbox.webhook.history()[1].subject, None);
}
