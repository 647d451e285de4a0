//! A vendor's one secret: a JSON object whose fields are credentials. Read when first needed, kept for five minutes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::{Error, ErrorKind, Stage};

/// A rotated secret is in use after this long, without a deployment.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(5);

/// After a failed fetch the next one waits this long.
const TRIED_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(10);
/// No fetch takes longer: an entity's work must fit into the invocation.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Where the secret's text comes from.
pub trait Secrets: Send + Sync {
    /// Fetches the text of the secret.
    fn fetch(&self) -> BoxFuture<'_, Result<SecretString, Error>>;
}

/// The secret of one vendor, cached.
pub struct SecretStore {
    secrets: Box<dyn Secrets>,
    clock: Arc<dyn Clock>,
    // The lock is held while fetching: entities of a batch that need it at once wait for one fetch.
    cached: Mutex<Cached>,
}

struct Cached {
    until: Timestamp,
    fields: Option<HashMap<String, SecretString>>,
    failure: Option<(ErrorKind, String)>,
}

/// One field of a vendor's secret.
#[derive(Clone)]
pub struct SecretField {
    store: Arc<SecretStore>,
    name: Arc<str>,
}

impl SecretStore {
    /// A cache in front of `secrets`.
    #[must_use]
    pub fn new(secrets: Box<dyn Secrets>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            secrets,
            clock,
            cached: Mutex::new(Cached {
                until: Timestamp::MIN,
                fields: None,
                failure: None,
            }),
        })
    }

    /// One field of the secret; nothing is fetched yet.
    #[must_use]
    pub fn field(self: &Arc<Self>, name: &str) -> SecretField {
        SecretField {
            store: Arc::clone(self),
            name: name.into(),
        }
    }

    async fn get(&self, name: &str) -> Result<SecretString, Error> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        if now >= cached.until {
            self.refresh(&mut cached, now).await;
        }
        match (&cached.fields, &cached.failure) {
            (Some(fields), _) => fields.get(name).cloned().ok_or_else(|| {
                unusable(&format!(
                    "expected a text field `{name}` in the vendor's secret, found none"
                ))
            }),
            (None, Some((kind, message))) => Err(Error::retry(*kind, Stage::Push, message)),
            (None, None) => Err(unusable("the vendor's secret was not read")),
        }
    }

    /// Fetches the secret. If that fails, the last good value stays in use; entities that wait for the same fetch
    /// share its failure instead of trying one after the other.
    async fn refresh(&self, cached: &mut Cached, now: Timestamp) {
        let fetched = match tokio::time::timeout(FETCH_TIMEOUT, self.secrets.fetch()).await {
            Ok(fetched) => fetched.and_then(|text| fields(&text)),
            Err(_) => Err(Error::retry(
                ErrorKind::Timeout,
                Stage::Push,
                "the vendor's secret could not be read in time",
            )),
        };
        let keep = if fetched.is_ok() {
            KEPT_FOR
        } else {
            TRIED_AGAIN_AFTER
        };
        match fetched {
            Ok(fields) => (cached.fields, cached.failure) = (Some(fields), None),
            Err(error) => cached.failure = Some((error.kind(), error.message().to_owned())),
        }
        cached.until = now.saturating_add(keep).unwrap_or(Timestamp::MAX);
    }
}

impl SecretField {
    /// The field's value.
    ///
    /// # Errors
    /// A retry if the secret cannot be fetched, is no JSON object or has no such field: somebody will mend it.
    pub async fn get(&self) -> Result<SecretString, Error> {
        self.store.get(&self.name).await
    }
}

impl fmt::Debug for SecretField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretField({})", self.name)
    }
}

fn fields(text: &SecretString) -> Result<HashMap<String, SecretString>, Error> {
    let Ok(Value::Object(object)) = serde_json::from_str(text.expose_secret()) else {
        return Err(unusable(
            "expected the vendor's secret to be a JSON object, found something else",
        ));
    };
    let text_field = |(name, value)| match value {
        Value::String(value) => Some((name, SecretString::from(value))),
        _ => None,
    };
    Ok(object.into_iter().filter_map(text_field).collect())
}

fn unusable(message: &str) -> Error {
    Error::retry(ErrorKind::Deauthorized, Stage::Push, message)
}

/// Secrets from AWS Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: aws_sdk_secretsmanager::Client,
    id: String,
}

impl SecretsManager {
    /// The secret with this name or ARN.
    #[must_use]
    pub fn new(client: aws_sdk_secretsmanager::Client, id: String) -> Self {
        Self { client, id }
    }
}

impl Secrets for SecretsManager {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        Box::pin(async move {
            let answer = self
                .client
                .get_secret_value()
                .secret_id(&self.id)
                .send()
                .await
                .map_err(|error| {
                    let code = error
                        .as_service_error()
                        .and_then(|e| e.meta().code())
                        .unwrap_or("no answer");
                    Error::retry(
                        ErrorKind::Unavailable,
                        Stage::Push,
                        "the vendor's secret cannot be read",
                    )
                    .code(code)
                })?;
            answer
                .secret_string
                .map(SecretString::from)
                .ok_or_else(|| unusable("the secret has no text"))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Fixed(&'static str, Arc<AtomicUsize>);

    impl Secrets for Fixed {
        fn fetch(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(SecretString::from(self.0)) })
        }
    }

    #[derive(Default)]
    struct Steps(std::sync::Mutex<i64>);

    impl Clock for Steps {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(*self.0.lock().unwrap()).unwrap()
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
            Box::pin(async {})
        }
    }

    fn store(text: &'static str) -> (Arc<SecretStore>, Arc<AtomicUsize>, Arc<Steps>) {
        let fetches = Arc::new(AtomicUsize::new(0));
        let clock = Arc::new(Steps::default());
        let store = SecretStore::new(
            Box::new(Fixed(text, Arc::clone(&fetches))),
            Arc::clone(&clock) as _,
        );
        (store, fetches, clock)
    }

    #[tokio::test]
    async fn is_fetched_once_until_it_is_old() {
        let (store, fetches, clock) = store(r#"{"api_key":"k"}"#);
        let key = store.field("api_key");
        let (a, b) = tokio::join!(key.get(), key.get());
        assert_eq!(
            (a.unwrap().expose_secret(), b.unwrap().expose_secret()),
            ("k", "k")
        );
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
        *clock.0.lock().unwrap() = 301;
        key.get().await.unwrap();
        assert_eq!(fetches.load(Ordering::Relaxed), 2);
    }

    struct Broken(Arc<AtomicUsize>);

    impl Secrets for Broken {
        fn fetch(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
            let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
            Box::pin(async move {
                if first {
                    Ok(r#"{"api_key":"k"}"#.into())
                } else {
                    Err(unusable("away"))
                }
            })
        }
    }

    #[tokio::test]
    async fn the_last_good_value_outlives_a_failed_refresh() {
        let fetches = Arc::new(AtomicUsize::new(0));
        let clock = Arc::new(Steps::default());
        let store = SecretStore::new(Box::new(Broken(Arc::clone(&fetches))), Arc::clone(&clock) as _);
        let key = store.field("api_key");
        key.get().await.unwrap();
        *clock.0.lock().unwrap() = 301;
        for _ in 0..5 {
            assert_eq!(key.get().await.unwrap().expose_secret(), "k");
        }
        assert_eq!(fetches.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn one_failed_fetch_serves_all_who_wait() {
        let fetches = Arc::new(AtomicUsize::new(1));
        let clock = Arc::new(Steps::default());
        let store = SecretStore::new(Box::new(Broken(Arc::clone(&fetches))), clock as _);
        let key = store.field("api_key");
        let (a, b) = tokio::join!(key.get(), key.get());
        assert!(a.is_err() && b.is_err());
        assert_eq!(fetches.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn an_unusable_secret_is_named_without_its_text() {
        for text in [
            r#"{"other":"hunter2"}"#,
            r#"["hunter2"]"#,
            "hunter2",
            r#"{"api_key":{"hunter2":1}}"#,
        ] {
            let (store, ..) = store(text);
            let error = store.field("api_key").get().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deauthorized);
            assert!(!format!("{error} {error:?} {:?}", store.field("api_key")).contains("hunter2"));
        }
    }
}
