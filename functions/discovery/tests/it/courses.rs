//! Courses with a run: the suite, and what it does not ask.

use serde_json::{Value, json};
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Stand, State};
use vendorbridge_testkit::sandbox::Fault;

use crate::states::plain;
use crate::subject::{KEY, Lines, Plain};

// Nothing is deleted, a repeat passes over what stands there, and the same revision once more is covered: see below.
vendorbridge_testkit::conformance!(@tests Plain:
    create, update, rate_limited, deauthorized, unknown_outcome, never_sent, too_large);

const ID: &str = "acme:1";

async fn created() -> Stand<Plain> {
    let mut stand = Stand::start().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    stand
}

fn forced() -> Value {
    json!({"detail-type": "SyncRequested", "source": "desk", "detail": {"entity": format!("course/{ID}"), "force": true}})
}

#[tokio::test]
async fn a_course_is_known_by_its_key_and_a_run_by_the_lines_id() {
    let stand = created().await;
    assert_eq!(stand.record().link.as_deref(), Some(KEY));
    let run = stand.sandbox.discovery.runs().remove(0);
    assert_eq!(
        (run.course.as_str(), run.external_key.as_deref()),
        (KEY, Some("acme:r-1"))
    );
}

#[tokio::test]
async fn what_did_not_change_is_not_pushed() {
    let mut stand = created().await;
    let calls = stand.calls();
    assert_eq!(stand.say(ID, 2, &plain("1", "First")).await, Status::Unchanged);
    assert_eq!(stand.announce().await, Status::Covered);
    assert_eq!(stand.calls(), calls);
}

#[tokio::test]
async fn a_repeat_creates_nothing_and_a_forced_sync_writes_everything_again() {
    let mut stand = created().await;
    let writes = stand.sandbox.discovery.writes().len();
    stand.redeliver().await;
    assert_eq!((stand.record().status, stand.records()), (Status::Synced, 1));
    assert_eq!(
        stand.sandbox.discovery.writes().len(),
        writes,
        "every part is known to stand there"
    );
    assert_eq!(stand.announce_with(ID, forced()).await, Status::Synced);
    assert_eq!(
        stand.sandbox.discovery.writes().len(),
        writes + 2,
        "the course's texts, the run's"
    );
    assert_eq!(stand.records(), 1);
}

/// Another number would be another course.
#[tokio::test]
async fn a_course_keeps_its_key() {
    let mut stand = created().await;
    let mut other = plain("1", "First");
    other["course"]["number"] = json!("OTHER");
    assert_eq!(stand.say(ID, 2, &other).await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(
        (error.code.as_deref(), error.pointer.as_deref()),
        (Some("key-is-fixed"), Some("/course/number"))
    );
    assert_eq!(stand.records(), 1);
    assert_eq!(stand.say(ID, 3, &plain("1", "Second")).await, Status::Synced);
}

#[tokio::test]
async fn a_number_that_changed_while_its_creation_was_in_doubt_makes_no_second_course() {
    let mut stand = Stand::<Plain>::start().await;
    stand.set(State::First);
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("POST courses", Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    stand.sandbox.discovery.faults().clear();
    let mut other = plain("1", "First");
    other["course"]["number"] = json!("OTHER");
    assert_eq!(stand.say(ID, 2, &other).await, Status::Coalesced);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Rejected);
    assert_eq!(
        stand.record().error.unwrap().code.as_deref(),
        Some("key-is-fixed")
    );
    assert_eq!(stand.records(), 1);
}

/// A look that misses what is there, and the refusal that it leads to.
#[tokio::test]
async fn a_course_that_is_refused_for_being_there_is_there() {
    let mut stand = Stand::<Plain>::start().await;
    stand.set(State::First);
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("POST courses", Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    stand.sandbox.discovery.faults().clear();
    // A token has run out by then.
    stand.sandbox.discovery.faults().at(2, Fault::Status(404));
    stand.wake().await;
    assert_eq!((stand.record().status, stand.records()), (Status::Synced, 1));
    assert_eq!(stand.sandbox.discovery.calls_for("POST courses"), 2);
}

#[tokio::test]
async fn what_the_vendor_refuses_is_refused_in_its_words_at_our_field() {
    let mut stand = Stand::<Plain>::start().await;
    let mut state = plain("1", "First");
    state["runs"]["r-1"]["end"] = json!("2025-01-01T00:00:00Z");
    assert_eq!(stand.say(ID, 1, &state).await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(
        (error.step.as_deref(), error.status),
        (Some("run r-1"), Some(400))
    );
    assert_eq!(error.pointer.as_deref(), Some("/runs/r-1/start"));
    assert_eq!(error.message, "Start date cannot be after the End date");
    let mut state = plain("2", "First");
    state["course"]["organization"] = json!("NOPE");
    assert_eq!(stand.say("acme:2", 1, &state).await, Status::Rejected);
    let error = stand.record_of("acme:2").error.unwrap();
    assert_eq!((error.step.as_deref(), error.status), (Some("course"), Some(400)));
    assert!(
        error.message.contains("Organization [NOPE] does not exist."),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn courses_are_not_deleted_and_the_ledger_says_what_to_do() {
    let mut stand = created().await;
    stand.remove();
    assert_eq!(stand.announce_with(ID, forced()).await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Refused, Some("not-deletable"))
    );
    assert_eq!(stand.record().link.as_deref(), Some(KEY));
}

#[tokio::test]
async fn a_token_that_has_run_out_is_renewed() {
    let mut stand = created().await;
    stand.sandbox.discovery.expire_tokens();
    stand.set(State::Second);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.sandbox.discovery.tokens_issued(), 2);
}
