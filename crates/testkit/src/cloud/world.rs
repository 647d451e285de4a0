//! Everything at once: emulator, sandbox and stack, wired to each other.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use vendorbridge::changes::{OUTCOME_SOURCE, OUTCOMES};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::http::Http;
use vendorbridge::ledger::{EventRecord, Reader, hour};

use super::{Aws, CloudError, Emulator, EmulatorOptions, Inventory, Stack, Tap, project, wiring};
use crate::sandbox::{Sandbox, SandboxConfig};

/// How a world is made.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// A name for its folder below `.local`; worlds that stand at the same time need different ones.
    pub name: String,
    /// The stack's name.
    pub stack: String,
    /// An endpoint that already runs; `aws` for AWS itself; `None` starts an emulator.
    pub endpoint: Option<String>,
    /// The host under which the functions reach the sandbox, when they do not run on this machine's loopback. The
    /// sandbox then listens on all interfaces.
    pub sandbox_host: Option<String>,
    /// Whether roles and queue policies are enforced.
    pub enforce_roles: bool,
    /// The share of events that EventBridge delivers twice, and the seed that picks them.
    pub duplicates: Option<(f64, u64)>,
    /// `ParkBaseSeconds` of the template.
    pub park_base_seconds: u64,
    /// The vendors that are deployed at first.
    pub vendors: Vec<String>,
    /// Whether other systems can send events over HTTPS.
    pub ingest: bool,
    /// `IngestCallsPer10Seconds` of the template.
    pub calls_per_10_seconds: Option<u32>,
}

/// A deployed stack whose functions talk to a sandbox.
pub struct World {
    /// The fakes.
    pub sandbox: Sandbox,
    /// Clients of the cloud.
    pub aws: Aws,
    /// The stack.
    pub stack: Stack,
    /// The folder of this world below `.local`.
    pub folder: PathBuf,
    /// The emulator, if it was started here.
    pub emulator: Option<Emulator>,
    /// The table whose changes are announced.
    pub inventory: Inventory,
    pub(super) http: Http,
    outcomes: Tap,
    options: WorldOptions,
}

impl WorldOptions {
    /// A world with an emulator of its own.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            stack: "vendorbridge".to_owned(),
            endpoint: None,
            sandbox_host: None,
            enforce_roles: false,
            duplicates: None,
            park_base_seconds: 15,
            vendors: wiring::VENDORS.map(str::to_owned).to_vec(),
            ingest: false,
            calls_per_10_seconds: None,
        }
    }
}

impl World {
    /// Starts, deploys and wires everything. `progress` is told what happens.
    ///
    /// # Errors
    /// [`CloudError`] says which part does not come up.
    pub async fn start(options: WorldOptions, progress: &dyn Fn(&str)) -> Result<Self, CloudError> {
        let folder = project().join(".local").join(&options.name);
        progress("starting the sandbox");
        let sandbox = sandbox(&options).await.map_err(CloudError::io("the sandbox"))?;
        let (emulator, aws) = match options.endpoint.as_deref() {
            Some("aws") => (None, Aws::account().await?),
            Some(endpoint) => (None, Aws::emulator(endpoint).await?),
            None => {
                progress("starting the local cloud");
                let emulator = Emulator::start(&EmulatorOptions {
                    state: folder.join("cloud"),
                    enforce_roles: options.enforce_roles,
                    duplicates: options.duplicates,
                })
                .await?;
                let aws = Aws::emulator(emulator.endpoint()).await?;
                (Some(emulator), aws)
            }
        };
        let inventory = Inventory::create(&aws, &format!("{}-inventory", options.stack)).await?;
        progress("deploying template.yaml with sam deploy");
        let template = project().join("template.yaml");
        let vendors: Vec<_> = options.vendors.iter().map(String::as_str).collect();
        let parameters = parameters(&options, &sandbox, &inventory, &vendors);
        let stack = Stack::deploy(&aws, &options.stack, &template, &parameters, &folder).await?;
        let pattern = json!({ "source": [OUTCOME_SOURCE], "detail-type": OUTCOMES });
        let http = Http::new(true).map_err(|error| CloudError::Aws {
            what: "an HTTP client",
            reason: error.to_string(),
        })?;
        let outcomes = Tap::open(&aws, &stack.deployment.bus, "outcomes", &pattern).await?;
        let world = Self {
            sandbox,
            aws,
            stack,
            folder,
            emulator,
            inventory,
            http,
            outcomes,
            options,
        };
        world.set_secrets().await?;
        Ok(world)
    }

    /// Gives each vendor's secret the value that the sandbox expects.
    ///
    /// # Errors
    /// If Secrets Manager refuses one.
    pub async fn set_secrets(&self) -> Result<(), CloudError> {
        for vendor in &self.stack.deployment.vendors {
            self.stack
                .set_secret(&self.aws, vendor, &wiring::secret(vendor, self.sandbox.config()))
                .await?;
        }
        if self.options.ingest {
            self.set_ingest_secret(&wiring::ingest_secret()).await?;
        }
        Ok(())
    }

    /// The template's parameters for these vendors.
    #[must_use]
    pub fn parameters(&self, vendors: &[&str]) -> BTreeMap<String, String> {
        parameters(&self.options, &self.sandbox, &self.inventory, vendors)
    }

    /// The outcomes on the bus so far, as another service sees them: whole envelopes, in the order in which they arrived.
    ///
    /// # Errors
    /// If SQS refuses.
    pub async fn outcomes(&self) -> Result<Vec<Value>, CloudError> {
        self.outcomes.received(&self.aws).await
    }

    /// Another service that listens to the bus: it gets what matches an EventBridge pattern from now on.
    ///
    /// # Errors
    /// If its queue or rule cannot be made.
    pub async fn tap(&self, name: &str, pattern: &Value) -> Result<Tap, CloudError> {
        Tap::open(&self.aws, &self.stack.deployment.bus, name, pattern).await
    }

    /// Removes the stack and what was made beside it, for a cloud that goes on without us.
    ///
    /// # Errors
    /// If that fails.
    pub async fn delete(&self) -> Result<(), CloudError> {
        // A bus with rules cannot be deleted.
        self.outcomes.close(&self.aws).await?;
        self.stack.delete(&self.aws).await?;
        self.inventory.delete(&self.aws).await
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> Reader {
        self.aws.ledger(&self.stack.deployment.table)
    }

    /// All event records of a vendor since a time.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn events_since(&self, vendor: &str, since: Timestamp) -> Result<Vec<EventRecord>, CloudError> {
        let ledger = self.ledger();
        let mut events = Vec::new();
        let mut time = since;
        let last = hour(SystemClock.now());
        loop {
            let this = hour(time);
            let read = ledger.events_of_hour(vendor, &this).await?;
            if read.unreadable.count > 0 {
                return Err(CloudError::Unreadable(read.unreadable));
            }
            events.extend(read.events);
            if this >= last {
                return Ok(events);
            }
            time = time
                .saturating_add(SignedDuration::from_hours(1))
                .unwrap_or(Timestamp::MAX);
        }
    }

    /// Lets the waker run for a vendor, as its schedule does once a minute.
    ///
    /// # Errors
    /// If the function fails.
    pub async fn wake(&self, vendor: &str) -> Result<Value, CloudError> {
        let failed = |reason: String| CloudError::Aws {
            what: "the waker",
            reason,
        };
        let queue_url = self.stack.output(&format!("QueueUrl{vendor}"))?;
        let partitions: u32 = self
            .stack
            .output(&format!("Partitions{vendor}"))?
            .parse()
            .unwrap_or(1);
        let request = json!({"vendor": vendor, "queue_url": queue_url, "partitions": partitions});
        let request = request.to_string();
        let answer = self
            .aws
            .lambda
            .invoke()
            .function_name(self.stack.output("WakerFunctionName")?)
            .payload(aws_sdk_lambda::primitives::Blob::new(request))
            .send()
            .await
            .map_err(|error| failed(DisplayErrorContext(error).to_string()))?;
        let payload = answer
            .payload()
            .map(|blob| String::from_utf8_lossy(blob.as_ref()).into_owned());
        let payload = payload.unwrap_or_default();
        if answer.function_error().is_some() {
            return Err(failed(payload));
        }
        serde_json::from_str(&payload).map_err(|error| failed(error.to_string()))
    }

    /// How many messages a queue holds, in flight or not.
    ///
    /// # Errors
    /// If the stack has no such output or SQS refuses.
    pub async fn queue_depth(&self, output: &str) -> Result<u64, CloudError> {
        use aws_sdk_sqs::types::QueueAttributeName as Name;
        let answer = self
            .aws
            .sqs
            .get_queue_attributes()
            .queue_url(self.stack.output(output)?)
            .attribute_names(Name::ApproximateNumberOfMessages)
            .attribute_names(Name::ApproximateNumberOfMessagesNotVisible)
            .send()
            .await
            .map_err(|error| CloudError::Aws {
                what: "GetQueueAttributes",
                reason: DisplayErrorContext(error).to_string(),
            })?;
        let counts = answer
            .attributes()
            .into_iter()
            .flat_map(|attributes| attributes.values());
        Ok(counts.filter_map(|count| count.parse::<u64>().ok()).sum())
    }

    /// Ends everything that was started here.
    pub async fn stop(self) {
        if let Some(emulator) = self.emulator {
            emulator.stop().await;
        }
        self.sandbox.stop().await;
    }
}

async fn sandbox(options: &WorldOptions) -> std::io::Result<Sandbox> {
    let bind = match options.sandbox_host {
        Some(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    // Requests that are held until the caller gives up need not be held for Mailchimp's two minutes.
    let hold = Duration::from_secs(30);
    Sandbox::start(SandboxConfig {
        bind,
        hold,
        ..SandboxConfig::default()
    })
    .await
}

fn parameters(
    options: &WorldOptions,
    sandbox: &Sandbox,
    inventory: &Inventory,
    vendors: &[&str],
) -> BTreeMap<String, String> {
    let reachable = |url: String| match &options.sandbox_host {
        Some(host) => url.replacen("127.0.0.1", host, 1),
        None => url,
    };
    let mut parameters = BTreeMap::from([
        ("Stage".to_owned(), "local".to_owned()),
        (
            "Architecture".to_owned(),
            std::env::consts::ARCH.replace("aarch64", "arm64"),
        ),
        ("AllowPlainHttp".to_owned(), "true".to_owned()),
        ("Vendors".to_owned(), vendors.join(",")),
        (
            "ParkBaseSeconds".to_owned(),
            options.park_base_seconds.to_string(),
        ),
        ("InventoryTableName".to_owned(), inventory.table.clone()),
        ("InventoryStreamArn".to_owned(), inventory.stream_arn.clone()),
        ("Auth0Source".to_owned(), wiring::AUTH0_SOURCE.to_owned()),
        // The stack's own bus, which has its name, stands in for the partner's.
        ("Auth0EventBusName".to_owned(), options.stack.clone()),
        ("Auth0LogSource".to_owned(), wiring::AUTH0_LOG_SOURCE.to_owned()),
    ]);
    if options.ingest {
        parameters.extend(super::ingest::parameters());
        parameters.extend(super::lines::parameter(vendors));
        parameters.extend(
            options
                .calls_per_10_seconds
                .map(|calls| ("IngestCallsPer10Seconds".to_owned(), calls.to_string())),
        );
    }
    for vendor in vendors {
        let settings = wiring::settings(vendor, sandbox, inventory, &reachable);
        parameters.insert(format!("{vendor}Settings"), settings.to_string());
    }
    parameters
}
