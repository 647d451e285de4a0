//! Whole products: their plan, and what a change of a part of them touches.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Stand, State, Subject};
use vendorbridge_testkit::sandbox::discovery::Status as RunStatus;

use crate::states::{instructor, whole};
use crate::subject::{KEY, Lines, Whole};

const ID: &str = Whole::ID;

/// What was written since, as `METHOD resource`.
fn written(stand: &Stand<Whole>, since: usize) -> Vec<String> {
    let writes = stand.sandbox.discovery.writes();
    writes[since..]
        .iter()
        .map(|write| format!("{} {}", write.method, write.resource))
        .collect()
}

#[tokio::test]
async fn a_product_is_brought_in_order() {
    let stand = Whole::created().await;
    assert_eq!(
        written(&stand, 0),
        [
            "POST people",
            "POST people",
            "POST courses",
            "POST course_runs",
            "POST course_runs",
            "PATCH courses",
            "PATCH course_runs",
            "PATCH course_runs",
            "PATCH course_runs",
        ]
    );
    let discovery = &stand.sandbox.discovery;
    assert_eq!(discovery.unknown_properties(), BTreeSet::new());
    let course = discovery.course(KEY).unwrap();
    assert_eq!(
        (course.title.as_str(), course.video.as_deref()),
        ("First", Some("https://video.example/dm"))
    );
    assert_eq!(
        course.additional_metadata.unwrap()["external_identifier"],
        json!("12345678")
    );
    let uuids = ["acme:p-1", "acme:p-2"].map(|id| stand.instructor(id).link.unwrap());
    let runs = discovery.runs_of(KEY);
    let [first, second] = runs.as_slice() else {
        panic!("expected two runs, found {runs:?}")
    };
    assert_eq!(
        (first.external_key.as_deref(), second.external_key.as_deref()),
        (Some("acme:r-1"), Some("acme:r-2"))
    );
    assert_eq!(
        (first.staff.as_slice(), second.staff.as_slice()),
        (uuids.as_slice(), &uuids[1..])
    );
    assert_eq!(
        (first.status, second.status),
        (RunStatus::LegalReview, RunStatus::Unpublished)
    );
    assert_eq!(
        (first.min_effort, first.max_effort, first.weeks_to_complete),
        (Some(7), Some(10), Some(10))
    );
    assert_eq!(
        first.variant_id.as_deref(),
        Some("00000000-0000-4000-8000-000000000001")
    );
}

/// With every member that a line may send.
#[tokio::test]
async fn the_sample_is_brought() {
    let mut stand = Whole::stand().await;
    let discovery = stand.sandbox.discovery.clone();
    let sample: Value =
        serde_json::from_str(include_str!("../../../../events/line-state-changed.json")).unwrap();
    let state = &sample["detail"]["state"];
    discovery.add_course_type(
        state["course"]["type"].as_str().unwrap(),
        "executive-education-2u",
    );
    discovery.add_run_type(state["runs"]["2026-03"]["type"].as_str().unwrap());
    discovery.add_source(state["course"]["product_source"].as_str().unwrap());
    let id = sample["detail"]["key"].as_str().unwrap();
    assert_eq!(stand.announce_with(id, sample.clone()).await, Status::Synced);
    assert_eq!(stand.record_of(id).link.as_deref(), Some("ACME+DM"));
    assert_eq!(discovery.runs_of("ACME+DM")[0].status, RunStatus::LegalReview);
    assert_eq!(discovery.unknown_properties(), BTreeSet::new());
}

#[tokio::test]
async fn the_ledger_names_what_was_done_with_ids() {
    let stand = Whole::created().await;
    let event = stand.ledger.event("e3").unwrap();
    let steps: Vec<_> = event.steps.iter().map(|step| step.name.as_str()).collect();
    let expected = [
        "people",
        "course",
        "run r-1",
        "run r-2",
        "metadata",
        "staff r-1",
        "staff r-2",
        "publish r-1",
    ];
    assert_eq!(steps, expected);
    assert_eq!(event.steps[1].id.as_deref(), Some(KEY));
    let keys: Vec<_> = stand
        .sandbox
        .discovery
        .runs()
        .into_iter()
        .map(|run| run.key)
        .collect();
    let ids: Vec<_> = event.steps[2..4]
        .iter()
        .filter_map(|step| step.id.clone())
        .collect();
    assert_eq!(ids, keys);
}

/// Of a product whose first run is published.
#[rstest]
#[case::title("/course/title", json!("Second"), &["PATCH courses"])]
#[case::metadata("/course/metadata/external_url", json!("https://lob.example/other"), &["PATCH courses"])]
#[case::draft_run("/runs/r-2/weeks_to_complete", json!(4), &["PATCH course_runs"])]
#[case::published_run("/runs/r-1/weeks_to_complete", json!(4), &["PATCH course_runs", "PATCH course_runs"])]
#[case::staff("/runs/r-2/staff", json!(["p-1"]), &["PATCH course_runs"])]
#[case::new_run("/runs/r-3", json!({"start": "2026-09-20T00:00:00Z", "end": "2026-11-28T00:00:00Z"}), &["POST course_runs", "PATCH course_runs"])]
#[tokio::test]
async fn a_change_touches_only_what_it_is_about(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] expected: &[&str],
) {
    let mut stand = Whole::created().await;
    let run = stand.sandbox.discovery.runs().remove(0);
    assert!(stand.sandbox.discovery.finish_review(&run.key));
    let (calls, writes) = (stand.calls(), stand.sandbox.discovery.writes().len());
    let mut state = whole("1", "First");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    state.pointer_mut(parent).unwrap()[name] = value;
    assert_eq!(stand.say(ID, 2, &state).await, Status::Synced);
    assert_eq!(written(&stand, writes), expected);
    assert_eq!(
        stand.calls() - calls,
        u64::try_from(expected.len()).unwrap(),
        "no look either"
    );
}

#[tokio::test]
async fn what_is_published_shows_its_changes() {
    let mut stand = Whole::created().await;
    let discovery = stand.sandbox.discovery.clone();
    let run = discovery.runs().remove(0);
    assert!(discovery.finish_review(&run.key));
    let mut state = whole("1", "Second");
    state["runs"]["r-1"]["weeks_to_complete"] = json!(4);
    assert_eq!(stand.say(ID, 2, &state).await, Status::Synced);
    assert_eq!(discovery.official_course(KEY).unwrap().title, "Second");
    assert_eq!(
        discovery.official_run(&run.key).unwrap().weeks_to_complete,
        Some(4)
    );
}

#[tokio::test]
async fn an_instructor_of_two_courses_is_one_person() {
    let mut stand = Whole::created().await;
    stand.change(Whole::OTHER_ID, Some(State::First));
    assert_eq!(stand.announce_of(Whole::OTHER_ID).await, Status::Synced);
    let discovery = &stand.sandbox.discovery;
    assert_eq!(
        (
            discovery.people().len(),
            discovery.courses().len(),
            discovery.runs().len()
        ),
        (2, 2, 4)
    );
    let staff: BTreeSet<_> = discovery.runs().into_iter().flat_map(|run| run.staff).collect();
    assert_eq!(staff.len(), 2);
}

/// A course whose people are on their way asks nobody but the ledger.
#[tokio::test]
async fn a_course_waits_for_its_people() {
    let mut stand = Stand::<Whole>::start().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Parked);
    let parked = stand.record().parked.unwrap();
    assert_eq!(
        (parked.error.kind, parked.error.step.as_deref()),
        (ErrorKind::Waiting, Some("people"))
    );
    assert_eq!(parked.error.pointer.as_deref(), Some("/runs/r-1/staff/0"));
    let wait = parked.wake_at.duration_since(stand.now()).as_secs();
    assert!((15..60).contains(&wait), "{wait} s");
    assert_eq!(stand.calls(), 0);
    let event = stand.ledger.event("e1").unwrap();
    assert_eq!(event.not_done.first().map(String::as_str), Some("people"));
    assert_eq!(event.not_done.len(), 8);
    for (id, given_name) in [("p-1", "Ada"), ("p-2", "Byron")] {
        let state = instructor(id, given_name, "Professor");
        stand.say_of_instructor(&format!("acme:{id}"), 1, &state).await;
    }
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
}

#[tokio::test]
async fn an_instructor_who_was_refused_is_named_where_the_course_has_them() {
    let mut stand = Stand::<Whole>::start().await;
    stand
        .say_of_instructor("acme:p-1", 1, &instructor("p-1", "Ada", "Professor"))
        .await;
    assert_eq!(
        stand
            .say_of_instructor("acme:p-2", 1, &instructor("p-2", " ", "Professor"))
            .await,
        Status::Rejected
    );
    let calls = stand.calls();
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(
        (error.code.as_deref(), error.step.as_deref()),
        (Some("instructor-rejected"), Some("people"))
    );
    assert_eq!(error.pointer.as_deref(), Some("/runs/r-1/staff/1"));
    assert_eq!(stand.calls(), calls);
}

/// Who has a link is good enough, whatever becomes of the update.
#[tokio::test]
async fn an_instructor_whose_update_was_refused_is_there() {
    let mut stand = Whole::stand().await;
    assert_eq!(
        stand
            .say_of_instructor("acme:p-2", 2, &instructor("p-2", " ", "Professor"))
            .await,
        Status::Rejected
    );
    assert_eq!(stand.announce().await, Status::Synced);
}
