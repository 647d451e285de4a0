//! The demo: one run from nothing to a checked result.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use comfy_table::{ContentArrangement, Table};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge_cli::publish::{self, Draft};
use vendorbridge_testkit::cloud::{CloudError, World, WorldOptions, project, until};

use crate::expectation::{FOLLOWER, ITEMS, ROUNDS, Sample, differences, seed};
use crate::progress::Progress;
use crate::{billing, products};

/// Every event must have its status within this time.
pub(crate) const SETTLED_WITHIN: Duration = Duration::from_mins(1);

/// One event at one vendor.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// The sample event, or what else led to it.
    what: &'static str,
    vendor: String,
    entity: String,
    status: Status,
    expected: Status,
    /// The vendor's id for the entity.
    link: Option<String>,
    /// Milliseconds from PutEvents to the settled outcome.
    milliseconds: i64,
    reason: Option<String>,
}

pub(crate) async fn run(options: WorldOptions, json: bool) -> Result<ExitCode, CloudError> {
    let progress = Progress::new();
    let ours = options.endpoint.is_none();
    let world = World::start(options, &|step| progress.step(step)).await?;
    let result = show(&world, &progress, json).await;
    if !ours {
        progress.step("removing the stack");
        world.delete().await?;
    }
    progress.done();
    let folder = world.folder.clone();
    world.stop().await;
    let code = result?;
    if code == ExitCode::SUCCESS {
        let _ = std::fs::remove_dir_all(folder);
    }
    Ok(code)
}

async fn show(world: &World, progress: &Progress, json: bool) -> Result<ExitCode, CloudError> {
    seed(&world.sandbox);
    let mut outcomes = publish_samples(world, progress).await?;
    progress.step("sending products of a line of business by the ingest API");
    let (products, told) = products::play(world).await?;
    outcomes.extend(products);
    progress.step("waiting for what another service hears of it");
    let heard = hear(world, &outcomes).await?;
    let mut faults = differences(&world.sandbox, &world.sandbox.config().lists[0]);
    faults.extend(billing::differences(&world.sandbox));
    faults.extend(products::differences(&world.sandbox));
    faults.extend(told.iter().filter_map(products::Told::fault));
    faults.extend(
        outcomes
            .iter()
            .filter(|outcome| outcome.status != outcome.expected)
            .map(|outcome| {
                let Outcome {
                    what,
                    vendor,
                    status,
                    expected,
                    ..
                } = outcome;
                format!("{vendor}: {what} is {status}, expected {expected}")
            }),
    );
    progress.done();
    if json {
        let all = json!({ "outcomes": outcomes, "answers": told });
        println!("{}", serde_json::to_string_pretty(&all).unwrap_or_default());
    } else {
        println!("{}", table(&outcomes));
        println!("{}", products::table(&told));
    }
    for fault in &faults {
        println!("  ✗ {fault}");
    }
    if !faults.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if !json {
        println!("Another service heard of it on the bus: {heard}.");
        println!("Every event reached the expected status, and the vendors hold what the sources hold.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Publishes the sample events, writes to the inventory, and waits until all of it has its outcome at each vendor.
pub(crate) async fn publish_samples(world: &World, progress: &Progress) -> Result<Vec<Outcome>, CloudError> {
    let started = SystemClock.now();
    progress.step("writing to the inventory's table");
    for (id, title) in ITEMS {
        world.inventory.put(&world.aws, item(id, title)).await?;
    }
    let mut outcomes = Vec::new();
    for round in ROUNDS {
        progress.step("publishing events/ with PutEvents");
        outcomes.extend(publish_round(world, round).await?);
    }
    progress.step("sending events of SAP Business One by the ingest API");
    outcomes.extend(billing::play(world).await?);
    progress.step("waiting for the inventory");
    let events = until("an outcome of every item", SETTLED_WITHIN, async || {
        let events = world.events_since(FOLLOWER, started).await?;
        let of = |id: &str| {
            let entity = format!("inventory-item/{id}");
            let mut of_item = events.iter().filter(|event| event.entity == entity);
            of_item.find(|event| event.status != Status::Parked).cloned()
        };
        Ok(ITEMS.iter().map(|(id, _)| of(id)).collect::<Option<Vec<_>>>())
    })
    .await?;
    outcomes.extend(
        events
            .into_iter()
            .map(|event| outcome("the table's stream", FOLLOWER, event, Status::Synced, started)),
    );
    Ok(outcomes)
}

async fn publish_round(world: &World, samples: &'static [Sample]) -> Result<Vec<Outcome>, CloudError> {
    let mut drafts = Vec::new();
    for sample in samples {
        let path = project().join("events").join(sample.file);
        match sample.source {
            None => drafts.extend(publish::read(&path)?),
            Some(source) => drafts.extend(read_as(&path, source)?),
        }
    }
    let published = SystemClock.now();
    let ids = publish::publish(&world.aws.eventbridge, &world.stack.deployment.bus, &drafts).await?;
    let mut outcomes = Vec::new();
    for vendor in &world.stack.deployment.vendors {
        let concerned: Vec<_> = samples
            .iter()
            .zip(&ids)
            .filter_map(|(sample, id)| {
                let mut expected = sample.expected.iter();
                let (_, expected) = expected.find(|(name, _)| name == vendor)?;
                Some((sample, id, *expected))
            })
            .collect();
        let events = until("an outcome of every event", SETTLED_WITHIN, async || {
            let events = world.events_since(vendor, published).await?;
            let found = concerned.iter().map(|(_, id, _)| settled(&events, id));
            Ok(found.collect::<Option<Vec<_>>>())
        })
        .await?;
        let rows = concerned.iter().zip(events);
        outcomes.extend(rows.map(|((sample, _, expected), event)| {
            let what = sample.file.trim_end_matches(".json");
            outcome(what, vendor, event, *expected, published)
        }));
    }
    Ok(outcomes)
}

/// Reads a sample whose source only a partner of AWS can send under; here another stands in for it.
fn read_as(path: &Path, source: &str) -> Result<Vec<Draft>, CloudError> {
    let file = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| CloudError::Io {
        what: file.clone(),
        source: error,
    })?;
    let mut envelope: Value = serde_json::from_slice(&text).unwrap_or_default();
    if let Some(sender) = envelope.get_mut("source") {
        *sender = source.into();
    }
    Ok(publish::parse(&file, envelope.to_string().as_bytes())?)
}

fn item(id: &str, title: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(id.to_owned())),
        ("title".to_owned(), AttributeValue::S(title.to_owned())),
        ("stock".to_owned(), AttributeValue::N("12".to_owned())),
        ("price".to_owned(), AttributeValue::N("199.00".to_owned())),
        ("currency".to_owned(), AttributeValue::S("DKK".to_owned())),
        ("published".to_owned(), AttributeValue::Bool(true)),
    ])
}

/// Waits until the bus has told of every new link and every refusal, and says how often it did.
async fn hear(world: &World, outcomes: &[Outcome]) -> Result<String, CloudError> {
    let of = |status: Status| -> BTreeSet<(String, String)> {
        outcomes
            .iter()
            .filter(|outcome| outcome.status == status && outcome.entity.contains('/'))
            .map(|outcome| (outcome.vendor.clone(), outcome.entity.clone()))
            .collect()
    };
    let (succeeded, rejected) = (of(Status::Synced), of(Status::Rejected));
    until("what the bus tells of it", SETTLED_WITHIN, async || {
        let heard = world.outcomes().await?;
        let told = |kind: &str| -> BTreeSet<(String, String)> {
            let text =
                |event: &Value, field: &str| event["detail"][field].as_str().unwrap_or_default().to_owned();
            heard
                .iter()
                .filter(|event| event["detail-type"] == kind)
                .map(|event| (text(event, "vendor"), text(event, "entity")))
                .collect()
        };
        Ok((told("SyncSucceeded") == succeeded && told("SyncRejected") == rejected).then_some(()))
    })
    .await?;
    Ok(format!(
        "SyncSucceeded of {} entities, SyncRejected of {}",
        succeeded.len(),
        rejected.len()
    ))
}

pub(crate) fn settled(events: &[EventRecord], id: &str) -> Option<EventRecord> {
    events
        .iter()
        .find(|event| event.event_id == id && event.status != Status::Parked)
        .cloned()
}

pub(crate) fn outcome(
    what: &'static str,
    vendor: &str,
    event: EventRecord,
    expected: Status,
    published: Timestamp,
) -> Outcome {
    let milliseconds = event.settled_at.duration_since(published).as_millis();
    Outcome {
        what,
        vendor: vendor.to_owned(),
        status: event.status,
        expected,
        entity: event.entity,
        link: event.link,
        milliseconds: i64::try_from(milliseconds).unwrap_or(i64::MAX),
        reason: match (event.rule, event.error) {
            (Some(rule), _) => Some(format!("rule {rule}")),
            (None, error) => error.map(|error| match error.pointer {
                Some(pointer) => format!("{pointer}: {}", error.message),
                None => error.message,
            }),
        },
    }
}

pub(crate) fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header([
            "event",
            "entity",
            "vendor",
            "status",
            "vendor's id",
            "ms",
            "reason",
        ]);
    for outcome in outcomes {
        table.add_row([
            outcome.what.to_owned(),
            outcome.entity.clone(),
            outcome.vendor.clone(),
            outcome.status.to_string(),
            outcome.link.clone().unwrap_or_default(),
            outcome.milliseconds.to_string(),
            outcome.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}
