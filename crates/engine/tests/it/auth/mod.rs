//! Credentials and connections against servers on this machine that really verify them.

mod connections;
mod fixed;
mod oauth;
mod refresh;
mod secrets_manager;
mod server;
mod session;
mod signatures;
mod tls;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;
use vendorbridge::auth::{Auth, AuthSettings};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::config::Config;
use vendorbridge::http::{Answer, Http};
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::secret::{SecretText, Secrets};
use vendorbridge::{Error, Stage};
use vendorbridge_testkit::memory::ManualClock;

/// What no error and no `Debug` may show: every secret of these tests holds it.
const HUNTER: &str = "hunter2";

/// A secret with versions, as Secrets Manager keeps them: one text per version id.
#[derive(Clone)]
struct Vault(Arc<Mutex<Versions>>);

struct Versions {
    texts: Vec<(String, String)>,
    reads: usize,
    writes: usize,
    is_closed: bool,
}

impl Vault {
    fn new(secret: &Value) -> Self {
        Self(Arc::new(Mutex::new(Versions {
            texts: vec![("0".to_owned(), secret.to_string())],
            reads: 0,
            writes: 0,
            is_closed: false,
        })))
    }

    fn now(&self) -> Value {
        serde_json::from_str(&self.0.lock().unwrap().texts.last().unwrap().1).unwrap()
    }

    /// What a person does: another version, whatever was there.
    fn put(&self, secret: &Value) {
        let mut versions = self.0.lock().unwrap();
        let id = format!("by hand {}", versions.texts.len());
        versions.texts.push((id, secret.to_string()));
    }

    fn set(&self, field: &str, value: &str) {
        let mut secret = self.now();
        secret[field] = value.into();
        self.put(&secret);
    }

    fn reads(&self) -> usize {
        self.0.lock().unwrap().reads
    }

    fn writes(&self) -> usize {
        self.0.lock().unwrap().writes
    }

    /// Writes fail from now on, or no longer.
    fn close(&self, is_closed: bool) {
        self.0.lock().unwrap().is_closed = is_closed;
    }
}

impl Secrets for Vault {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        Box::pin(async {
            tokio::task::yield_now().await;
            let mut versions = self.0.lock().unwrap();
            versions.reads += 1;
            let (version, text) = versions.texts.last().unwrap().clone();
            Ok(SecretText {
                text: text.into(),
                version,
            })
        })
    }

    fn replace<'a>(&'a self, version: &'a str, text: &'a SecretString) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mut versions = self.0.lock().unwrap();
            if versions.is_closed {
                let kind = vendorbridge::ErrorKind::Unavailable;
                return Err(Error::retry(kind, Stage::Push, "closed"));
            }
            let id = format!("after {version}");
            if let Some((_, there)) = versions.texts.iter().find(|(there, _)| *there == id) {
                return Ok(there == text.expose_secret());
            }
            versions.writes += 1;
            versions.texts.push((id, text.expose_secret().to_owned()));
            Ok(true)
        })
    }
}

/// One instance of a function.
struct Instance {
    setup: Setup,
    http: Http,
}

impl Instance {
    fn new(vault: &Vault, clock: Arc<dyn Clock>) -> Self {
        Self::with(Http::new(true).unwrap(), vault, clock)
    }

    fn with(http: Http, vault: &Vault, clock: Arc<dyn Clock>) -> Self {
        let lookup = |name: &str| match name {
            "VENDOR" => Some("acme".to_owned()),
            "QUEUE_URL" | "LEDGER_TABLE" | "VENDOR_SECRET" => Some("in memory".to_owned()),
            "VENDOR_SETTINGS" => Some("{}".to_owned()),
            _ => None,
        };
        let config = Config::read(&lookup).unwrap();
        let setup = Setup::new(config, http.clone(), clock, Box::new(vault.clone()));
        Self { setup, http }
    }

    fn auth(&self, settings: Value) -> Auth {
        self.try_auth(settings).unwrap()
    }

    fn try_auth(&self, settings: Value) -> Result<Auth, StartError> {
        let settings: AuthSettings = serde_json::from_value(settings).unwrap();
        self.setup.auth(&settings, "acme")
    }

    async fn get(&self, auth: &Auth, url: &Url) -> Result<Answer, Error> {
        auth.send(self.http.request(Method::GET, url.clone()), Stage::Push)
            .await
    }

    async fn status(&self, auth: &Auth, url: &Url) -> u16 {
        self.get(auth, url).await.unwrap().status.as_u16()
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(SystemClock.now()))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Everything that a person could see of a failure.
fn visible(error: &Error) -> String {
    let mut text = vec![format!("{error} {error:?}")];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push(format!("{error} {error:?}"));
        cause = error.source();
    }
    text.join(" ")
}

fn assert_silent(error: &Error) {
    let text = visible(error);
    assert!(!text.contains(HUNTER), "{text}");
}
