//! Live traffic first: waits while the vendor has enough to do, or may not be called.

use std::time::Duration;

use vendorbridge::circuit::Gate;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::VendorRecord;

use crate::CliError;
use crate::progress::Progress;
use crate::session::Session;
use crate::vendor::queues;
use crate::work::{Job, Stop};

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// When to wait.
pub(super) struct Hold<'a> {
    session: &'a Session,
    vendor: &'a str,
    backlog: u64,
}

impl<'a> Hold<'a> {
    /// Waits for `vendor`, and while more than `backlog` messages are in its queues.
    pub(super) fn new(session: &'a Session, vendor: &'a str, backlog: u64) -> Self {
        Self {
            session,
            vendor,
            backlog,
        }
    }

    /// Waits as long as there is a reason. Answers with `false` if it is time to stop.
    ///
    /// # Errors
    /// If the ledger or a queue cannot be read.
    pub(super) async fn until_free(
        &self,
        job: &mut Job,
        stop: &Stop,
        progress: &mut Progress,
    ) -> Result<bool, CliError> {
        while let Some(why) = self.reason().await? {
            progress.hold(Some(&why));
            job.alive().await?;
            if !stop.sleep(LOOK_EVERY).await {
                return Ok(false);
            }
        }
        progress.hold(None);
        Ok(!stop.is_told())
    }

    async fn reason(&self) -> Result<Option<String>, CliError> {
        let record = self.session.reader().vendor(self.vendor).await;
        let queues = queues::read(&self.session.sqs(), &self.session.deployment, self.vendor).await?;
        let waiting = queues.iter().map(|queue| queue.visible + queue.in_flight).sum();
        let record = record.map_err(CliError::unread)?;
        Ok(reason(record.as_ref().map(standing), waiting, self.backlog))
    }
}

fn standing(record: &VendorRecord) -> Gate {
    record.gate(SystemClock.now())
}

/// Why nothing may be sent now.
fn reason(gate: Option<Gate>, waiting: u64, backlog: u64) -> Option<String> {
    match gate {
        Some(Gate::Paused) => Some("the vendor is paused".to_owned()),
        Some(Gate::Open { .. }) => Some("its circuit is open".to_owned()),
        // Something has to probe, and it may be that nothing else waits.
        Some(Gate::Probe | Gate::Closed) | None if waiting > backlog => {
            Some(format!("{waiting} messages wait in its queues"))
        }
        Some(Gate::Probe | Gate::Closed) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, 100, None)]
    #[case(Some(Gate::Closed), 100, None)]
    #[case(Some(Gate::Closed), 101, Some("101 messages"))]
    #[case(Some(Gate::Paused), 0, Some("paused"))]
    #[case(Some(Gate::Open { retry_at: jiff::Timestamp::UNIX_EPOCH }), 0, Some("circuit"))]
    #[case(Some(Gate::Probe), 0, None)]
    fn live_traffic_comes_first(
        #[case] gate: Option<Gate>,
        #[case] waiting: u64,
        #[case] expected: Option<&str>,
    ) {
        let why = reason(gate, waiting, 100);
        match expected {
            Some(expected) => assert!(
                why.as_deref().is_some_and(|why| why.contains(expected)),
                "{why:?}"
            ),
            None => assert_eq!(why, None),
        }
    }
}
