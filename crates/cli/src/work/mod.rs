//! What long work has in common: it keeps to a rate, stops when it is told to, remembers how far it has got.

pub(crate) mod job;
mod pace;
mod stop;

use std::io::{BufRead, IsTerminal, Write};

use tokio::sync::oneshot;
use vendorbridge::EntityKey;

use crate::lanes::VendorLanes;
use crate::progress::Progress;
use crate::{CliError, Exit, Outcome};

pub(crate) use job::{Counts, Job, Start};
pub(crate) use pace::Pace;
pub(crate) use stop::Stop;

/// Entities that are asked for at once: one request to the queue.
pub(crate) const AT_ONCE: usize = 10;

/// More entities than this are not sent without being asked.
pub(crate) const ASK_ABOVE: usize = 100;

/// The options of work that can be gone on with.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Again {
    /// Begin anew, although the same work was stopped half-way
    #[arg(long)]
    pub restart: bool,
    /// Go on although another process seems to be at it, because you know that it is gone
    #[arg(long)]
    pub take_over: bool,
}

/// What sends, at which rate, and until when.
pub(crate) struct Push<'a> {
    pub(crate) lanes: &'a VendorLanes,
    pub(crate) pace: &'a mut Pace,
    pub(crate) stop: &'a Stop,
    pub(crate) progress: &'a mut Progress,
    /// Whatever the ledger knows.
    pub(crate) force: bool,
}

impl Push<'_> {
    /// Asks for entities, a request at a time, and hands each request that the queue took to `taken`. Answers with `false` if it was
    /// stopped half-way.
    ///
    /// # Errors
    /// If the queue refuses an entity after retries, or `taken` fails. What was handed to it before is sent.
    pub(crate) async fn all(
        &mut self,
        entities: &[EntityKey],
        mut taken: impl AsyncFnMut(&[EntityKey]) -> Result<(), CliError>,
    ) -> Result<bool, CliError> {
        for batch in entities.chunks(AT_ONCE) {
            if !self.pace.wait(batch.len(), self.stop).await {
                return Ok(false);
            }
            let refused = self.lanes.sync_now(batch, self.force).await;
            if let Some(first) = refused.first() {
                return Err(CliError::of_lanes(
                    batch.len(),
                    refused.len(),
                    &first.entity,
                    &first.error,
                ));
            }
            self.progress.add(batch.len() as u64);
            taken(batch).await?;
        }
        Ok(true)
    }
}

/// How work ended that Ctrl-C may have stopped.
pub(crate) fn ended(outcome: Outcome, interrupted: bool) -> Outcome {
    if interrupted {
        outcome.ending(Exit::Interrupted)
    } else {
        outcome
    }
}

/// What the person at the terminal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Yes,
    No,
    /// There is no terminal.
    Nobody,
    /// Ctrl-C.
    Stopped,
}

/// Asks the person at the terminal.
pub(crate) async fn ask(question: &str, stop: &Stop) -> Reply {
    if !std::io::stdin().is_terminal() {
        return Reply::Nobody;
    }
    _ = write!(std::io::stderr(), "{question} [y/N] ");
    let (tell, told) = oneshot::channel();
    // Not a thread of the runtime, which waits for its own at the end: nobody may ever type a line.
    std::thread::spawn(move || {
        let mut answer = String::new();
        _ = std::io::stdin().lock().read_line(&mut answer);
        _ = tell.send(answer);
    });
    tokio::select! {
        biased;
        () = stop.told() => Reply::Stopped,
        answer = told => reply(&answer.unwrap_or_default()),
    }
}

fn reply(line: &str) -> Reply {
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Reply::Yes,
        _ => Reply::No,
    }
}

/// Asks the person at the terminal whether so many pieces, such as `entities`, are to be sent. Answers with `false` if Ctrl-C came.
///
/// # Errors
/// [`CliError::Usage`] with the count if there is nobody, or the answer is no.
pub(crate) async fn confirm(count: usize, what: &str, vendor: &str, stop: &Stop) -> Result<bool, CliError> {
    match ask(&format!("Send {count} {what} to {vendor}?"), stop).await {
        Reply::Yes => Ok(true),
        Reply::Stopped => Ok(false),
        Reply::No | Reply::Nobody => Err(CliError::Usage(format!(
            "expected --yes for {count} {what}, found none: more than {ASK_ABOVE} are not sent to {vendor} unasked; nothing was sent"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("y\n", Reply::Yes)]
    #[case(" YES\r\n", Reply::Yes)]
    #[case("\n", Reply::No)]
    #[case("", Reply::No)]
    #[case("yep", Reply::No)]
    fn only_a_yes_is_one(#[case] line: &str, #[case] expected: Reply) {
        assert_eq!(reply(line), expected);
    }
}
