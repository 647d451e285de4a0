use rstest::rstest;
use serde_json::json;

use super::super::{CANONICAL, LineTerms, Shapes};
use super::*;

fn change(event: &str, data: &Value) -> Change {
    let organizations = [
        ("ACME".to_owned(), "ACME".to_owned()),
        ("B".to_owned(), "BETA".to_owned()),
    ]
    .into();
    let line = LineTerms {
        name: "acme".to_owned(),
        organizations,
    };
    let shape = Shapes::shipped().unwrap().get(CANONICAL).unwrap();
    let mut changes = shape.read(event, &line, data).unwrap();
    changes.pop().unwrap()
}

/// A course with one run.
fn course() -> Value {
    json!({
        "line": "acme", "id": "1",
        "course": { "number": "DM", "organization": "ACME", "title": "Marketing", "faq": "?", "metadata": metadata() },
        "runs": { "r-1": { "start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z", "min_effort": 7, "max_effort": 10, "staff": ["p-1"] } },
    })
}

fn instructor() -> Value {
    json!({ "line": "acme", "id": "p-1", "given_name": "Ada", "position": { "title": "Dean", "organization": "ACME" }, "bio": "…" })
}

/// All that must come together, and more.
fn metadata() -> Value {
    json!({
        "organic_url": "https://a.example", "external_url": "https://e.example", "variant_id": "x", "facts": [], "certificate_info": {},
        "start_date": "2026-03-20T00:00:00Z", "end_date": "2026-05-28T00:00:00Z", "registration_deadline": "2026-03-15T00:00:00Z",
    })
}

#[test]
fn metadata_comes_together() {
    let data = json!({ "id": "1", "metadata": { "facts": null, "variant_id": null } });
    let violations = merge(Some(course()), &change("course.updated", &data)).unwrap_err();
    let pointers: Vec<_> = violations
        .iter()
        .map(|violation| violation.pointer.as_str())
        .collect();
    assert_eq!(pointers, ["/metadata/facts", "/metadata/variant_id"]);
    // Of what another event brought nothing is told.
    let mut broken = course();
    broken["course"]["metadata"] = json!({});
    let title = json!({ "id": "1", "title": "T" });
    assert!(merge(Some(broken), &change("course.updated", &title)).is_ok());
}

#[test]
fn what_is_absent_stays_and_what_is_null_is_cleared() {
    let data = json!({ "id": "1", "title": "Strategy", "faq": null, "metadata": { "external_url": null, "organic_url": "https://b.example" } });
    let after = merge(Some(course()), &change("course.updated", &data)).unwrap();
    let mut expected = course();
    let mut changed = metadata();
    changed["external_url"] = Value::Null;
    changed["organic_url"] = json!("https://b.example");
    expected["course"] = json!({ "number": "DM", "organization": "ACME", "title": "Strategy", "faq": null, "metadata": changed });
    assert_eq!(after, expected);
}

#[test]
fn a_new_course_keeps_what_is_to_be_cleared() {
    let data = json!({ "id": "1", "number": "DM", "organization": "B", "title": "T", "faq": null });
    let after = merge(None, &change("course.created", &data)).unwrap();
    let course = json!({ "number": "DM", "organization": "BETA", "title": "T", "faq": null });
    assert_eq!(after, json!({ "line": "acme", "id": "1", "course": course }));
}

#[test]
fn a_run_joins_those_that_are_there() {
    let data =
        json!({ "id": "r-2", "course": "1", "start": "2027-03-20T00:00:00Z", "end": "2027-05-28T00:00:00Z" });
    let after = merge(Some(course()), &change("course-run.created", &data)).unwrap();
    let runs: Vec<_> = after["runs"].as_object().unwrap().keys().collect();
    assert_eq!(runs, ["r-1", "r-2"]);
}

#[rstest]
#[case::unknown_course("course.updated", json!({ "id": "1" }), None, "/id", "a known course: one that was created before", "an unknown one")]
#[case::unknown_person("instructor.updated", json!({ "id": "p-1" }), None, "/id", "a known instructor: one that was created before", "an unknown one")]
#[case::run_of_unknown_course(
    "course-run.created", json!({ "id": "r-1", "course": "1", "start": "2026-03-20T00:00:00Z", "end": "2026-03-20T00:00:00Z" }), None,
    "/course", "a known course: one that was created before", "an unknown one"
)]
#[case::unknown_run(
    "course-run.updated", json!({ "id": "r-2", "course": "1", "start": "2026-03-20T00:00:00Z", "end": "2026-03-20T00:00:00Z" }), Some(course()),
    "/id", "a known run of this course: one that was created before", "an unknown one"
)]
#[case::number(
    "course.updated", json!({ "id": "1", "number": "DM2" }), Some(course()),
    "/number", "the `number` that the course was created with: it is a part of its key", "another one"
)]
#[case::organization(
    "course.created", json!({ "id": "1", "number": "DM", "organization": "B", "title": "T" }), Some(course()),
    "/organization", "the `organization` that the course was created with: it is a part of its key", "another one"
)]
#[case::end_before_start(
    "course-run.updated", json!({ "id": "r-1", "course": "1", "end": "2026-03-19T23:59:59Z" }), Some(course()),
    "/end", "an end that is not before the start", "one before it"
)]
#[case::start_after_end(
    "course-run.updated", json!({ "id": "r-1", "course": "1", "start": "2027-03-19T23:59:59Z" }), Some(course()),
    "/start", "a start that is not after the end", "one after it"
)]
#[case::effort(
    "course-run.updated", json!({ "id": "r-1", "course": "1", "max_effort": 7 }), Some(course()),
    "/max_effort", "more hours than the least effort has", "not more"
)]
#[case::least_effort(
    "course-run.updated", json!({ "id": "r-1", "course": "1", "min_effort": 10 }), Some(course()),
    "/min_effort", "fewer hours than the most effort has", "not fewer"
)]
#[case::effort_without_most(
    "course-run.updated", json!({ "id": "r-1", "course": "1", "max_effort": null }), Some(course()),
    "/max_effort", "the most effort, as there is a least one", "nothing"
)]
fn what_cannot_be_is_told(
    #[case] event: &str,
    #[case] data: Value,
    #[case] state: Option<Value>,
    #[case] pointer: &str,
    #[case] expected: &str,
    #[case] found: &str,
) {
    let violations = merge(state, &change(event, &data)).unwrap_err();
    assert_eq!(violations, [Violation::new(pointer, expected, found)]);
}

#[test]
fn the_same_key_may_be_sent_again() {
    let data = json!({ "id": "1", "number": "DM", "organization": "ACME", "title": "T" });
    let after = merge(Some(course()), &change("course.created", &data)).unwrap();
    assert_eq!(after["course"]["title"], "T");
    assert_eq!(after["runs"], course()["runs"]);
}

#[test]
fn a_person_keeps_what_it_needs() {
    let data = json!({ "id": "p-1", "position": { "title": "Professor" }, "bio": null });
    let after = merge(Some(instructor()), &change("instructor.updated", &data)).unwrap();
    assert_eq!(
        after["position"],
        json!({ "title": "Professor", "organization": "ACME" })
    );
    assert_eq!(after["bio"], Value::Null);
    let mut broken = instructor();
    broken["position"] = json!({});
    let violations = merge(Some(broken), &change("instructor.updated", &data)).unwrap_err();
    assert_eq!(
        violations,
        [Violation::new(
            "/position/organization",
            "`organization`",
            "nothing"
        )]
    );
}

/// A mapping can make null of what is needed: the schema of its shape lets it through, the state does not.
#[test]
fn what_is_needed_cannot_be_cleared() {
    let mut clears = change("course.updated", &json!({ "id": "1" }));
    clears.patch = json!({ "course": { "title": null } });
    let violations = merge(Some(course()), &clears).unwrap_err();
    assert_eq!(violations, [Violation::new("", "`title`", "nothing")]);
}

fn with_runs(count: usize) -> Value {
    let run = course()["runs"]["r-1"].clone();
    let runs: Map<_, _> = (0..count).map(|at| (format!("r-{at}"), run.clone())).collect();
    let mut state = course();
    state["runs"] = Value::Object(runs);
    state
}

#[rstest]
#[case(MAX_RUNS - 1, true)]
#[case(MAX_RUNS, false)]
fn runs_are_limited(#[case] before: usize, #[case] is_right: bool) {
    let data =
        json!({ "id": "new", "course": "1", "start": "2026-03-20T00:00:00Z", "end": "2026-03-20T00:00:00Z" });
    let merged = merge(Some(with_runs(before)), &change("course-run.created", &data));
    assert_eq!(merged.is_ok(), is_right);
    for violation in merged.err().into_iter().flatten() {
        assert_eq!(
            (violation.pointer.as_str(), violation.found.as_str()),
            ("/id", "51")
        );
    }
}

#[test]
fn a_state_is_limited() {
    let long = "x".repeat(50_000);
    let data =
        json!({ "id": "1", "faq": long, "outcome": long, "syllabus_raw": long, "full_description": long });
    assert!(merge(Some(course()), &change("course.updated", &data)).is_ok());
    let data = json!({ "id": "1", "faq": long, "outcome": long, "syllabus_raw": long, "full_description": long, "short_description": long });
    let violations = merge(Some(course()), &change("course.updated", &data)).unwrap_err();
    assert_eq!(violations.len(), 1);
    assert_eq!(
        violations[0].expected,
        "data that leaves the course at most 204800 bytes of JSON"
    );
}
