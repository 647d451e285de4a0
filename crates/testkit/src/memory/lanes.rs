//! A queue that only remembers what was sent.

use std::collections::HashSet;
use std::sync::Mutex;

use futures::future::BoxFuture;
use vendorbridge::lane::{LaneMessage, Lanes};
use vendorbridge::{Error, ErrorKind, Stage};

use super::lock;

/// Keeps what is sent; drops repeats of a deduplication id within a group, as a FIFO queue does.
#[derive(Debug, Default)]
pub struct MemoryLanes {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<LaneMessage>,
    refused: HashSet<String>,
    acknowledged: Vec<String>,
}

impl MemoryLanes {
    /// What was accepted so far.
    #[must_use]
    pub fn sent(&self) -> Vec<LaneMessage> {
        lock(&self.state).sent.clone()
    }

    /// Takes out what was accepted so far.
    #[must_use]
    pub fn take(&self) -> Vec<LaneMessage> {
        std::mem::take(&mut lock(&self.state).sent)
    }

    /// The receipts that were acknowledged ahead of their batch.
    #[must_use]
    pub fn acknowledged(&self) -> Vec<String> {
        lock(&self.state).acknowledged.clone()
    }

    /// From now on refuses messages of this group.
    pub fn refuse(&self, group: &str) {
        lock(&self.state).refused.insert(group.to_owned());
    }

    /// Accepts everything again.
    pub fn accept(&self) {
        lock(&self.state).refused.clear();
    }
}

impl Lanes for MemoryLanes {
    fn send<'a>(&'a self, messages: &'a [LaneMessage]) -> BoxFuture<'a, Vec<Result<(), Error>>> {
        let mut state = lock(&self.state);
        let mut send = |message: &LaneMessage| {
            if state.refused.contains(&message.group) {
                return Err(Error::retry(
                    ErrorKind::Unavailable,
                    Stage::Intake,
                    "the queue refuses this group",
                ));
            }
            let is_repeat = state.sent.iter().any(|known| {
                known.group == message.group && known.deduplication_id == message.deduplication_id
            });
            if !is_repeat {
                state.sent.push(message.clone());
            }
            Ok(())
        };
        let results = messages.iter().map(&mut send).collect();
        Box::pin(async move { results })
    }

    fn acknowledge<'a>(
        &'a self,
        _partition: u32,
        receipts: &'a [String],
    ) -> BoxFuture<'a, Result<(), Error>> {
        lock(&self.state).acknowledged.extend_from_slice(receipts);
        Box::pin(async { Ok(()) })
    }
}
