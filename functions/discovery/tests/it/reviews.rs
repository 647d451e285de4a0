//! Runs in review: course-discovery takes no changes of them.

use serde_json::json;
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Stand, Subject};
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_testkit::sandbox::discovery::Status as RunStatus;

use crate::states::whole;
use crate::subject::{Lines, Whole};

const ID: &str = Whole::ID;

/// A product in review whose line changed its title and a run.
async fn changed_in_review() -> Stand<Whole> {
    let mut stand = Whole::created().await;
    let mut state = whole("1", "Second");
    state["runs"]["r-1"]["weeks_to_complete"] = json!(4);
    assert_eq!(stand.say(ID, 2, &state).await, Status::Parked);
    stand
}

#[tokio::test]
async fn a_run_in_review_waits_alone() {
    let stand = changed_in_review().await;
    let parked = stand.record().parked.unwrap();
    assert_eq!(
        (parked.error.kind, parked.error.step.as_deref()),
        (ErrorKind::Refused, Some("staff r-1"))
    );
    assert_eq!(
        (parked.error.code.as_deref(), parked.error.status),
        (Some("in-review"), Some(403))
    );
    let wait = parked.wake_at.duration_since(stand.now()).as_secs();
    assert!((3600..4000).contains(&wait), "{wait} s");
    let circuit = stand.ledger.vendor().and_then(|vendor| vendor.circuit);
    assert_eq!(circuit, None, "the vendor is well");
    assert_eq!(
        stand.sandbox.discovery.courses()[0].title,
        "Second",
        "the course itself is up to date"
    );
}

#[tokio::test]
async fn after_the_review_the_change_is_made_and_shown() {
    let mut stand = changed_in_review().await;
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Parked, "still in review");
    let run = stand.sandbox.discovery.runs().remove(0);
    assert!(stand.sandbox.discovery.finish_review(&run.key));
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    let run = stand.sandbox.discovery.official_run(&run.key).unwrap();
    assert_eq!(
        (run.status, run.weeks_to_complete),
        (RunStatus::Published, Some(4))
    );
}

/// The call that sent it to review got through unnoticed.
#[tokio::test]
async fn a_run_that_is_in_review_already_is_published() {
    let mut stand = Whole::stand().await;
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("publish", Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    assert_eq!(
        stand.record().parked.unwrap().error.step.as_deref(),
        Some("publish r-1")
    );
    stand.sandbox.discovery.faults().clear();
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(stand.sandbox.discovery.runs()[0].status, RunStatus::LegalReview);
}

/// A change makes a run that waits for its day a draft again: it would never be seen.
#[tokio::test]
async fn a_run_that_was_reviewed_is_sent_to_review_again() {
    let mut stand = Whole::created().await;
    let discovery = stand.sandbox.discovery.clone();
    let run = discovery.runs().remove(0);
    assert!(discovery.set_status(&run.key, RunStatus::Reviewed));
    discovery.faults().always_for(&run.key, Fault::Status(500));
    let state = whole("1", "Second");
    assert_eq!(stand.say(ID, 2, &state).await, Status::Parked);
    discovery.faults().clear();
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(discovery.run(&run.key).unwrap().status, RunStatus::LegalReview);
    assert_eq!(
        discovery.runs()[1].status,
        RunStatus::Unpublished,
        "nobody asked for that one"
    );
}

/// The same status without a review is a refused credential, and shuts the vendor.
#[tokio::test]
async fn a_403_that_is_no_review_is_a_refused_credential() {
    let mut stand = Whole::stand().await;
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("staff", Fault::Status(403));
    assert_eq!(stand.announce().await, Status::Parked);
    let error = stand.record().parked.unwrap().error;
    assert_eq!(
        (error.kind, error.step.as_deref()),
        (ErrorKind::Deauthorized, Some("staff r-1"))
    );
    assert!(stand.ledger.vendor().unwrap().circuit.is_some());
}
