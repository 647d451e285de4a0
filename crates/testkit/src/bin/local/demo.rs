//! The demo: one run from nothing to a checked result.

use std::process::ExitCode;
use std::time::Duration;

use comfy_table::{ContentArrangement, Table};
use jiff::Timestamp;
use serde::Serialize;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge_cli::publish;
use vendorbridge_testkit::cloud::{CloudError, World, WorldOptions, project, until};

use crate::expectation::{SAMPLES, Sample, differences, seed};
use crate::progress::Progress;

/// Every event must have its status within this time.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);

/// One event at one vendor.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    file: &'static str,
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
    let outcomes = publish_samples(world, progress).await?;
    let mut faults = differences(&world.sandbox, &world.sandbox.config().lists[0]);
    faults.extend(
        outcomes
            .iter()
            .filter(|outcome| outcome.status != outcome.expected)
            .map(|outcome| {
                let Outcome {
                    file,
                    vendor,
                    status,
                    expected,
                    ..
                } = outcome;
                format!("{vendor}: {file} is {status}, expected {expected}")
            }),
    );
    progress.done();
    if json {
        println!("{}", serde_json::to_string_pretty(&outcomes).unwrap_or_default());
    } else {
        println!("{}", table(&outcomes));
    }
    for fault in &faults {
        println!("  ✗ {fault}");
    }
    if !faults.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if !json {
        println!("Every event reached the expected status, and the vendors hold what the source holds.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Publishes the sample events and waits until each has its outcome at each vendor.
pub(crate) async fn publish_samples(world: &World, progress: &Progress) -> Result<Vec<Outcome>, CloudError> {
    progress.step("publishing events/ with PutEvents");
    let mut drafts = Vec::new();
    for sample in &SAMPLES {
        drafts.extend(publish::read(&project().join("events").join(sample.file))?);
    }
    let published = SystemClock.now();
    let ids = publish::publish(&world.aws.eventbridge, &world.stack.deployment.bus, &drafts).await?;
    progress.step("waiting for the outcomes");
    let mut outcomes = Vec::new();
    for vendor in &world.stack.deployment.vendors {
        let events = until("an outcome of every event", SETTLED_WITHIN, async || {
            let events = world.events_since(vendor, published).await?;
            let found: Option<Vec<_>> = ids.iter().map(|id| settled(&events, id)).collect();
            Ok(found)
        })
        .await?;
        let rows = SAMPLES.iter().zip(events);
        outcomes.extend(rows.map(|(sample, event)| outcome(sample, vendor, event, published)));
    }
    Ok(outcomes)
}

fn settled(events: &[EventRecord], id: &str) -> Option<EventRecord> {
    events
        .iter()
        .find(|event| event.event_id == id && event.status != Status::Parked)
        .cloned()
}

fn outcome(sample: &Sample, vendor: &str, event: EventRecord, published: Timestamp) -> Outcome {
    let milliseconds = event.settled_at.duration_since(published).as_millis();
    Outcome {
        file: sample.file,
        vendor: vendor.to_owned(),
        status: event.status,
        expected: sample.expected(vendor),
        entity: event.entity,
        link: event.link,
        milliseconds: i64::try_from(milliseconds).unwrap_or(i64::MAX),
        reason: event.error.map(|error| match error.pointer {
            Some(pointer) => format!("{pointer}: {}", error.message),
            None => error.message,
        }),
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
            outcome.file.trim_end_matches(".json").to_owned(),
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
