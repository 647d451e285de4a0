//! Events of other systems over HTTPS: API Gateway, the real function with its role, and the bus.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use vendorbridge_testkit::cloud::{COMPANY, INGEST_TOKEN, Tap, World, until};

use crate::stage;

const WITHIN: Duration = Duration::from_secs(30);
const JSON: &str = "application/json";

struct Sender<'a> {
    world: &'a World,
    client: Client,
    url: String,
    tap: Tap,
}

impl Sender<'_> {
    fn post(&self, content_type: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = self.client.post(&self.url);
        request.header("content-type", content_type).body(body)
    }

    /// Sends with the token; answers with status and body.
    async fn send(&self, content_type: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        answer(self.post(content_type, body).bearer_auth(INGEST_TOKEN)).await
    }

    /// The details of the events with these ids, as the bus delivered them.
    async fn delivered(&self, ids: &[String]) -> Vec<Value> {
        until("the events on the bus", WITHIN, async || {
            let all = self.tap.received(&self.world.aws).await?;
            let find = |id: &String| all.iter().find(|event| event["id"] == **id);
            Ok(ids.iter().map(|id| Some(find(id)?["detail"].clone())).collect())
        })
        .await
        .unwrap()
    }
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn ids(body: &Value) -> Vec<String> {
    let events = body["events"].as_array().unwrap_or_else(|| panic!("{body}"));
    events
        .iter()
        .map(|event| event["event_id"].as_str().unwrap().to_owned())
        .collect()
}

fn detail(transaction_type: &str, user: Option<&str>) -> Value {
    let mut detail = json!({
        "company": COMPANY, "object_type": "13", "transaction_type": transaction_type, "key": "4711", "object": "13/4711",
        "keys": [{ "name": "DocEntry", "value": "4711" }],
    });
    if let Some(user) = user {
        detail["user"] = user.into();
    }
    detail
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_other_systems_reach_the_bus() {
    // A second test of this process may have chosen the same provider before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let world = stage::world("ingest", |options| {
        options.ingest = true;
        options.enforce_roles = true;
        options.vendors = vec!["webhook".to_owned()];
    })
    .await;
    let pattern = json!({ "source": ["sapb1"], "detail-type": ["SapObjectChanged"] });
    let sender = Sender {
        client: Client::builder().no_proxy().build().unwrap(),
        url: format!(
            "{}/v1/events/sapb1?company={COMPANY}",
            world.ingest_url().unwrap()
        ),
        tap: world.tap("sap", &pattern).await.unwrap(),
        world: &world,
    };
    every_form_of_an_event(&sender).await;
    a_token_is_rotated(&sender).await;
    what_is_refused(&sender).await;
    a_hundred_events(&sender).await;
    a_line_without_secrets(&world).await;
    drop(sender);
    stage::end(world).await;
}

async fn every_form_of_an_event(sender: &Sender<'_>) {
    let event = json!({ "b1events": [{
        "EventSource": COMPANY, "ObjectType": "13", "TransactionType": "A", "UserCode": "manager", "UserId": "manager",
        "keys": [{ "Name": "DocEntry", "Value": "4711" }],
    }] });
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Event xmlns:b1e=\"urn:com.sap.b1i.sim:b1event\"><b1e:b1events><b1e:b1event>\
         <b1e:eventsource>{COMPANY}</b1e:eventsource><b1e:objecttype>13</b1e:objecttype><b1e:transactiontype>U</b1e:transactiontype>\
         <b1e:usercode>manager</b1e:usercode><b1e:keys count=\"1\"><b1e:key><b1e:name>DocEntry</b1e:name><b1e:value>4711</b1e:value>\
         </b1e:key></b1e:keys></b1e:b1event></b1e:b1events></Event>"
    );
    let row = json!({
        "object_type": "13", "transaction_type": "C", "num_of_cols_in_key": 1,
        "list_of_key_cols_tab_del": "DocEntry", "list_of_cols_val_tab_del": "4711",
    });
    for (kind, body, expected) in [
        (JSON, event.to_string(), detail("A", Some("manager"))),
        ("text/xml; charset=utf-8", xml, detail("U", Some("manager"))),
        (JSON, row.to_string(), detail("C", None)),
    ] {
        let (status, answer) = sender.send(kind, body).await;
        assert_eq!(status, 202, "{answer}");
        assert_eq!(answer["events"][0]["object"], "13/4711");
        assert_eq!(sender.delivered(&ids(&answer)).await, [expected]);
    }
}

async fn what_is_refused(sender: &Sender<'_>) {
    let stranger = sender.post(JSON, "{}").bearer_auth("guessed");
    let response = stranger.send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers().contains_key("www-authenticate"));
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(answer(sender.post(JSON, "{}")).await.0, 401);

    let good = json!({
        "object_type": "2", "transaction_type": "A", "num_of_cols_in_key": 1,
        "list_of_key_cols_tab_del": "CardCode", "list_of_cols_val_tab_del": "C20000",
    });
    let mut bad = good.clone();
    bad["transaction_type"] = "X".into();
    let before = sender.tap.received(&sender.world.aws).await.unwrap().len();
    let (status, problem) = sender.send(JSON, json!([good, bad]).to_string()).await;
    assert_eq!(status, 422);
    let violation = json!({
        "index": 1, "pointer": "/1/transaction_type", "expected": "`A`, `U`, `D`, `C` or `L`", "found": "`X`",
    });
    assert_eq!(problem["violations"], json!([violation]));
    assert_eq!(sender.send(JSON, " ".repeat((1 << 20) + 1)).await.0, 413);
    assert_eq!(sender.send("text/plain", "{}").await.0, 415);
    assert_eq!(sender.send("application/xml", "<!DOCTYPE a><a/>").await.0, 400);
    // The emulator's bus delivers before PutEvents answers: whatever was put is there by now.
    let (_, taken) = sender.send(JSON, good.to_string()).await;
    sender.delivered(&ids(&taken)).await;
    let after = sender.tap.received(&sender.world.aws).await.unwrap().len();
    assert_eq!(after, before + 1);
}

async fn a_hundred_events(sender: &Sender<'_>) {
    let row = |key: usize| {
        json!({
            "object_type": "24", "transaction_type": "A", "num_of_cols_in_key": 1,
            "list_of_key_cols_tab_del": "DocEntry", "list_of_cols_val_tab_del": key,
        })
    };
    let rows: Vec<_> = (0..100).map(row).collect();
    let (status, answer) = sender.send(JSON, Value::from(rows).to_string()).await;
    assert_eq!(status, 202, "{answer}");
    let details = sender.delivered(&ids(&answer)).await;
    let keys: Vec<_> = details
        .iter()
        .map(|detail| detail["key"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = (0..100).map(|key| key.to_string()).collect();
    assert_eq!(keys, expected);
}

/// The next token works beside the present one as soon as it is in the secret; the present one for as long as it is.
async fn a_token_is_rotated(sender: &Sender<'_>) {
    let next = "ingest-next-51c9";
    let body = "{}";
    let status = async |token: &str| answer(sender.post(JSON, body).bearer_auth(token)).await.0;
    let both = json!({ "sapb1_token": INGEST_TOKEN, "sapb1_token_next": next });
    sender.world.set_ingest_secret(&both).await.unwrap();
    // A token that is not known has the secret read anew, at once if none was shown in the last half minute.
    assert_eq!((status(next).await, status(INGEST_TOKEN).await), (422, 422));
}

/// One line a request, and nothing of what was sent.
async fn a_line_without_secrets(world: &World) {
    let row = json!({
        "object_type": "17", "transaction_type": "A", "num_of_cols_in_key": 1,
        "list_of_key_cols_tab_del": "DocEntry", "list_of_cols_val_tab_del": "471147114711",
    });
    let (query, body) = (format!("company={COMPANY}"), row.to_string());
    // The log is collected beside the answer: a line may be in the next one's.
    let log = until("a line of a request that was taken", WITHIN, async || {
        let log = world.ingest_log(INGEST_TOKEN, &query, &body).await?;
        Ok(log.contains("ingest.answered").then_some(log))
    })
    .await
    .unwrap();
    let mut lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.find(|line| line["message"] == "ingest.answered").unwrap();
    let expected = json!({ "route": "POST /v1/events/sapb1", "status": 202, "caller": "bearer", "events": 1, "accepted": 1 });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&line[field], value, "{line}");
    }
    assert!(
        line["took_ms"].is_u64() && line["request_id"].is_string(),
        "{line}"
    );
    for banned in [INGEST_TOKEN, "471147114711", "DocEntry"] {
        assert!(!log.contains(banned), "the log contains {banned:?}");
    }
}
