//! The Lambda runtime's side: the only module that knows it.

mod asked;
mod changes;
mod invocation;
mod setup;

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::circuit::Policy;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, ConfigError, environment};
use crate::engine::{Engine, Entity, Parts};
use crate::http::{AwsHttp, Http, HttpError};
use crate::lane::{Partitions, SqsLanes};
use crate::ledger::DynamoLedger;
use crate::secret::SecretsManager;
use crate::source::DynamoItems;
use crate::telemetry;
use crate::wake::{DynamoAttention, Waker};

use invocation::{Invocation, Reply, batch, deadline};

pub use changes::changes;
pub use setup::Setup;

/// What the calls for one entity take at the longest in the ordinary course: the source's five seconds, the vendor's ten,
/// and one for the ledger. A slow ledger, or a credential that is renewed slowly, may end the invocation on top of that; its
/// messages are then delivered again.
const SLOWEST: Duration = Duration::from_secs(16);

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A configured URL may not be called.
    #[error("a configured URL cannot be used: {0}")]
    Url(#[from] HttpError),
    /// The asynchronous runtime did not start.
    #[error("the runtime did not start: {0}")]
    Runtime(#[from] std::io::Error),
    /// The Lambda runtime ended.
    #[error("the Lambda runtime ended: {0}")]
    Lambda(String),
}

/// Runs a vendor function: drains the vendor's queue until Lambda ends the process.
///
/// `wire` names the entities. Whatever fails before the first message is logged as one line that says what to mend.
pub fn vendor(wire: impl FnOnce(&Setup) -> Result<Vec<Entity>, StartError>) -> ExitCode {
    run(async {
        let config = Config::from_env()?;
        let http = Http::with(config.http())?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let sdk = sdk(&http).await;
        let secret = SecretsManager::new(
            aws_sdk_secretsmanager::Client::new(&sdk),
            config.secret_id.clone(),
        );
        let database = aws_sdk_dynamodb::Client::new(&sdk);
        let items = Arc::new(DynamoItems::new(database.clone()));
        let setup = Setup::new(config, http, clock, Box::new(secret))
            .with_items(items)
            .with_role(sdk.credentials_provider());
        let entities = wire(&setup)?;
        let secrets = setup.secrets();
        let (config, clock) = setup.into_parts();
        let ledger = DynamoLedger::new(
            database,
            config.ledger_table,
            config.vendor.clone(),
            config.event_ttl_days,
        );
        let engine = &Engine::new(Parts {
            vendor: config.vendor,
            entities,
            ledger: Arc::new(ledger),
            lanes: Arc::new(SqsLanes::new(
                aws_sdk_sqs::Client::new(&sdk),
                config.queue_url,
                config.partitions,
            )),
            clock,
            rng: fastrand::Rng::new(),
            backoff: config.backoff,
            circuit: Policy::default(),
            max_in_flight: config.max_in_flight,
            slowest: SLOWEST,
        })
        .keeping(config.keep_sent)
        .with_secrets(secrets);
        serve(move |event: LambdaEvent<Invocation>| async move {
            let LambdaEvent { payload, context } = event;
            if let Some(question) = payload.ask {
                return asked::answer(engine, question, deadline(context.deadline))
                    .await
                    .map(Reply::Answer);
            }
            let batch = batch(payload.records, &context)?;
            let mut answer = SqsBatchResponse::default();
            for message_id in engine.handle(&batch).await {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message_id;
                answer.batch_item_failures.push(failure);
            }
            Ok(Reply::Batch(answer))
        })
        .await
    })
}

/// What the schedule of a vendor gives the waker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WakeRequest {
    vendor: String,
    queue_url: String,
    /// A schedule from before there were partitions names none.
    #[serde(default)]
    partitions: Partitions,
}

/// Runs the waker: sends the parked entities of one vendor that are due back into their lanes.
#[must_use]
pub fn waker() -> ExitCode {
    run(async {
        let table = config::ledger_table(&environment)?;
        let http = Http::new(false)?;
        let sdk = sdk(&http).await;
        let attention = &DynamoAttention::new(aws_sdk_dynamodb::Client::new(&sdk), table);
        let queues = &aws_sdk_sqs::Client::new(&sdk);
        serve(move |event: LambdaEvent<WakeRequest>| async move {
            let deadline = deadline(event.context.deadline);
            let WakeRequest {
                vendor,
                queue_url,
                partitions,
            } = event.payload;
            let lanes = SqsLanes::new(queues.clone(), queue_url, partitions);
            let waker = Waker {
                attention,
                lanes: &lanes,
                clock: &SystemClock,
                circuit: Policy::default(),
            };
            let (woken, ()) = futures::join!(
                waker.wake(&vendor, deadline),
                attention.tell_standing(&vendor, SystemClock.now())
            );
            if let Err(error) = &woken {
                tracing::error!(target: "vendorbridge", vendor, error = error.kind().name(), "wake.failed");
            }
            woken
        })
        .await
    })
}

/// Runs a function: logs and panics go where they belong, and a failed start is one line that says what to mend.
pub fn run(work: impl Future<Output = Result<(), StartError>>) -> ExitCode {
    let result = config::log_level(&environment)
        .map_err(StartError::from)
        .and_then(|level| {
            telemetry::init(level);
            std::panic::set_hook(Box::new(telemetry::panicked));
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(work)
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::init(tracing::Level::INFO);
            tracing::error!(target: "vendorbridge", reason = %error, "start.failed");
            ExitCode::FAILURE
        }
    }
}

async fn serve<Event, Answer, Failure, Handler, Work>(handler: Handler) -> Result<(), StartError>
where
    Event: DeserializeOwned,
    Answer: serde::Serialize,
    Failure: fmt::Display + fmt::Debug + Into<lambda_runtime::Diagnostic>,
    Handler: FnMut(LambdaEvent<Event>) -> Work,
    Work: Future<Output = Result<Answer, Failure>>,
{
    lambda_runtime::run(service_fn(handler))
        .await
        .map_err(|error| StartError::Lambda(error.to_string()))
}

/// What AWS clients are made from: `http`, the function's role, and no call that takes longer than seven seconds.
pub async fn sdk(http: &Http) -> aws_config::SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(7))
        .build();
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .timeout_config(timeouts)
        .http_client(AwsHttp::new(http))
        .load()
        .await
}

impl From<crate::Error> for lambda_runtime::Diagnostic {
    fn from(error: crate::Error) -> Self {
        Self {
            error_type: error.kind().name().to_owned(),
            error_message: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
