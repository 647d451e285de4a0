//! The function `ingest`: HTTPS requests of other systems become events on the bus.

use std::process::ExitCode;
use std::sync::Arc;

use ingest::{Ingest, IngestConfig};
use vendorbridge::bus::EventBridge;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::config::environment;
use vendorbridge::http::Http;
use vendorbridge::lambda::{StartError, run, sdk};
use vendorbridge::secret::{SecretStore, SecretsManager};

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
        });
        lambda_http::run(router)
            .await
            .map_err(|error| StartError::Lambda(error.to_string()))
    })
}
