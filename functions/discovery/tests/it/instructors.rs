//! Instructors → people: the suite, and what it does not ask.

use serde_json::json;
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Stand, State, Subject};
use vendorbridge_testkit::sandbox::Fault;

use crate::states::instructor;
use crate::subject::{Instructors, Lines};

// Nothing is deleted, and the same revision once more is covered, not unchanged: see below.
vendorbridge_testkit::conformance!(@tests Instructors:
    create, update, repeat, rate_limited, deauthorized, unknown_outcome, never_sent, too_large);

const ID: &str = Instructors::ID;
const OTHER_ID: &str = Instructors::OTHER_ID;

async fn start() -> Stand<Instructors> {
    Stand::start().await
}

/// The one that was created is the one that is linked.
fn one_each(stand: &Stand<Instructors>, ids: &[&str]) {
    let linked: Vec<_> = ids.iter().map(|id| stand.record_of(id).link.unwrap()).collect();
    let mut people: Vec<_> = stand
        .sandbox
        .discovery
        .people()
        .into_iter()
        .map(|person| person.uuid)
        .collect();
    people.sort();
    let mut sorted = linked.clone();
    sorted.sort();
    assert_eq!(sorted, people);
}

#[tokio::test]
async fn what_did_not_change_is_not_pushed() {
    let mut stand = start().await;
    stand.say(ID, 1, &instructor("p-1", "Ada", "Professor")).await;
    let calls = stand.calls();
    let mut same = instructor("p-1", "Ada", " Professor ");
    same["email"] = json!("ada@lovelace.example");
    assert_eq!(stand.say(ID, 2, &same).await, Status::Unchanged);
    assert_eq!(stand.calls(), calls);
}

#[tokio::test]
async fn a_person_has_everything_that_the_line_said() {
    let mut stand = start().await;
    let mut ada = instructor("p-1", "Ada", "Professor");
    ada["bio"] = json!("First.");
    ada["major_works"] = json!("Notes");
    ada["urls"] = json!([{"type": "blog", "title": "Blog", "url": "https://ada.example"}]);
    ada["areas_of_expertise"] = json!(["Engines"]);
    assert_eq!(stand.say(ID, 1, &ada).await, Status::Synced);
    let person = stand.sandbox.discovery.people().remove(0);
    assert_eq!(
        (person.name().as_str(), person.bio.as_deref()),
        ("Ada Lovelace", Some("First."))
    );
    assert_eq!((person.urls.len(), person.areas_of_expertise.len()), (1, 1));
    assert_eq!(person.position.organization.as_deref(), Some("ACME"));
    assert_eq!(stand.sandbox.discovery.unknown_properties().len(), 0);
    let writes = stand.sandbox.discovery.writes();
    assert_eq!(
        writes.len(),
        1,
        "what is created is not updated at once: {writes:?}"
    );
}

#[tokio::test]
async fn an_update_keeps_the_ids_of_lists_and_what_the_line_never_said() {
    let mut stand = start().await;
    let mut ada = instructor("p-1", "Ada", "Professor");
    ada["urls"] = json!([{"type": "blog", "title": "Blog", "url": "https://ada.example"}]);
    ada["areas_of_expertise"] = json!(["Engines", "Poetry"]);
    stand.say(ID, 1, &ada).await;
    let before = stand.sandbox.discovery.people().remove(0);
    let mut less = instructor("p-1", "Ada", "Countess");
    less["areas_of_expertise"] = json!(["Poetry"]);
    assert_eq!(stand.say(ID, 2, &less).await, Status::Synced);
    let after = stand.sandbox.discovery.people().remove(0);
    assert_eq!(after.position.title, "Countess");
    assert_eq!(after.urls, before.urls, "left alone");
    assert_eq!(after.areas_of_expertise, before.areas_of_expertise[1..]);
    one_each(&stand, &[ID]);
}

#[tokio::test]
async fn namesakes_are_two_people_also_when_an_answer_is_lost() {
    let mut stand = start().await;
    let ada = instructor("p-1", "Ada", "Professor");
    assert_eq!(stand.say(ID, 1, &ada).await, Status::Synced);
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("POST people", Fault::AcceptThenCut);
    assert_eq!(stand.say(OTHER_ID, 1, &ada).await, Status::Parked);
    stand.sandbox.discovery.faults().clear();
    let error = stand.record_of(OTHER_ID).parked.unwrap().error;
    assert_eq!(
        (error.kind, error.step.as_deref()),
        (ErrorKind::Unavailable, Some("person"))
    );
    stand.wake_of(OTHER_ID).await;
    assert_eq!(stand.record_of(OTHER_ID).status, Status::Synced);
    assert_eq!(stand.records(), 2);
    one_each(&stand, &[ID, OTHER_ID]);
}

#[tokio::test]
async fn a_name_whose_slug_is_not_certain_is_looked_for_among_all() {
    let mut stand = start().await;
    for n in 0..60 {
        let other = instructor("p", &format!("Other{n}"), "Professor");
        assert_eq!(stand.say(&format!("acme:o-{n}"), 1, &other).await, Status::Synced);
    }
    let soren = instructor("p-1", "Søren", "Professor");
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("POST people", Fault::AcceptThenCut);
    assert_eq!(stand.say(ID, 1, &soren).await, Status::Parked);
    stand.sandbox.discovery.faults().clear();
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(stand.sandbox.discovery.how_many_people_named("Søren Lovelace"), 1);
}

/// The creation in doubt was about another name than the line has by now.
#[tokio::test]
async fn a_person_in_doubt_is_found_under_the_name_it_was_created_with() {
    let mut stand = start().await;
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("POST people", Fault::AcceptThenCut);
    assert_eq!(
        stand.say(ID, 1, &instructor("p-1", "Ada", "Professor")).await,
        Status::Parked
    );
    stand.sandbox.discovery.faults().clear();
    assert_eq!(
        stand.say(ID, 2, &instructor("p-1", "Augusta", "Countess")).await,
        Status::Coalesced
    );
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    let people = stand.sandbox.discovery.people();
    assert_eq!(people.len(), 1);
    assert_eq!(
        (people[0].given_name.as_str(), people[0].position.title.as_str()),
        ("Augusta", "Countess")
    );
}

#[tokio::test]
async fn one_that_was_not_created_is_created_once_that_is_certain() {
    let mut stand = start().await;
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("POST people", Fault::CutConnection);
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Parked);
    stand.sandbox.discovery.faults().clear();
    stand.redeliver().await;
    assert_eq!(
        (stand.record().status, stand.records()),
        (Status::Parked, 0),
        "it may not be visible yet"
    );
    stand.wake().await;
    assert_eq!((stand.record().status, stand.records()), (Status::Synced, 1));
}

#[tokio::test]
async fn what_the_vendor_refuses_is_refused_in_its_words() {
    let mut stand = start().await;
    stand
        .sandbox
        .discovery
        .faults()
        .always_for("POST people", Fault::Status(400));
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!((error.status, error.step.as_deref()), (Some(400), Some("person")));
    stand.sandbox.discovery.faults().clear();
    stand.set(State::Second);
    // A refusal that names no field is no proof that nothing was created: it is looked for first.
    assert_eq!(stand.announce().await, Status::Parked);
    stand.wake().await;
    assert_eq!((stand.held(), stand.records()), (Some(State::Second), 1));
}

#[tokio::test]
async fn people_are_not_deleted_and_the_ledger_says_what_to_do() {
    let mut stand = start().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    stand.remove();
    let forced = json!({"detail-type": "SyncRequested", "source": "desk", "detail": {"entity": format!("instructor/{ID}"), "force": true}});
    assert_eq!(stand.announce_with(ID, forced).await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Refused, Some("not-deletable"))
    );
    assert_eq!((stand.records(), stand.record().link.is_some()), (1, true));
}
