//! `vendorbridge backfill`: asks for everything that the source has of a type, below live traffic.
//!
//! Nothing is forced: what the vendor holds already, by the ledger, is `UNCHANGED` and costs no call.

mod hold;
mod report;

use jiff::SignedDuration;
use vendorbridge::EntityKey;
use vendorbridge::ask::{MAX_PAGE, Page};

use crate::args::Global;
use crate::ask::{describe, source_page, unknown_type};
use crate::lanes::VendorLanes;
use crate::progress::Progress;
use crate::session::Session;
use crate::work::{Again, Counts, Job, Pace, Push, Start, Stop, ended};
use crate::{CliError, Outcome, output};
use hold::Hold;

pub use report::Backfilled;

/// A checkpoint may be gone on from for as long as the ledger keeps it.
const GO_ON_WITHIN: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The options of `backfill`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The vendor's name
    pub vendor: String,
    /// The type of entity, such as `product`
    #[arg(value_name = "TYPE")]
    pub entity_type: String,
    /// Entities a second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Wait while more messages than this are in the vendor's queues
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub backlog: u64,
    /// Entities of a page, after each of which a checkpoint is written
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE)))]
    pub page: u32,
    /// Count what the source has; send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Going on.
    #[command(flatten)]
    pub again: Again,
}

/// Goes through the source's pages, from the last checkpoint on.
///
/// # Errors
/// If the vendor's function cannot list the type, or the queue or the ledger cannot be used.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let kept = describe(&session, &options.vendor).await?.entities;
    match kept.iter().find(|kept| kept.entity_type == options.entity_type) {
        Some(kept) if kept.lists_source => {}
        Some(_) => {
            return Err(CliError::Usage(format!(
                "expected a type whose source can be listed, found `{}`: its source tells one entity at a time, or none",
                options.entity_type
            )));
        }
        None => return Err(unknown_type(&kept, &options.entity_type)),
    }
    let stop = Stop::listen();
    let mut progress = Progress::new(global.json, "backfill", None);
    let report = if options.dry_run {
        count(&session, options, &stop, &mut progress).await
    } else {
        fill(&session, options, &stop, &mut progress).await
    };
    progress.finish();
    let report = report?;
    let outcome = output::answer(global, &report, Backfilled::text)?;
    Ok(ended(outcome, report.interrupted))
}

/// A page of keys.
async fn page(
    session: &Session,
    options: &Options,
    cursor: Option<String>,
) -> Result<Page<EntityKey>, CliError> {
    let Options {
        vendor,
        entity_type,
        page,
        ..
    } = options;
    let page = source_page(session, vendor, entity_type, cursor, *page, false).await?;
    let keys = page.records.into_iter().map(|record| record.entity).collect();
    Ok(Page::new(keys, page.next).counted(page.total))
}

async fn count(
    session: &Session,
    options: &Options,
    stop: &Stop,
    progress: &mut Progress,
) -> Result<Backfilled, CliError> {
    let mut report = Backfilled::new(&session.stack, options, None, &Counts::new());
    let mut cursor = None;
    loop {
        let Page {
            records, next, total, ..
        } = page(session, options, cursor).await?;
        report.found += records.len() as u64;
        report.pages += 1;
        report.total = total.or(report.total);
        progress.set_total(report.total);
        progress.add(records.len() as u64);
        if next.is_none() {
            return Ok(report);
        }
        if stop.is_told() {
            report.interrupted = true;
            return Ok(report);
        }
        cursor = next;
    }
}

async fn fill(
    session: &Session,
    options: &Options,
    stop: &Stop,
    progress: &mut Progress,
) -> Result<Backfilled, CliError> {
    let start = Start {
        vendor: &options.vendor,
        command: "backfill",
        choice: &options.entity_type,
        again: options.again,
        go_on_within: GO_ON_WITHIN,
    };
    let mut job = Job::begin(session, &start).await?;
    let mut report = Backfilled::new(&session.stack, options, Some(job.run()), job.counts());
    progress.resume(report.sent_before);
    progress.set_total(report.total);
    if let Some(since) = job.goes_on_from() {
        progress.note(&format!(
            "going on with the run of {}: {} were sent before; --restart begins anew",
            output::time(since),
            report.sent_before
        ));
    }
    let filled = pages(session, options, &mut job, &mut report, stop, progress).await;
    if let Err(cause) = filled {
        // What failed is what is told; the checkpoint stands in any case.
        _ = job.end(false).await;
        return Err(CliError::Unfinished {
            cause: Box::new(cause),
            done: format!("{} sent", report.sent_before + report.sent),
            go_on: "The same command goes on behind the last page that was sent whole".to_owned(),
        });
    }
    job.end(!report.interrupted).await?;
    Ok(report)
}

async fn pages(
    session: &Session,
    options: &Options,
    job: &mut Job,
    report: &mut Backfilled,
    stop: &Stop,
    progress: &mut Progress,
) -> Result<(), CliError> {
    let lanes = VendorLanes::open(session, &options.vendor, job.run())?;
    let hold = Hold::new(session, &options.vendor, options.backlog);
    let mut pace = Pace::new(options.rate);
    let mut cursor = job.cursor().map(str::to_owned);
    loop {
        if !hold.until_free(job, stop, progress).await? {
            report.interrupted = true;
            return Ok(());
        }
        let Page {
            records: keys,
            next,
            total,
            ..
        } = page(session, options, cursor).await?;
        report.found += keys.len() as u64;
        report.total = total.or(report.total);
        progress.set_total(report.total);
        let mut sent = 0;
        let is_done = Push {
            lanes: &lanes,
            pace: &mut pace,
            stop,
            progress,
            force: false,
        }
        .all(&keys, async |batch| {
            sent += batch.len() as u64;
            job.alive().await
        })
        .await;
        report.sent += sent;
        if !is_done? {
            // The page is asked for again: what of it was sent is `UNCHANGED` then.
            report.interrupted = true;
            return Ok(());
        }
        report.pages += 1;
        job.reached(next.clone(), report.counts()).await?;
        if next.is_none() {
            return Ok(());
        }
        cursor = next;
    }
}
