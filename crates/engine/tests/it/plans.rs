//! Ordered plans: each step once per payload, checkpointed, and undone where it must not stay half-done.

use serde_json::json;
use vendorbridge::ledger::Status;
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::bench::{Bench, lock};
use crate::vendors::Plan;

fn down() -> Error {
    Error::retry(ErrorKind::Unavailable, Stage::Push, "down")
}

fn refused() -> Error {
    Error::permanent(ErrorKind::Refused, Stage::Push, "no such price").code("E7")
}

fn calls(bench: &Bench) -> Vec<String> {
    std::mem::take(&mut lock(&bench.world).calls)
}

/// Fails the `n`-th call from now, counted from 1.
fn fail_call(bench: &Bench, n: usize, error: Error, happens: bool) {
    let mut world = lock(&bench.world);
    world.fail_at = Some((world.calls.len() + n, error, happens));
}

async fn first(bench: &mut Bench) -> Status {
    bench.set("1", "Ada", None);
    bench.advance(10);
    let event = bench.event("1", None);
    bench.settle(&event).await
}

#[tokio::test]
async fn all_steps_run_in_order() {
    let mut bench = Bench::of(Plan);
    assert_eq!(first(&mut bench).await, Status::Synced);
    assert_eq!(calls(&bench), ["create", "rename", "price", "publish"]);
    assert_eq!(bench.record("1").steps, None);
}

#[tokio::test]
async fn a_failure_names_its_step_and_completed_ones_are_not_repeated() {
    let mut bench = Bench::of(Plan);
    fail_call(&bench, 3, down(), false);
    assert_eq!(first(&mut bench).await, Status::Parked);
    let record = bench.record("1");
    assert_eq!(record.parked.unwrap().error.step.as_deref(), Some("price"));
    let steps = record.steps.unwrap();
    let done: Vec<_> = steps.done.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(done, ["create", "rename"]);
    assert!(
        steps.begun.is_empty(),
        "it certainly did not happen: {:?}",
        steps.begun
    );
    bench.advance(60);
    bench.wake().await;
    assert_eq!(calls(&bench), ["create", "rename", "price", "price", "publish"]);
    assert_eq!(bench.record("1").status, Status::Synced);
}

#[tokio::test]
async fn broken_after_every_step_and_delivered_again_leaves_one_record() {
    // Each write of the ledger fails in turn: the reservation, every checkpoint, the settle.
    for write in 0..5 {
        let mut bench = Bench::of(Plan);
        bench.set("1", "Ada", None);
        let mut event = bench.event("1", None);
        bench.ledger.fail_settles_after(write);
        bench.gives_back(&event).await;
        bench.ledger.fail_settles(false);
        event.receive_count = 2;
        bench.advance(200);
        assert_eq!(bench.settle(&event).await, Status::Synced, "after write {write}");
        let world = lock(&bench.world);
        assert_eq!(world.rows.len(), 1, "after write {write}: {:?}", world.calls);
        assert_eq!(world.rows[0].extra.as_deref(), Some("Ada"));
    }
}

#[tokio::test]
async fn a_changed_payload_starts_anew_on_the_same_record() {
    let mut bench = Bench::of(Plan);
    fail_call(&bench, 4, down(), false);
    assert_eq!(first(&mut bench).await, Status::Parked);
    bench.set("1", "Bob", None);
    bench.advance(60);
    bench.wake().await;
    assert_eq!(
        calls(&bench),
        [
            "create", "rename", "price", "publish", "rename", "price", "publish"
        ]
    );
    let world = lock(&bench.world);
    assert_eq!((world.rows.len(), world.rows[0].title.as_str()), (1, "Bob"));
}

/// Somebody who forces a sync believes nothing of what was done, but makes no second record.
#[tokio::test]
async fn a_forced_sync_starts_a_plan_anew_that_waits() {
    let mut bench = Bench::of(Plan);
    fail_call(&bench, 4, down(), false);
    assert_eq!(first(&mut bench).await, Status::Parked);
    assert_eq!(calls(&bench), ["create", "rename", "price", "publish"]);
    lock(&bench.world).rows[0].title = "changed by hand".into();
    bench.advance(1);
    let request = json!({"entity": "person/1", "force": true});
    let forced = bench.event_of("SyncRequested", "1", &request);
    assert_eq!(bench.settle(&forced).await, Status::Coalesced);
    assert_eq!(calls(&bench), ["rename", "price", "publish"]);
    assert_eq!(bench.record("1").status, Status::Synced);
    let world = lock(&bench.world);
    assert_eq!((world.rows.len(), world.rows[0].title.as_str()), (1, "Ada"));
}

/// What a plan created before it was forced to begin anew is undone with it.
#[tokio::test]
async fn a_plan_that_began_anew_and_is_refused_is_undone_whole() {
    let mut bench = Bench::of(Plan);
    fail_call(&bench, 3, down(), false);
    assert_eq!(first(&mut bench).await, Status::Parked);
    bench.advance(1);
    fail_call(&bench, 2, refused(), false);
    let forced = bench.event_of(
        "SyncRequested",
        "1",
        &json!({"entity": "person/1", "force": true}),
    );
    bench.settle(&forced).await;
    assert_eq!(bench.record("1").status, Status::Rejected);
    let expected = ["create", "rename", "price", "rename", "price", "delete"];
    assert_eq!(calls(&bench), expected);
    assert!(lock(&bench.world).rows.is_empty());
}

/// Else a plan that takes longer than a process lives would never end.
#[tokio::test]
async fn a_forced_sync_that_is_delivered_again_goes_on_where_it_was() {
    let mut bench = Bench::of(Plan);
    assert_eq!(first(&mut bench).await, Status::Synced);
    bench.advance(10);
    calls(&bench);
    let mut forced = bench.event_of(
        "SyncRequested",
        "1",
        &json!({"entity": "person/1", "force": true}),
    );
    // The steps' beginnings are written, the settle is not.
    bench.ledger.fail_settles_after(3);
    bench.gives_back(&forced).await;
    bench.ledger.fail_settles(false);
    assert_eq!(calls(&bench), ["rename", "price", "publish"]);
    forced.receive_count = 2;
    bench.advance(200);
    assert_eq!(bench.settle(&forced).await, Status::Synced);
    assert_eq!(calls(&bench), ["publish"]);
    // Whoever forces it once more means all of it.
    bench.advance(10);
    let forced = bench.event_of(
        "SyncRequested",
        "1",
        &json!({"entity": "person/1", "force": true}),
    );
    assert_eq!(bench.settle(&forced).await, Status::Synced);
    assert_eq!(calls(&bench), ["rename", "price", "publish"]);
}

#[tokio::test]
async fn a_plan_that_fails_for_good_is_undone() {
    let mut bench = Bench::of(Plan);
    fail_call(&bench, 3, refused(), false);
    assert_eq!(first(&mut bench).await, Status::Rejected);
    assert_eq!(calls(&bench), ["create", "rename", "price", "delete"]);
    let record = bench.record("1");
    let error = record.error.unwrap();
    assert_eq!(
        (error.step.as_deref(), error.code.as_deref()),
        (Some("price"), Some("E7"))
    );
    assert_eq!((record.link, record.steps), (None, None));
    assert!(lock(&bench.world).rows.is_empty());
    // A later notification tries afresh.
    assert_eq!(first(&mut bench).await, Status::Synced);
    assert_eq!(lock(&bench.world).rows.len(), 1);
}

#[tokio::test]
async fn an_undo_that_fails_is_tried_again_before_anything_else() {
    let mut bench = Bench::of(Plan);
    lock(&bench.world).fail_next_delete = Some(down());
    fail_call(&bench, 3, refused(), false);
    assert_eq!(first(&mut bench).await, Status::Parked);
    let steps = bench.record("1").steps.unwrap();
    assert_eq!(steps.undoing.unwrap().code.as_deref(), Some("E7"));
    bench.advance(60);
    bench.wake().await;
    let record = bench.record("1");
    assert_eq!(record.status, Status::Rejected);
    assert_eq!(record.error.unwrap().code.as_deref(), Some("E7"));
    assert!(lock(&bench.world).rows.is_empty());
    assert_eq!(calls(&bench), ["create", "rename", "price", "delete", "delete"]);
}

#[tokio::test]
async fn an_update_that_fails_for_good_deletes_nothing() {
    let mut bench = Bench::of(Plan);
    assert_eq!(first(&mut bench).await, Status::Synced);
    calls(&bench);
    bench.set("1", "Bob", None);
    bench.advance(10);
    fail_call(&bench, 2, refused(), false);
    let event = bench.event("1", None);
    assert_eq!(bench.settle(&event).await, Status::Rejected);
    assert_eq!(calls(&bench), ["rename", "price"]);
    assert_eq!(lock(&bench.world).rows.len(), 1);
    assert!(bench.record("1").link.is_some());
}

#[tokio::test]
async fn a_step_of_unknown_outcome_is_not_taken_for_undone() {
    let mut bench = Bench::of(Plan);
    let lost = Error::new(
        ErrorKind::Timeout,
        Verdict::Unknown,
        Stage::Push,
        "no answer in time",
    );
    fail_call(&bench, 1, lost, true);
    assert_eq!(first(&mut bench).await, Status::Parked);
    bench.advance(200);
    bench.wake().await;
    assert_eq!(calls(&bench), ["create", "find", "rename", "price", "publish"]);
    assert_eq!(lock(&bench.world).rows.len(), 1);
}

/// A new plan's first steps must not make the engine forget that a later one may have happened.
#[tokio::test]
async fn a_step_that_may_have_happened_is_a_repeat_for_another_payload_too() {
    let mut bench = Bench::of(Plan);
    let lost = Error::new(
        ErrorKind::Timeout,
        Verdict::Unknown,
        Stage::Push,
        "no answer in time",
    );
    fail_call(&bench, 4, lost, true);
    assert_eq!(first(&mut bench).await, Status::Parked);
    assert_eq!(bench.record("1").steps.unwrap().begun, ["publish"]);
    bench.set("1", "Bob", None);
    fail_call(&bench, 2, down(), false);
    bench.advance(60);
    bench.wake().await;
    let steps = bench.record("1").steps.unwrap();
    assert_eq!(steps.begun, ["publish"]);
    let earlier: Vec<_> = steps.earlier.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(earlier, ["price"], "what this plan has not done yet");
}

#[tokio::test]
async fn what_an_earlier_payload_created_is_undone_too() {
    let mut bench = Bench::of(Plan);
    fail_call(&bench, 4, down(), false);
    assert_eq!(first(&mut bench).await, Status::Parked);
    bench.set("1", "Bob", None);
    // The link is known, so the new plan begins on the same record; its second step is refused for good.
    fail_call(&bench, 1, refused(), false);
    bench.advance(60);
    bench.wake().await;
    assert_eq!(bench.record("1").status, Status::Rejected);
    assert!(lock(&bench.world).rows.is_empty(), "{:?}", calls(&bench));
}

#[tokio::test]
async fn a_live_entity_is_not_new_after_its_update_was_undone() {
    let mut bench = Bench::of(Plan);
    assert_eq!(first(&mut bench).await, Status::Synced);
    for name in ["Bob", "Cid"] {
        bench.set("1", name, None);
        bench.advance(10);
        fail_call(&bench, 2, refused(), false);
        let event = bench.event("1", None);
        assert_eq!(bench.settle(&event).await, Status::Rejected);
    }
    assert_eq!(lock(&bench.world).rows.len(), 1);
}
