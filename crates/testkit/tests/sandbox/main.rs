//! The sandbox, asked over HTTP as a vendor function asks it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests; the lint only knows the tests themselves"
)]

mod auth0;
mod discovery;
mod engine_sessions;
mod faults;
mod infoservice;
mod lifecycle;
mod mailchimp;
mod mailchimp_refusals;
mod portabilling;
mod service_layer;
mod shortlist;
mod webhook;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use rust_decimal::Decimal;
use serde_json::Value;
use vendorbridge_testkit::sandbox::{Clock, Sandbox, SandboxConfig};

/// An answer, read to its end.
struct Answer {
    status: u16,
    headers: HeaderMap,
    /// Null for an empty body.
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn title(&self) -> &str {
        self.body["title"].as_str().unwrap_or_default()
    }
}

fn client() -> Client {
    // The second time it is there already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder()
        .timeout(Duration::from_secs(20))
        .no_proxy()
        .build()
        .unwrap()
}

async fn start() -> Sandbox {
    Sandbox::start(SandboxConfig::default()).await.unwrap()
}

fn dec(amount: &str) -> Decimal {
    amount.parse().unwrap()
}

/// A time that passes when it is told to. It begins at 2026-01-29 14:36:25 UTC.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn pass(&self, time: SignedDuration) {
        self.0.fetch_add(time.as_secs(), Ordering::SeqCst);
    }
}

/// A sandbox whose time is in the test's hand.
async fn start_by_hand() -> (Sandbox, Hand) {
    let hand = Hand(Arc::new(AtomicI64::new(1_769_697_385)));
    let now = hand.clone();
    let config = SandboxConfig {
        clock: Clock::from_fn(move || Timestamp::from_second(now.0.load(Ordering::SeqCst)).unwrap()),
        ..SandboxConfig::default()
    };
    (Sandbox::start(config).await.unwrap(), hand)
}

async fn send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap()
    };
    Ok(Answer {
        status,
        headers,
        body,
    })
}

/// A request to the source with its token.
fn source(client: &Client, sandbox: &Sandbox, method: Method, customer: &str) -> RequestBuilder {
    let url = format!(
        "{}/customers/{customer}/delivery-preference",
        sandbox.source_url()
    );
    client
        .request(method, url)
        .bearer_auth(&sandbox.config().source_token)
}

/// A request about a member of the default list, with the API key.
fn member(client: &Client, sandbox: &Sandbox, method: Method, key: &str) -> RequestBuilder {
    let url = format!("{}/lists/{LIST}/members/{key}", sandbox.mailchimp_url());
    client
        .request(method, url)
        .basic_auth("anyone", Some(&sandbox.config().api_key))
}

const LIST: &str = "a1b2c3d4e5";

/// Asks again until it is true.
async fn until<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    let asking = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking)
        .await
        .expect("the condition never came true");
}
