//! `vendorbridge tail`: events as they are settled, from the functions' logs.

mod cursor;
mod line;

use std::future::pending;
use std::io::Write;
use std::time::Duration;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::lane::short_hash;
use vendorbridge::ledger::Status;

use crate::args::Global;
use crate::report::STATUSES;
use crate::session::Session;
use crate::{CliError, Outcome, output, when};
use cursor::{Cursor, Logged};
use line::Settled;

/// How often the logs are asked.
const EVERY: Duration = Duration::from_secs(2);
/// After so much silence it is said what the reason may be.
const SILENCE: SignedDuration = SignedDuration::from_secs(60);
/// `CloudWatch` Logs finds the text of a line by it; the line is read as JSON then.
const PATTERN: &str = "\"sync.settled\"";

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

/// Prints lines until it is told to stop. With `--json` each is the log's own, one a line.
///
/// # Errors
/// If the vendor is not deployed, or the stack or a log cannot be read.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let vendors = session.deployment.chosen(options.vendor.as_deref())?;
    let since = options.since.unwrap_or_else(|| SystemClock.now());
    let mut cursors: Vec<_> = vendors
        .iter()
        .map(|vendor| (*vendor, Cursor::new(since)))
        .collect();
    let ended = async {
        match options.lasts.and_then(|lasts| Duration::try_from(lasts).ok()) {
            Some(lasts) => tokio::time::sleep(lasts).await,
            None => pending().await,
        }
    };
    let done = || Ok(Outcome::from(String::new()));
    tokio::select! {
        followed = follow(global, &session, options, &mut cursors) => followed.and_then(|()| done()),
        () = ended => done(),
        _ = tokio::signal::ctrl_c() => done(),
    }
}

/// Ends when nobody reads the lines any more.
async fn follow(
    global: &Global,
    session: &Session,
    options: &Options,
    cursors: &mut [(&str, Cursor)],
) -> Result<(), CliError> {
    let mut heard = Some(SystemClock.now());
    loop {
        let asked = cursors.iter_mut().map(async |(vendor, cursor)| {
            let logged = read(session, vendor, cursor.from()).await?;
            Ok::<_, CliError>(cursor.fresh(logged))
        });
        let mut fresh: Vec<_> = try_join_all(asked).await?.into_iter().flatten().collect();
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
        if heard.is_some_and(|heard| SystemClock.now().duration_since(heard) > SILENCE) {
            heard = None; // said once
            let why =
                "nothing was settled, or the stack's LogLevel is above `info`, which leaves these lines out";
            _ = writeln!(std::io::stderr(), "no line for a minute: {why}");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The lines of a vendor's function since then.
async fn read(session: &Session, vendor: &str, from: i64) -> Result<Vec<Logged>, CliError> {
    let group = format!("/aws/lambda/{}-{vendor}", session.stack);
    let request = session
        .logs()
        .filter_log_events()
        .log_group_name(group)
        .filter_pattern(PATTERN)
        .start_time(from);
    let mut logged = Vec::new();
    let mut token = None;
    loop {
        let answer = request.clone().set_next_token(token.clone()).send().await;
        let answer = answer.map_err(|error| CliError::of_sdk("reading the function's log", &error))?;
        logged.extend(answer.events.unwrap_or_default().into_iter().filter_map(|event| {
            let (at, text) = (event.timestamp?, event.message?);
            // Not every service that speaks the API names its lines; a settled line has its message's id in it.
            let id = event
                .event_id
                .unwrap_or_else(|| short_hash(&format!("{at}\n{text}")));
            Some(Logged { id, at, text })
        }));
        let next = answer.next_token.filter(|next| Some(next) != token.as_ref());
        if next.is_none() {
            return Ok(logged);
        }
        token = next;
    }
}
