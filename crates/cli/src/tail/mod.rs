//! `vendorbridge tail`: events as they are settled, from the functions' logs.

mod again;
mod cursor;
mod line;
mod log;

use std::future::pending;
use std::io::Write;
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::Status;

use crate::args::Global;
use crate::report::STATUSES;
use crate::session::Session;
use crate::{CliError, Outcome, output, when};
use line::Settled;
use log::{Log, Page};

/// After so much silence it is said what the reason may be.
const SILENCE: SignedDuration = SignedDuration::from_secs(60);

/// The options of `tail`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only this vendor
    #[arg(long)]
    pub vendor: Option<String>,
    /// Only this status; can be repeated
    #[arg(long = "status", value_name = "STATUS", value_parser = status)]
    pub statuses: Vec<Status>,
    /// Begin earlier: a time, or a duration such as `5m`
    #[arg(long, value_parser = when::ago, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<Timestamp>,
    /// End by itself after this long; without it Ctrl-C ends it
    #[arg(long = "for", value_parser = when::duration, value_name = "DURATION")]
    pub lasts: Option<SignedDuration>,
}

fn status(text: &str) -> Result<Status, String> {
    let found = STATUSES
        .into_iter()
        .find(|status| status.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("expected one of {}", STATUSES.map(Status::name).join(", ")))
}

/// Prints lines until it is told to stop. With `--json` each is the log's own, one a line. A log that AWS is asked for too often, or
/// nobody answers for, is said once and asked for again; one that never answered, a few times only.
///
/// # Errors
/// If the vendor is not deployed, or the stack or a log cannot be read; with `--for` also if a log was not read by then.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let vendors = session.deployment.chosen(options.vendor.as_deref())?;
    let since = options.since.unwrap_or_else(|| SystemClock.now());
    let mut logs: Vec<_> = vendors
        .iter()
        .map(|vendor| Log::new(session.logs(), &session.stack, vendor, since))
        .collect();
    let ended = async {
        match options.lasts.and_then(|lasts| Duration::try_from(lasts).ok()) {
            Some(lasts) => tokio::time::sleep(lasts).await,
            None => pending().await,
        }
    };
    let is_over = tokio::select! {
        followed = follow(global, options, &mut logs) => followed.map(|()| false),
        () = ended => Ok(true),
        _ = tokio::signal::ctrl_c() => Ok(false),
    }?;
    match logs.iter_mut().find_map(Log::unread) {
        Some(unread) if is_over => Err(unread),
        _ => Ok(Outcome::from(String::new())),
    }
}

/// Prints each page as it comes. Ends when nobody reads the lines any more, or a log cannot be read: after what came of the others.
async fn follow(global: &Global, options: &Options, logs: &mut [Log]) -> Result<(), CliError> {
    let mut due = vec![Instant::now(); logs.len()];
    let mut heard = Some(SystemClock.now());
    loop {
        // One that is to be left alone for a while holds none of the others up.
        let asked = logs.iter_mut().zip(&mut due).map(async |(log, due)| {
            if Instant::now() < *due {
                return Ok(Page::default());
            }
            let page = log.page().await?;
            *due = Instant::now() + page.rest;
            Ok::<_, CliError>(page)
        });
        let (mut pages, mut failure) = (Vec::new(), None);
        for answer in join_all(asked).await {
            match answer {
                Ok(page) => pages.push(page),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        for trouble in pages.iter().filter_map(|page| page.trouble.as_deref()) {
            _ = writeln!(std::io::stderr(), "{}", output::harmless(trouble));
        }
        let mut fresh: Vec<_> = pages.into_iter().flat_map(|page| page.lines).collect();
        fresh.sort_by_key(|logged| logged.at);
        for logged in &fresh {
            let Some(settled) = Settled::of(&logged.text) else {
                continue;
            };
            heard = heard.map(|_| SystemClock.now());
            let wanted = options.statuses.is_empty()
                || options
                    .statuses
                    .iter()
                    .any(|status| settled.status() == status.name());
            if wanted && !output::print_while_read(&settled.show(global.json))? {
                return Ok(());
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        if logs.iter().any(Log::is_failing) {
            // That there is no line has another reason, which was told.
            heard = heard.map(|_| SystemClock.now());
        }
        if heard.is_some_and(|heard| SystemClock.now().duration_since(heard) > SILENCE) {
            heard = None; // said once
            let why =
                "nothing was settled, or the stack's LogLevel is above `info`, which leaves these lines out";
            _ = writeln!(std::io::stderr(), "no line for a minute: {why}");
        }
        if let Some(next) = due.iter().min() {
            tokio::time::sleep_until(*next).await;
        }
    }
}
