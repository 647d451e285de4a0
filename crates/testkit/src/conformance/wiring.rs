//! What a stand is made of.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use vendorbridge::config::Config;
use vendorbridge::engine::Parts;
use vendorbridge::http::Http;
use vendorbridge::lambda::Setup;
use vendorbridge::lane::lane;
use vendorbridge::message::Delivery;
use vendorbridge::park::Backoff;
use vendorbridge::secret::{SecretText, Secrets};
use vendorbridge::{Engine, EntityKey, Error};

use super::Subject;
use crate::memory::{ManualClock, MemoryItems, MemoryLanes, MemoryLedger};
use crate::sandbox::Sandbox;

struct FixedSecret(String);

impl Secrets for FixedSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        Box::pin(async { Ok(SecretText::fixed(self.0.clone())) })
    }
}

/// The function's engine, wired to the sandbox as the function itself does it.
#[expect(
    clippy::expect_used,
    reason = "a test stand that cannot be built fails its test"
)]
pub(super) fn engine<S: Subject>(
    sandbox: &Sandbox,
    clock: &Arc<ManualClock>,
    items: &Arc<MemoryItems>,
    ledger: &Arc<MemoryLedger>,
) -> Engine {
    let variables = [
        ("VENDOR", S::VENDOR.to_owned()),
        ("QUEUE_URL", "in memory".to_owned()),
        ("LEDGER_TABLE", "in memory".to_owned()),
        ("VENDOR_SECRET", "in memory".to_owned()),
        ("VENDOR_SETTINGS", S::settings(sandbox).to_string()),
        ("ALLOW_PLAIN_HTTP", "true".to_owned()),
    ];
    let lookup = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, v)| v.clone())
    };
    let config = Config::read(&lookup).expect("the configuration is complete");
    let http = Http::new(config.allow_plain_http).expect("an HTTP client");
    let secret = FixedSecret(S::secret(sandbox).to_string());
    let setup = Setup::new(config, http, Arc::clone(clock) as _, Box::new(secret))
        .with_items(Arc::clone(items) as _)
        .with_rng(fastrand::Rng::with_seed(7));
    let entities = S::wire(&setup).expect("the function wires");
    let engine = Engine::new(Parts {
        vendor: S::VENDOR.to_owned(),
        entities,
        ledger: Arc::clone(ledger) as _,
        lanes: Arc::new(MemoryLanes::default()),
        clock: Arc::clone(clock) as _,
        rng: fastrand::Rng::with_seed(7),
        backoff: Backoff::default(),
        circuit: vendorbridge::circuit::Policy::default(),
        max_in_flight: 10,
        slowest: Duration::from_secs(16),
    });
    engine.with_secrets(setup.secrets())
}

pub(super) fn delivery(entity: &EntityKey, message_id: &str, body: String, receive_count: u32) -> Delivery {
    Delivery {
        trace_header: None,
        receipt: String::new(),
        message_id: message_id.to_owned(),
        group: lane(entity),
        receive_count,
        body,
    }
}
