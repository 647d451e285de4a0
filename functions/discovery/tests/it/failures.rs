//! A failure at each step, and the message again: what was completed happened once, and the ledger names the step.

use futures::future::join_all;
use http::Method;
use rstest::rstest;
use serde_json::json;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Stand, Subject};
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_testkit::sandbox::discovery::Write;

use crate::subject::{KEY, Whole};

/// What the fake knows the step's call by, and the step; in the order of the plan.
const STEPS: [(&str, &str); 6] = [
    ("GET courses", "course"),
    ("POST courses", "course"),
    ("POST course_runs", "run r-1"),
    ("PATCH courses", "metadata"),
    ("staff", "staff r-1"),
    ("publish", "publish r-1"),
];

/// Everything is there once, whatever was asked for twice.
fn everything_once(stand: &Stand<Whole>, when: &str) {
    assert_eq!(stand.record().status, Status::Synced, "{when}");
    let discovery = &stand.sandbox.discovery;
    assert_eq!(discovery.people().len(), 2, "{when}");
    assert_eq!(discovery.courses().len(), 1, "{when}");
    assert_eq!(discovery.runs_of(KEY).len(), 2, "{when}");
    assert!(
        discovery.runs_of(KEY).iter().all(|run| !run.staff.is_empty()),
        "{when}"
    );
    assert_eq!(discovery.course(KEY).unwrap().title, "First", "{when}");
}

/// How often each step's write took effect: a creation never more than once, and a later step not at all before.
fn written(writes: &[Write]) -> [usize; 5] {
    let count = |is: &dyn Fn(&Write) -> bool| writes.iter().filter(|write| is(write)).count();
    let is =
        |write: &Write, method: Method, resource: &str| write.method == method && write.resource == resource;
    [
        count(&|write| is(write, Method::POST, "courses")),
        count(&|write| is(write, Method::POST, "course_runs")),
        count(&|write| is(write, Method::PATCH, "courses")),
        count(&|write| is(write, Method::PATCH, "course_runs") && write.fields.contains("staff")),
        count(&|write| is(write, Method::PATCH, "course_runs") && write.fields.contains("draft")),
    ]
}

async fn fails_and_recovers((call, step): (&str, &str), fault: Fault) {
    let when = format!("{fault:?} at {call}");
    let mut stand = Whole::stand().await;
    stand.sandbox.discovery.faults().always_for(call, fault);
    assert_eq!(stand.announce().await, Status::Parked, "{when}");
    let error = stand.record().parked.unwrap().error;
    assert_eq!(error.step.as_deref(), Some(step), "{when}");
    match fault {
        Fault::Status(status) => assert_eq!(error.status, Some(status), "{when}"),
        _ => assert_eq!(error.status, None, "{when}"),
    }
    let event = stand.ledger.event("e3").unwrap();
    assert_eq!(event.not_done.first().map(String::as_str), Some(step), "{when}");
    stand.sandbox.discovery.faults().clear();
    stand.redeliver().await;
    if stand.record().parked.is_some() {
        stand.wake().await;
    }
    everything_once(&stand, &when);
    let expected = [1, 2, 1, 2, 1];
    let is_repeatable = |n: usize| n >= 2;
    for (n, (times, expected)) in written(&stand.sandbox.discovery.writes())
        .into_iter()
        .zip(expected)
        .enumerate()
    {
        let is_at_fault = STEPS[n + 1].0 == call && is_repeatable(n);
        assert!(
            times == expected || (is_at_fault && times > expected),
            "{when}: {n} took effect {times} times"
        );
    }
}

#[rstest]
#[tokio::test]
async fn every_step_that_fails_is_named_and_every_other_happens_once(
    #[values(0, 1, 2, 3, 4, 5)] step: usize,
    #[values(
        Fault::Status(500),
        Fault::Status(503),
        Fault::CutConnection,
        Fault::AcceptThenCut
    )]
    fault: Fault,
) {
    fails_and_recovers(STEPS[step], fault).await;
}

/// Somebody forces a sync while the first plan waits at its end: all of it is done again that may be, and the course is still one
/// that is created.
#[tokio::test]
async fn a_first_plan_that_is_forced_to_begin_anew_makes_everything_once() {
    let mut stand = Whole::stand().await;
    let faults = stand.sandbox.discovery.faults();
    faults.always_for("publish", Fault::Status(503));
    assert_eq!(stand.announce().await, Status::Parked);
    stand.sandbox.discovery.faults().clear();
    let entity = format!("course/{}", Whole::ID);
    let forced = json!({"detail-type": "SyncRequested", "source": "desk", "detail": {"entity": entity, "force": true}});
    assert_eq!(stand.announce_with(Whole::ID, forced).await, Status::Coalesced);
    everything_once(&stand, "forced");
    assert_eq!(written(&stand.sandbox.discovery.writes()), [1, 2, 2, 4, 1]);
    let waited = stand.ledger.event("e3").unwrap();
    let steps: Vec<_> = waited.steps.iter().map(|step| step.name.as_str()).collect();
    assert!(
        steps.contains(&"course") && steps.contains(&"publish r-1"),
        "{steps:?}"
    );
}

/// Side by side, for each takes as long as a call may.
#[tokio::test]
async fn a_step_without_an_answer_is_named_and_every_other_happens_once() {
    let faults = [Fault::Timeout, Fault::AcceptThenTimeout];
    let all = faults
        .iter()
        .flat_map(|fault| STEPS.map(|step| fails_and_recovers(step, *fault)));
    join_all(all).await;
}
