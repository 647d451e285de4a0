//! Parts of a state that are brought by calls of their own, and what is told of a plan.

use std::time::Duration;

use serde_json::json;
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge::vendor::{Invalid, Push, Vendor};
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::bench::{Bench, Card, Person, Shared, event_id, key, lock};

/// Books once, then brings the two words of a name by a call each.
struct Words(Shared);

impl Vendor for Words {
    type Entity = Person;
    type Payload = Card;

    fn map(&self, person: &Person) -> Result<Card, Invalid> {
        let title = person.name.clone();
        Ok(Card { title })
    }

    async fn push(&self, push: &mut Push<'_>, card: &Card) -> Result<String, Error> {
        push.plan(["open", "first", "second"].map(str::to_owned));
        let (now, world) = (push.now, &self.0);
        let find = |_, external: String| async move { lock(world).find(&external, now) };
        let work = |external: String| async move { lock(world).create(&external, now, &external) };
        let id = push
            .once("open", Duration::ZERO, push.entity.id().to_owned(), find, work)
            .await?;
        let (first, second) = card.title.split_once(' ').unwrap_or((&card.title, ""));
        push.part("first", first, || async { lock(world).bring("first") })
            .await?;
        push.part("second", second, || async { lock(world).bring("second") })
            .await?;
        Ok(id)
    }

    async fn remove(&self, _: &mut Push<'_>) -> Result<(), Error> {
        Ok(())
    }
}

fn down() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Verdict::Unknown,
        Stage::Push,
        "answered 500",
    )
    .with_status(500)
}

fn refused() -> Error {
    Error::permanent(ErrorKind::Refused, Stage::Push, "no").with_status(400)
}

fn calls(bench: &Bench) -> Vec<String> {
    std::mem::take(&mut lock(&bench.world).calls)
}

fn steps(record: &EventRecord) -> Vec<&str> {
    record.steps.iter().map(|step| step.name.as_str()).collect()
}

/// The record of the event of this change.
async fn change(bench: &mut Bench, name: &str, round: u64) -> EventRecord {
    bench.set("1", name, Some(round));
    bench.advance(10);
    let event = bench.event("1", Some(round));
    bench.settle(&event).await;
    bench.ledger.event(&event_id(&event)).unwrap()
}

#[tokio::test]
async fn what_stands_is_not_brought_again() {
    let mut bench = Bench::of(Words);
    let first = change(&mut bench, "Ada Lovelace", 1).await;
    assert_eq!(calls(&bench), ["create", "first", "second"]);
    assert_eq!(steps(&first), ["open", "first", "second"]);
    assert_eq!(first.steps[0].id, first.link);
    assert!(
        first
            .steps
            .iter()
            .all(|step| step.at.is_some() && step.took_ms.is_some())
    );
    let second = change(&mut bench, "Ada Byron", 2).await;
    assert_eq!(calls(&bench), ["second"]);
    assert_eq!((steps(&second), second.not_done.len()), (vec!["second"], 0));
}

/// Also a message that comes again, whose first delivery got as far as that.
#[tokio::test]
async fn a_redelivery_passes_over_what_is_recorded() {
    let mut bench = Bench::of(Words);
    change(&mut bench, "Ada Lovelace", 1).await;
    calls(&bench);
    bench.set("1", "Ada Byron", Some(2));
    bench.advance(10);
    let mut event = bench.event("1", Some(2));
    bench.ledger.fail_settles_after(1);
    assert!(!bench.deliver(std::slice::from_ref(&event)).await.is_empty());
    bench.ledger.fail_settles(false);
    event.receive_count = 2;
    assert!(bench.deliver(std::slice::from_ref(&event)).await.is_empty());
    assert_eq!(bench.record("1").status, Status::Synced);
    // Begun, and never known to be completed: brought again.
    assert_eq!(calls(&bench), ["second", "second"]);
}

#[tokio::test]
async fn a_failure_says_what_was_done_and_what_not() {
    let mut bench = Bench::of(Words);
    lock(&bench.world).fail_at = Some((2, down(), true));
    let failed = change(&mut bench, "Ada Lovelace", 1).await;
    assert_eq!(failed.status, Status::Parked);
    assert_eq!(
        (steps(&failed), &failed.not_done[..]),
        (vec!["open"], &["first".to_owned(), "second".to_owned()][..])
    );
    let error = failed.error.clone().unwrap();
    assert_eq!((error.step.as_deref(), error.status), (Some("first"), Some(500)));
    bench.advance(60);
    bench.wake().await;
    let done = bench.ledger.event(&failed.event_id).unwrap();
    assert_eq!(
        (done.status, steps(&done)),
        (Status::Synced, vec!["open", "first", "second"])
    );
    assert_eq!(calls(&bench), ["create", "first", "first", "second"]);
}

#[tokio::test]
async fn a_part_that_an_earlier_try_completed_is_told_of_again() {
    let mut bench = Bench::of(Words);
    lock(&bench.world).fail_at = Some((3, down(), true));
    let failed = change(&mut bench, "Ada Lovelace", 1).await;
    assert_eq!(
        (steps(&failed), failed.not_done.len()),
        (vec!["open", "first"], 1)
    );
    bench.advance(60);
    bench.wake().await;
    let done = bench.ledger.event(&failed.event_id).unwrap();
    assert_eq!(steps(&done), ["open", "first", "second"]);
    assert_eq!(calls(&bench), ["create", "first", "second", "second"]);
}

/// Refused for good in its middle, and mended by the next change: what was done before is neither done again nor forgotten.
#[tokio::test]
async fn what_is_mended_goes_on_where_it_failed() {
    let mut bench = Bench::of(Words);
    lock(&bench.world).fail_at = Some((3, refused(), false));
    let failed = change(&mut bench, "Ada Lovelace", 1).await;
    assert_eq!(
        (failed.status, steps(&failed)),
        (Status::Rejected, vec!["open", "first"])
    );
    assert_eq!(failed.not_done, ["second"]);
    calls(&bench);
    let mended = change(&mut bench, "Ada Byron", 2).await;
    assert_eq!((mended.status, steps(&mended)), (Status::Synced, vec!["second"]));
    assert_eq!(calls(&bench), ["second"]);
}

/// Somebody asked for everything anew; that it failed once in its middle, or joined a retry, does not take that back.
#[tokio::test]
async fn what_is_forced_stays_so_while_it_waits() {
    let mut bench = Bench::of(Words);
    change(&mut bench, "Ada Lovelace", 1).await;
    calls(&bench);
    bench.advance(10);
    let request = json!({"entity": key("1").to_string(), "force": true});
    lock(&bench.world).fail_at = Some((1, down(), false));
    let forced = bench.event_of("SyncRequested", "1", &request);
    assert_eq!(bench.settle(&forced).await, Status::Parked);
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_eq!(calls(&bench), ["first", "first", "second"]);
    // A retry that waits for its own reasons is made at once, and takes no shortcut either.
    lock(&bench.world).fail_at = Some((1, down(), false));
    let waits = change(&mut bench, "Ada Byron", 2).await;
    bench.advance(1);
    let forced = bench.event_of("SyncRequested", "1", &request);
    assert_eq!(bench.settle(&forced).await, Status::Coalesced);
    assert_eq!(bench.record("1").status, Status::Synced);
    assert_eq!(calls(&bench), ["second", "first", "second"]);
    let waited = bench.ledger.event(&waits.event_id).unwrap();
    assert_eq!((waited.status, waited.attempt), (Status::Synced, Some(2)));
}
