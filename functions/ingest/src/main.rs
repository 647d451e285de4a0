//! The function `ingest`: HTTPS requests of other systems become events on the bus, or states in the lanes of a vendor.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use ingest::{DynamoStore, Ingest, IngestConfig};
use vendorbridge::bus::EventBridge;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::config::environment;
use vendorbridge::http::Http;
use vendorbridge::lambda::{StartError, run, sdk};
use vendorbridge::lane::SqsLanes;
use vendorbridge::secret::{SecretStore, SecretsManager};

fn seed() -> Result<u64, StartError> {
    getrandom::u64().map_err(|error| StartError::Lambda(format!("the system has no randomness: {error}")))
}

fn main() -> ExitCode {
    run(async {
        let config = IngestConfig::read(&environment)?;
        let http = Http::new(false)?;
        let sdk = sdk(&http).await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let secret = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&sdk), config.secret_id);
        let router = ingest::router(Ingest {
            companies: config.companies,
            bus: Arc::new(EventBridge::new(
                aws_sdk_eventbridge::Client::new(&sdk),
                config.bus,
            )),
            secrets: SecretStore::new(Box::new(secret), Arc::clone(&clock)),
            clock,
            lines: Arc::new(config.lines),
            store: Arc::new(DynamoStore::new(
                aws_sdk_dynamodb::Client::new(&sdk),
                config.table,
                config.ttl_days,
            )),
            lanes: Arc::new(SqsLanes::new(
                aws_sdk_sqs::Client::new(&sdk),
                config.queue_url.unwrap_or_default(),
                config.partitions,
            )),
            calls_per_window: config.calls_per_window,
            rng: Arc::new(Mutex::new(fastrand::Rng::with_seed(seed()?))),
        });
        lambda_http::run(router)
            .await
            .map_err(|error| StartError::Lambda(error.to_string()))
    })
}
