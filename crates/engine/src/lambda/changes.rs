//! The function `changes`: one batch of stream records, from a mapping or a pipe.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::LambdaEvent;
use serde_json::Value;

use super::{deadline, run, sdk, serve};
use crate::changes::{BatchError, Changes, ChangesConfig, EventBridge, FailureQueue};
use crate::clock::SystemClock;
use crate::config::environment;
use crate::http::Http;

/// Runs the function that announces database changes and outcomes.
#[must_use]
pub fn changes() -> ExitCode {
    run(async {
        let config = ChangesConfig::read(&environment)?;
        let http = Http::new(false)?;
        let sdk = sdk(&http).await;
        let changes = &Changes {
            ledger_table: config.ledger_table,
            streams: config.streams,
            bus: Arc::new(EventBridge::new(
                aws_sdk_eventbridge::Client::new(&sdk),
                config.bus,
            )),
            failures: Arc::new(FailureQueue::new(
                aws_sdk_sqs::Client::new(&sdk),
                config.failure_queue_url,
            )),
            clock: Arc::new(SystemClock),
        };
        serve(move |event: LambdaEvent<Value>| async move {
            let deadline = deadline(event.context.deadline);
            let answer = changes.handle(event.payload, deadline).await;
            if let Err(error) = &answer {
                tracing::error!(target: "vendorbridge", error = error.name(), reason = %error, "changes.failed");
            }
            answer
        })
        .await
    })
}

impl From<BatchError> for lambda_runtime::Diagnostic {
    fn from(error: BatchError) -> Self {
        Self {
            error_type: error.name().to_owned(),
            error_message: error.to_string(),
        }
    }
}
