//! What a vendor function wires its entities with.

use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::provider::SharedCredentialsProvider;
use serde::de::DeserializeOwned;

use super::StartError;
use crate::auth::{Auth, AuthSettings, Materials};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::http::{Http, Pace};
use crate::secret::{SecretField, SecretStore, Secrets};
use crate::source::{Items, NoItems};

/// What a vendor function wires its entities with.
pub struct Setup {
    config: Config,
    http: Http,
    clock: Arc<dyn Clock>,
    secrets: Arc<SecretStore>,
    items: Arc<dyn Items>,
    rng: Mutex<fastrand::Rng>,
    role: Option<SharedCredentialsProvider>,
    pace: Option<Pace>,
}

impl Setup {
    /// A set-up of these parts; the secret is fetched when first used.
    #[must_use]
    pub fn new(config: Config, http: Http, clock: Arc<dyn Clock>, secrets: Box<dyn Secrets>) -> Self {
        let secrets = SecretStore::new(secrets, Arc::clone(&clock));
        let pace = Pace::of(config.calls_per_second, Arc::clone(&clock));
        Self {
            config,
            http,
            clock,
            secrets,
            items: Arc::new(NoItems),
            rng: Mutex::new(fastrand::Rng::new()),
            role: None,
            pace,
        }
    }

    /// The same with a database, for sources that read one.
    #[must_use]
    pub fn with_items(self, items: Arc<dyn Items>) -> Self {
        Self { items, ..self }
    }

    /// The same with this randomness, so that a test can repeat itself.
    #[must_use]
    pub fn with_rng(self, rng: fastrand::Rng) -> Self {
        let rng = Mutex::new(rng);
        Self { rng, ..self }
    }

    /// The same with the role whose credentials sign requests (`SigV4`).
    #[must_use]
    pub fn with_role(self, role: Option<SharedCredentialsProvider>) -> Self {
        Self { role, ..self }
    }

    /// The vendor's own settings, from `VENDOR_SETTINGS`.
    ///
    /// # Errors
    /// [`ConfigError`] names the field at fault.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        self.config.settings()
    }

    /// The name of the ledger's table.
    #[must_use]
    pub fn ledger_table(&self) -> &str {
        &self.config.ledger_table
    }

    /// The HTTP client.
    #[must_use]
    pub fn http(&self) -> Http {
        self.http.clone()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The items of the account's tables.
    #[must_use]
    pub fn items(&self) -> Arc<dyn Items> {
        Arc::clone(&self.items)
    }

    /// Randomness of one's own.
    #[must_use]
    pub fn rng(&self) -> fastrand::Rng {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }

    /// A field of the vendor's secret; fetched when first used.
    #[must_use]
    pub fn secret(&self, field: &str) -> SecretField {
        self.secrets.field(field)
    }

    /// The vendor's secret, for somebody who checks it.
    #[must_use]
    pub fn secrets(&self) -> Arc<SecretStore> {
        Arc::clone(&self.secrets)
    }

    /// The credential that these settings choose, of the vendor's secret: its fields there begin with `prefix`, as in
    /// `source_token`. Calls of the vendor with it wait for their turn (`VENDOR_CALLS_PER_SECOND`), all that this set-up makes
    /// together.
    ///
    /// # Errors
    /// [`StartError`] if the settings cannot be used.
    pub fn auth(&self, settings: &AuthSettings, prefix: &str) -> Result<Auth, StartError> {
        Materials {
            http: &self.http,
            clock: &self.clock,
            secrets: &self.secrets,
            role: self.role.as_ref(),
            prefix,
        }
        .auth(settings)
        .map(|auth| auth.at_pace(self.pace.clone()))
        .map_err(StartError::from)
    }

    pub(super) fn into_parts(self) -> (Config, Arc<dyn Clock>) {
        (self.config, self.clock)
    }
}
