//! A vendor's one secret: a JSON object whose fields are credentials. Read when first needed, kept for five minutes.

mod asked;
mod manager;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::{Error, ErrorKind, Stage};

pub use manager::SecretsManager;

/// A rotated secret is in use after this long, without a deployment.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(5);
/// A refused credential has the secret read anew, but not more often.
const SUSPECTED_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// After a failed fetch the next one waits this long.
const TRIED_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(10);
/// No fetch takes longer: an entity's work must fit into the invocation.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Where the secret's text comes from.
pub trait Secrets: Send + Sync {
    /// Fetches the text of the secret.
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>>;

    /// Puts a new text in the place of `version`, unless somebody who read the same version did so before: then `false`, and
    /// nothing is written. A repeat with the same text is the same write.
    fn replace<'a>(&'a self, version: &'a str, text: &'a SecretString) -> BoxFuture<'a, Result<bool, Error>> {
        let _ = (version, text);
        Box::pin(async { Err(unusable("the vendor's secret cannot be written")) })
    }
}

/// The text of a secret, and which version of it that is.
#[derive(Debug, Clone)]
pub struct SecretText {
    /// The text.
    pub text: SecretString,
    /// The version's id; empty where nothing counts them.
    pub version: String,
}

impl SecretText {
    /// A text that never changes.
    #[must_use]
    pub fn fixed(text: impl Into<SecretString>) -> Self {
        Self {
            text: text.into(),
            version: String::new(),
        }
    }
}

/// The secret of one vendor, cached.
pub struct SecretStore {
    secrets: Box<dyn Secrets>,
    clock: Arc<dyn Clock>,
    // The lock is held while fetching: entities of a batch that need it at once wait for one fetch.
    cached: Mutex<Cached>,
    /// The fields that somebody cannot do without.
    asked: std::sync::Mutex<BTreeSet<String>>,
}

struct Cached {
    until: Timestamp,
    suspected: Option<Timestamp>,
    snapshot: Option<Snapshot>,
    failure: Option<(ErrorKind, String)>,
}

/// The secret as it was read at one time.
#[derive(Clone)]
pub(crate) struct Snapshot {
    version: String,
    whole: SecretString,
    fields: Arc<HashMap<String, SecretString>>,
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
                suspected: None,
                snapshot: None,
                failure: None,
            }),
            asked: std::sync::Mutex::default(),
        })
    }

    /// One field of the secret; nothing is fetched yet.
    #[must_use]
    pub fn field(self: &Arc<Self>, name: &str) -> SecretField {
        self.asks_for(name);
        SecretField {
            store: Arc::clone(self),
            name: name.into(),
        }
    }

    /// Fields of one version of the secret, for somebody who checks what others show; `None` where there is none.
    ///
    /// # Errors
    /// A retry if the secret cannot be fetched or is no JSON object.
    pub async fn fields<const N: usize>(&self, names: [&str; N]) -> Result<[Option<SecretString>; N], Error> {
        let snapshot = self.snapshot().await?;
        Ok(names.map(|name| snapshot.get(name).cloned()))
    }

    async fn get(&self, name: &str) -> Result<SecretString, Error> {
        self.snapshot().await?.require(name)
    }

    /// The secret, from the cache while that is good.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Error> {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        if now >= cached.until {
            self.refresh(&mut cached, now).await;
        }
        cached.current()
    }

    /// The secret as it is now, whatever is cached.
    pub(crate) async fn read_now(&self) -> Result<Snapshot, Error> {
        let mut cached = self.cached.lock().await;
        self.refresh(&mut cached, self.clock.now()).await;
        match &cached.failure {
            Some(failure) => Err(again(failure)),
            None => cached.current(),
        }
    }

    /// A credential of this secret was refused: what is cached may be out of date. However often this is said, the secret is
    /// read anew at most twice a minute.
    pub async fn suspect(&self) {
        let mut cached = self.cached.lock().await;
        let now = self.clock.now();
        let is_recent = cached
            .suspected
            .is_some_and(|before| now.duration_since(before) < SUSPECTED_EVERY);
        if !is_recent {
            cached.suspected = Some(now);
            cached.until = Timestamp::MIN;
        }
    }

    /// Writes fields (`None` removes one) in place of what `base` read; `false` if somebody else was faster.
    pub(crate) async fn replace(
        &self,
        base: &Snapshot,
        changes: &[(&str, Option<&str>)],
    ) -> Result<bool, Error> {
        let text = base.with(changes)?;
        let mut cached = self.cached.lock().await;
        let replaced = tokio::time::timeout(FETCH_TIMEOUT, self.secrets.replace(&base.version, &text)).await;
        // Whatever came of it, the next reader looks for itself.
        cached.until = Timestamp::MIN;
        replaced.unwrap_or_else(|_| {
            let message = "the vendor's secret could not be written in time";
            Err(Error::retry(ErrorKind::Timeout, Stage::Push, message))
        })
    }

    /// Fetches the secret. If that fails, the last good value stays in use; entities that wait for the same fetch
    /// share its failure instead of trying one after the other.
    async fn refresh(&self, cached: &mut Cached, now: Timestamp) {
        let fetched = match tokio::time::timeout(FETCH_TIMEOUT, self.secrets.fetch()).await {
            Ok(fetched) => fetched.and_then(Snapshot::of),
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
            Ok(snapshot) => (cached.snapshot, cached.failure) = (Some(snapshot), None),
            Err(error) => cached.failure = Some((error.kind(), error.message().to_owned())),
        }
        cached.until = now.saturating_add(keep).unwrap_or(Timestamp::MAX);
    }
}

impl Cached {
    fn current(&self) -> Result<Snapshot, Error> {
        match (&self.snapshot, &self.failure) {
            (Some(snapshot), _) => Ok(snapshot.clone()),
            (None, Some(failure)) => Err(again(failure)),
            (None, None) => Err(unusable("the vendor's secret was not read")),
        }
    }
}

impl Snapshot {
    fn of(read: SecretText) -> Result<Self, Error> {
        let text_field = |(name, value)| match value {
            Value::String(value) => Some((name, SecretString::from(value))),
            _ => None,
        };
        let fields = object(&read.text)?.into_iter().filter_map(text_field).collect();
        Ok(Self {
            version: read.version,
            whole: read.text,
            fields: Arc::new(fields),
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&SecretString> {
        self.fields.get(name)
    }

    pub(crate) fn require(&self, name: &str) -> Result<SecretString, Error> {
        self.get(name).cloned().ok_or_else(|| {
            unusable(&format!(
                "expected a text field `{name}` in the vendor's secret, found none"
            ))
        })
    }

    /// The whole text with these fields changed; the others stay as they are, whatever they hold.
    fn with(&self, changes: &[(&str, Option<&str>)]) -> Result<SecretString, Error> {
        let mut object = object(&self.whole)?;
        for (name, value) in changes {
            match value {
                Some(value) => object.insert((*name).to_owned(), Value::from(*value)),
                None => object.remove(*name),
            };
        }
        Ok(SecretString::from(Value::Object(object).to_string()))
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

    /// The value was refused: the next one is read anew.
    pub(crate) async fn suspect(&self) {
        self.store.suspect().await;
    }
}

impl fmt::Debug for SecretField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretField({})", self.name)
    }
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretStore")
    }
}

fn object(text: &SecretString) -> Result<Map<String, Value>, Error> {
    match serde_json::from_str(text.expose_secret()) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(unusable(
            "expected the vendor's secret to be a JSON object, found something else",
        )),
    }
}

fn again((kind, message): &(ErrorKind, String)) -> Error {
    Error::retry(*kind, Stage::Push, message)
}

fn unusable(message: &str) -> Error {
    Error::retry(ErrorKind::Deauthorized, Stage::Push, message)
}

#[cfg(test)]
mod tests;
