//! The function and course-discovery, as the suite wants to know them; and what the tests ask for beyond it.

use serde_json::{Value, json};
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::ledger::{EntityRecord, Status};
use vendorbridge::{Entity, EntityKey};
use vendorbridge_testkit::conformance::{Change, Stand, State, Subject};
use vendorbridge_testkit::sandbox::{Fault, Faults, Sandbox};

use crate::states::{event, instructor, plain, whole};

/// Instructors.
pub(crate) struct Instructors;

/// Courses: with one run, or whole products with two instructors and two runs, one of them published.
pub(crate) struct Courses<const WHOLE: bool>;

pub(crate) type Plain = Courses<false>;
pub(crate) type Whole = Courses<true>;

/// The course of `acme:1`.
pub(crate) const KEY: &str = "ACME+DM1";

const TABLE: &str = "in memory";

fn settings(sandbox: &Sandbox) -> Value {
    let config = sandbox.config();
    let url = sandbox.discovery_url();
    json!({
        "url": url, "course_type": config.discovery_course_type, "run_type": config.discovery_run_type,
        "product_source": config.discovery_product_source,
        "auth": {
            "kind": "client-credentials", "token_url": format!("{url}/oauth2/access_token"), "scheme": "JWT",
            "client_auth": "body", "parameters": {"token_type": "jwt"},
        },
    })
}

fn secret(sandbox: &Sandbox) -> Value {
    json!({
        "discovery_client_id": sandbox.config().discovery_client_id,
        "discovery_client_secret": sandbox.config().discovery_client_secret,
    })
}

fn name(state: State) -> &'static str {
    match state {
        State::First => "First",
        State::Second => "Second",
        State::Third => "Third",
    }
}

/// The state that a text was made of.
fn state_of(text: &str) -> Option<State> {
    let states = [State::First, State::Second, State::Third];
    states.into_iter().find(|state| text.starts_with(name(*state)))
}

/// Puts a state where the front door keeps it, and where it is read again.
fn keep<S: Subject>(stand: &Stand<S>, entity: &EntityKey, revision: u64, state: Option<Value>) {
    let pk = format!("line#{entity}");
    let key = [("pk", pk.as_str()), ("sk", "state")];
    match state {
        Some(Value::Object(mut item)) => {
            item.insert("revision".to_owned(), revision.into());
            stand.items.put_at(TABLE, &key, item);
        }
        _ => stand.items.remove_at(TABLE, &key),
    }
}

fn key(entity_type: &str, id: &str) -> EntityKey {
    EntityKey::new(entity_type, id).unwrap()
}

/// How a stand is spoken to beyond the suite.
pub(crate) trait Lines {
    /// Keeps and announces a state of the stand's own kind.
    async fn say(&mut self, id: &str, revision: u64, state: &Value) -> Status;
    /// The same of an instructor.
    async fn say_of_instructor(&mut self, id: &str, revision: u64, state: &Value) -> Status;
    fn instructor(&self, id: &str) -> EntityRecord;
}

impl<S: Subject> Lines for Stand<S> {
    async fn say(&mut self, id: &str, revision: u64, state: &Value) -> Status {
        keep(self, &key(S::ENTITY_TYPE, id), revision, Some(state.clone()));
        self.announce_with(id, event(S::ENTITY_TYPE, id, revision, state))
            .await
    }

    async fn say_of_instructor(&mut self, id: &str, revision: u64, state: &Value) -> Status {
        let entity = key("instructor", id);
        keep(self, &entity, revision, Some(state.clone()));
        self.announce_as(&entity, event("instructor", id, revision, state))
            .await
    }

    fn instructor(&self, id: &str) -> EntityRecord {
        self.ledger.entity(&key("instructor", id)).unwrap()
    }
}

impl Whole {
    /// A stand with the product's instructors at the vendor, and the product at its line.
    pub(crate) async fn stand() -> Stand<Self> {
        let mut stand = Stand::start().await;
        for (id, given_name) in [("p-1", "Ada"), ("p-2", "Byron")] {
            let state = instructor(id, given_name, "Professor");
            assert_eq!(
                stand.say_of_instructor(&format!("acme:{id}"), 1, &state).await,
                Status::Synced
            );
        }
        stand.set(State::First);
        stand
    }

    /// The same with the product at the vendor.
    pub(crate) async fn created() -> Stand<Self> {
        let mut stand = Self::stand().await;
        assert_eq!(stand.announce().await, Status::Synced);
        stand
    }
}

impl Subject for Instructors {
    const VENDOR: &'static str = "discovery";
    const ENTITY_TYPE: &'static str = "instructor";
    const ID: &'static str = "acme:p-1";
    const OTHER_ID: &'static str = "acme:p-2";
    /// A token, two looks at who has the name, and the creation.
    const CREATING_REQUEST: u64 = 4;
    const REFUSES_CREDENTIAL: Fault = Fault::Status(403);

    fn settings(sandbox: &Sandbox) -> Value {
        settings(sandbox)
    }

    fn secret(sandbox: &Sandbox) -> Value {
        secret(sandbox)
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        discovery::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        let state = change.state.map(|state| of_state(&change.id, state));
        keep(stand, &key(Self::ENTITY_TYPE, &change.id), change.number, state);
    }

    fn event(change: &Change) -> Value {
        let state = change.state.map(|state| of_state(&change.id, state));
        event(
            "instructor",
            &change.id,
            change.number,
            &state.unwrap_or_default(),
        )
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.discovery.faults().clone()
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        let people = sandbox.discovery.people();
        let person = people
            .into_iter()
            .find(|person| id.ends_with(&person.given_name))?;
        Some(state_of(&person.position.title).unwrap())
    }

    fn records(sandbox: &Sandbox) -> usize {
        sandbox.discovery.people().len()
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.discovery.calls()
    }
}

/// Whose given name is the id.
fn of_state(id: &str, state: State) -> Value {
    let id = id.rsplit(':').next().unwrap();
    instructor(id, id, name(state))
}

impl<const WHOLE: bool> Courses<WHOLE> {
    fn of(id: &str, state: State) -> Value {
        let (id, title) = (id.rsplit(':').next().unwrap(), name(state));
        if WHOLE { whole(id, title) } else { plain(id, title) }
    }
}

impl<const WHOLE: bool> Subject for Courses<WHOLE> {
    const VENDOR: &'static str = "discovery";
    const ENTITY_TYPE: &'static str = "course";
    const ID: &'static str = "acme:1";
    const OTHER_ID: &'static str = "acme:2";
    /// A token, a look, and the creation.
    const CREATING_REQUEST: u64 = 3;
    const REFUSES_CREDENTIAL: Fault = Fault::Status(403);

    fn settings(sandbox: &Sandbox) -> Value {
        settings(sandbox)
    }

    fn secret(sandbox: &Sandbox) -> Value {
        secret(sandbox)
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        discovery::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        let state = change.state.map(|state| Self::of(&change.id, state));
        keep(stand, &key(Self::ENTITY_TYPE, &change.id), change.number, state);
    }

    fn event(change: &Change) -> Value {
        let state = change.state.map(|state| Self::of(&change.id, state));
        event("course", &change.id, change.number, &state.unwrap_or_default())
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.discovery.faults().clone()
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        let number = id.rsplit(':').next()?;
        let course = sandbox.discovery.course(&format!("ACME+DM{number}"))?;
        Some(state_of(&course.title).unwrap())
    }

    /// A course has one run here: a second one counts.
    fn records(sandbox: &Sandbox) -> usize {
        sandbox
            .discovery
            .courses()
            .len()
            .max(sandbox.discovery.runs().len())
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.discovery.calls()
    }
}
