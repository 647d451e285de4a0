//! `vendorbridge reconcile`: the source's records against the vendor's, and forced syncs for what differs.

mod compare;
mod findings;
mod plan;
mod report;
mod sides;

use std::time::Duration;

use vendorbridge::EntityKey;
use vendorbridge::ask::{Kept, MAX_PAGE};
use vendorbridge::clock::{Clock, SystemClock};

use crate::args::Global;
use crate::ask::{describe, unknown_type};
use crate::lanes::{VendorLanes, run_id};
use crate::progress::Progress;
use crate::session::Session;
use crate::work::{ASK_ABOVE, Pace, Push, Reply, Stop, ask, ended};
use crate::{CliError, Exit, Outcome, output};
use findings::settled;
use sides::read;

pub use report::Reconciled;

/// What differs is read once more after this: both sides move while they are read.
const MOMENT: Duration = Duration::from_secs(5);

/// The options of `reconcile`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The vendor's name
    pub vendor: String,
    /// The type of entity, such as `product`
    #[arg(value_name = "TYPE")]
    pub entity_type: String,
    /// Sync what is missing or different, and remove what we brought there and is not wanted any more
    #[arg(long)]
    pub repair: bool,
    /// Do not ask, however much there is to repair
    #[arg(long, short, requires = "repair")]
    pub yes: bool,
    /// Remove also if the source listed nothing at all, or that is more than a tenth of what the vendor has
    #[arg(long, requires = "repair")]
    pub remove_many: bool,
    /// Name at most so many differences of a kind; all are counted, and repaired
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// Repairs a second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Records of a page
    #[arg(long, value_name = "N", default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE)))]
    pub page: u32,
}

/// Compares, reports, and repairs if asked to.
///
/// # Errors
/// If the vendor's function cannot list both sides, or the ledger or the queue cannot be used.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let kept = describe(&session, &options.vendor).await?.entities;
    let leaves_alone = listed(&kept, options)?.leaves_alone;
    let stop = Stop::listen();
    let Some(mut report) = compare(global, &session, options, leaves_alone, &stop).await? else {
        let stopped = format!(
            "stopped before both sides of {} were read; nothing was sent\n",
            options.entity_type
        );
        return Ok(ended(stopped.into(), true));
    };
    if options.repair {
        let plan = report.sendable(options.remove_many);
        let planned = plan.count();
        let vendor = &options.vendor;
        let reply = if planned.total() > ASK_ABOVE && !options.yes {
            let words = planned.words(vendor);
            ask(&format!("Sync {} to {vendor}: {words}?", planned.total()), &stop).await
        } else {
            Reply::Yes
        };
        match reply {
            Reply::Yes => {
                let entities = plan.entities();
                let sent = repair(global, &session, options, &entities, &stop).await?;
                report.repaired(sent, sent < entities.len() as u64);
            }
            // What two readings found is told in any case.
            Reply::No | Reply::Nobody => report.refused(planned),
            Reply::Stopped => report.repaired(0, true),
        }
    }
    let code = if report.is_well() {
        Exit::Done
    } else {
        Exit::BadNews
    };
    let interrupted = report.is_interrupted();
    let outcome = output::answer(global, &report, Reconciled::text)?.ending(code);
    Ok(ended(outcome, interrupted))
}

/// Reads both sides, and what differs once more. `None` if Ctrl-C came first.
///
/// # Errors
/// If a side, or the ledger, cannot be read.
async fn compare(
    global: &Global,
    session: &Session,
    options: &Options,
    leaves_alone: bool,
    stop: &Stop,
) -> Result<Option<Reconciled>, CliError> {
    let began = SystemClock.now();
    let mut progress = Progress::new(global.json, "reading both sides", None);
    let Some(first) = read(session, options, leaves_alone, stop, &mut progress, None).await? else {
        return Ok(None);
    };
    progress.finish();
    let found = first.compare();
    let mut counts = first.counts();
    drop(first);
    let again = if found.differs() {
        let label = "reading once more, for what differs";
        let mut progress = Progress::new(global.json, label, Some(counts.0 + counts.1));
        if !stop.sleep(MOMENT).await {
            return Ok(None);
        }
        progress.resume(0);
        let again = read(session, options, leaves_alone, stop, &mut progress, Some(counts)).await?;
        let Some(second) = again else {
            return Ok(None);
        };
        progress.finish();
        counts = second.counts();
        second.compare()
    } else {
        found.clone()
    };
    let reader = session.reader();
    let settled = settled(&reader, &options.vendor, &found, again, began, stop).await?;
    Ok(settled.map(|settled| Reconciled::of(&session.stack, options, counts, settled)))
}

/// Asks for these entities; answers with how many the queue took until Ctrl-C.
async fn repair(
    global: &Global,
    session: &Session,
    options: &Options,
    entities: &[EntityKey],
    stop: &Stop,
) -> Result<u64, CliError> {
    let run = run_id("reconcile", &mut fastrand::Rng::new());
    let lanes = VendorLanes::open(session, &options.vendor, &run)?;
    let mut progress = Progress::new(global.json, "repair", Some(entities.len() as u64));
    let mut sent = 0;
    let all = Push {
        lanes: &lanes,
        pace: &mut Pace::new(options.rate),
        stop,
        progress: &mut progress,
        force: true,
    }
    .all(entities, async |batch| {
        sent += batch.len() as u64;
        Ok(())
    })
    .await;
    progress.finish();
    match all {
        Ok(_) => Ok(sent),
        Err(cause) => Err(CliError::Unfinished {
            cause: Box::new(cause),
            done: format!("{sent} of {} sent", entities.len()),
            go_on: "The same command finds the rest again".to_owned(),
        }),
    }
}

/// The type, if both sides of it can be listed.
fn listed<'a>(kept: &'a [Kept], options: &Options) -> Result<&'a Kept, CliError> {
    let entity_type = &options.entity_type;
    let Some(found) = kept.iter().find(|kept| kept.entity_type == *entity_type) else {
        return Err(unknown_type(kept, entity_type));
    };
    let side = match (found.lists_source, found.lists_vendor) {
        (true, true) => return Ok(found),
        (false, _) => "source",
        (true, false) => "vendor",
    };
    Err(CliError::Usage(format!(
        "expected a type that source and vendor can list, found `{entity_type}`, which the {side} cannot"
    )))
}
