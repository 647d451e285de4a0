//! `vendorbridge replay`: asks for entities again, at one vendor only; or says what that would send.

mod choose;
mod kept;
pub(crate) mod options;
mod preview;
mod report;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use vendorbridge::EntityKey;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::Unreadable;

use crate::args::Global;
use crate::lanes::{VendorLanes, run_id};
use crate::progress::Progress;
use crate::publish;
use crate::session::Session;
use crate::work::{ASK_ABOVE, AT_ONCE, Again, Counts, Job, Pace, Push, Start, Stop, confirm, ended};
use crate::{CliError, Exit, Outcome, output};
use kept::readable;
use options::Choice;

pub use options::Options;
pub use preview::Previews;
pub use report::Replayed;

/// What stood in the ledger longer ago than this is another story.
const GO_ON_WITHIN: SignedDuration = SignedDuration::from_hours(24);
const SENT: &str = "sent";

/// Replays what was chosen.
///
/// # Errors
/// If nothing is chosen or too much, the stack, its ledger or its queue cannot be used, or a file is not as expected.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let choice = options.choice()?;
    let session = Session::open(global).await?;
    session.deployment.chosen(Some(&options.vendor))?;
    if let Choice::Files(files) = &choice {
        let mut drafts = Vec::new();
        for file in files {
            drafts.extend(publish::read(file)?);
        }
        let report = events(global, &session, options, &drafts).await?;
        let outcome = output::answer(global, &report, Replayed::text)?;
        return Ok(ended(outcome, report.interrupted));
    }
    if options.dry_run {
        let vendor = options.vendor.as_str();
        let (entities, unreadable) = chosen(global, &session, vendor, &choice).await?;
        let (entities, left_out) = readable(&session, vendor, &choice, entities).await?;
        let stop = Stop::listen();
        let mut progress = Progress::new(global.json, "replay", Some(entities.len() as u64));
        let previews = Previews::read(&session, vendor, &entities, &stop, &mut progress).await;
        progress.finish();
        let previews = previews?.leaving_out(left_out, unreadable);
        let outcome = output::answer(global, &previews, Previews::text)?;
        let outcome = outcome.ending(end(&previews.unreadable));
        return Ok(ended(outcome, previews.is_cut_short()));
    }
    let report = replay(global, &session, options, &choice).await?;
    let outcome = output::answer(global, &report, Replayed::text)?.ending(end(&report.unreadable));
    Ok(ended(outcome, report.interrupted))
}

/// Whoever replays a time expects all of it.
fn end(unreadable: &Unreadable) -> Exit {
    if unreadable.count > 0 {
        Exit::BadNews
    } else {
        Exit::Done
    }
}

/// The entities of a choice, in the order of their keys, and the records of events that could not be asked whether they belong to it.
async fn chosen(
    global: &Global,
    session: &Session,
    vendor: &str,
    choice: &Choice,
) -> Result<(Vec<EntityKey>, Unreadable), CliError> {
    let reader = session.reader();
    let mut unreadable = Unreadable::default();
    let found = match choice {
        Choice::Entities(entities) => return Ok((entities.clone(), unreadable)),
        Choice::Attention(kinds, filter) => choose::attention(&reader, vendor, kinds, filter).await?,
        Choice::Events { since, until, filter } => {
            let until = until.unwrap_or_else(|| SystemClock.now());
            let (found, others) = choose::events(global, &reader, vendor, (*since, until), filter).await?;
            unreadable = others;
            found
        }
        Choice::Files(_) => BTreeSet::new(),
    };
    Ok((found.into_iter().collect(), unreadable))
}

async fn replay(
    global: &Global,
    session: &Session,
    options: &Options,
    choice: &Choice,
) -> Result<Replayed, CliError> {
    let vendor = options.vendor.as_str();
    let (entities, unreadable) = chosen(global, session, vendor, choice).await?;
    let (entities, left_out) = readable(session, vendor, choice, entities).await?;
    let stop = Stop::listen();
    let is_asked = entities.len() > ASK_ABOVE && !options.yes;
    if is_asked && !confirm(entities.len(), "entities", vendor, &stop).await? {
        return Ok(Replayed {
            chosen: entities.len() as u64,
            left_out,
            unreadable,
            interrupted: true,
            ..Replayed::new(session, options, "")
        });
    }
    let start = Start {
        vendor,
        command: "replay",
        choice: &format!("{choice:?}"),
        again: Again {
            restart: options.again.restart || !choice.goes_on(),
            ..options.again
        },
        go_on_within: GO_ON_WITHIN,
    };
    let mut job = Job::begin(session, &start).await?;
    let before = job.counts().get(SENT).copied().unwrap_or_default();
    // Sorted by key, so what is behind the cursor is what was not sent, whatever the ledger has forgotten since.
    let behind = job.cursor().map(str::to_owned);
    let entities = match &behind {
        Some(cursor) => &entities[entities.partition_point(|entity| entity.as_str() <= cursor.as_str())..],
        None => &entities[..],
    };
    let lanes = VendorLanes::open(session, vendor, job.run())?;
    let mut progress = Progress::new(global.json, "replay", Some(before + entities.len() as u64));
    progress.resume(before);
    if let Some(since) = job.goes_on_from() {
        progress.note(&format!(
            "going on with the run of {}: {before} were sent before; --restart begins anew",
            output::time(since)
        ));
    }
    let mut sent = 0_u64;
    let all = Push {
        lanes: &lanes,
        pace: &mut Pace::new(options.rate),
        stop: &stop,
        progress: &mut progress,
        force: true,
    }
    .all(entities, async |batch| {
        sent += batch.len() as u64;
        let cursor = batch.last().map(|entity| entity.as_str().to_owned());
        job.reached(cursor, Counts::from([(SENT.to_owned(), before + sent)]))
            .await
    })
    .await;
    progress.finish();
    let is_done = match all {
        Ok(is_done) => is_done,
        Err(cause) => {
            // What failed is what is told; the checkpoint stands in any case.
            _ = job.end(false).await;
            return Err(CliError::Unfinished {
                cause: Box::new(cause),
                done: format!("{} of {} sent", before + sent, before + entities.len() as u64),
                go_on: if choice.goes_on() {
                    "The same command goes on from there".to_owned()
                } else {
                    "The same command begins anew".to_owned()
                },
            });
        }
    };
    job.end(is_done).await?;
    Ok(Replayed {
        chosen: before + entities.len() as u64,
        sent_before: before,
        sent,
        left_out,
        unreadable,
        goes_on: choice.goes_on(),
        interrupted: !is_done,
        ..Replayed::new(session, options, job.run())
    })
}

/// Sends events themselves, which the vendor's function hands on to their lanes.
async fn events(
    global: &Global,
    session: &Session,
    options: &Options,
    drafts: &[publish::Draft],
) -> Result<Replayed, CliError> {
    let run = run_id("replay", &mut fastrand::Rng::new());
    let lanes = VendorLanes::open(session, &options.vendor, &run)?;
    let total = drafts.len();
    let mut report = Replayed {
        dry_run: options.dry_run,
        chosen: total as u64,
        ..Replayed::new(session, options, &run)
    };
    if options.dry_run {
        return Ok(report);
    }
    let stop = Stop::listen();
    if total > ASK_ABOVE && !options.yes && !confirm(total, "events", &options.vendor, &stop).await? {
        report.interrupted = true;
        return Ok(report);
    }
    let mut progress = Progress::new(global.json, "replay", Some(total as u64));
    let mut pace = Pace::new(options.rate);
    for batch in drafts.chunks(AT_ONCE) {
        if !pace.wait(batch.len(), &stop).await {
            report.interrupted = true;
            break;
        }
        let bodies: Vec<_> = batch.iter().map(|draft| lanes.event(draft)).collect();
        let refused = lanes.send_to_intake(&bodies).await;
        report.sent += (batch.len() - refused.len()) as u64;
        if let Some((at, error)) = refused.first() {
            return Err(CliError::Unfinished {
                cause: Box::new(CliError::of_ledger("sending into the vendor's queue", error)),
                done: format!("{} of {total} events sent", report.sent),
                go_on: format!(
                    "The first that is missing is event {} of {}",
                    batch[*at].number, batch[*at].file
                ),
            });
        }
        progress.add(batch.len() as u64);
    }
    progress.finish();
    Ok(report)
}
