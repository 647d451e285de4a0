//! What a job writes, against a store whose answers are scripted.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::*;
use crate::work::Again;

/// What a write comes to.
#[derive(Debug, Clone, Copy)]
enum Write {
    Taken,
    Refused,
    Throttled,
}

/// Remembers what it took.
#[derive(Debug, Default)]
struct Script {
    found: Option<Found>,
    writes: RefCell<VecDeque<Write>>,
    tried: RefCell<Vec<(u64, State)>>,
}

impl Store for Script {
    async fn read(&self) -> Result<Option<Found>, CliError> {
        Ok(self.found.clone())
    }

    async fn write(&self, record: &Record) -> Result<bool, CliError> {
        self.tried.borrow_mut().push((record.revision, record.state));
        match self.writes.borrow_mut().pop_front() {
            Some(Write::Refused) => Ok(false),
            Some(Write::Throttled) => Err(CliError::Usage("throttled".into())),
            Some(Write::Taken) | None => Ok(true),
        }
    }
}

async fn begun(found: Option<Found>, restart: bool, writes: &[Write]) -> Result<Job<Script>, CliError> {
    let store = Script {
        found,
        writes: RefCell::new(writes.iter().copied().collect()),
        ..Script::default()
    };
    let start = Start {
        vendor: "algolia",
        command: "backfill",
        choice: "product",
        again: Again {
            restart,
            take_over: false,
        },
        go_on_within: SignedDuration::from_hours(24),
    };
    Job::begin_in(store, "backfill-1", &start).await
}

fn tried(job: &Job<Script>) -> Vec<(u64, State)> {
    job.store.tried.borrow().clone()
}

#[tokio::test]
async fn a_throttled_checkpoint_is_ended_from_the_revision_that_stands() {
    let mut job = begun(None, false, &[Write::Taken, Write::Taken, Write::Throttled])
        .await
        .unwrap();
    job.reached(Some("p1".into()), Counts::new()).await.unwrap();
    job.reached(Some("p2".into()), Counts::new()).await.unwrap_err();
    job.end(false).await.unwrap();
    let expected = [
        (1, State::Running),
        (2, State::Running),
        (3, State::Running),
        (3, State::Stopped),
    ];
    assert_eq!(tried(&job), expected);
    assert_eq!(job.cursor(), Some("p2"), "that far it is, whatever was written");
}

#[tokio::test]
async fn what_was_taken_over_is_left_alone() {
    let mut job = begun(None, false, &[Write::Taken, Write::Refused]).await.unwrap();
    let refused = job.reached(Some("p1".into()), Counts::new()).await;
    assert!(matches!(refused, Err(CliError::TakenOver { .. })), "{refused:?}");
    let ended = job.end(false).await;
    assert!(matches!(ended, Err(CliError::TakenOver { .. })), "{ended:?}");
    assert_eq!(tried(&job).len(), 2, "nothing was written after that");
}

#[tokio::test]
async fn another_versions_record_needs_a_restart() {
    let foreign = || Some(Found::Foreign { revision: 7 });
    let refused = begun(foreign(), false, &[]).await.unwrap_err().to_string();
    assert!(refused.contains("--restart"), "{refused}");
    let job = begun(foreign(), true, &[]).await.unwrap();
    assert_eq!(tried(&job), [(8, State::Running)]);
}
