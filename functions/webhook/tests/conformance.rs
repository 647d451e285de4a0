//! The conformance suite, and what only a signed webhook does.

use serde_json::{Value, json};
use vendorbridge::Entity;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Change, Stand, State, Subject, infoservice};
use vendorbridge_testkit::sandbox::{Fault, Faults, Sandbox};

struct Receiver;

impl Subject for Receiver {
    const VENDOR: &'static str = "webhook";
    const ENTITY_TYPE: &'static str = "customer";

    fn settings(sandbox: &Sandbox) -> Value {
        json!({"source_url": sandbox.source_url(), "url": sandbox.webhook_url()})
    }

    fn secret(sandbox: &Sandbox) -> Value {
        json!({
            "signing_secret": sandbox.config().signing_secret,
            "source_token": sandbox.config().source_token,
        })
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        webhook::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        infoservice::change(&stand.sandbox, change, "ada@lovelace.example");
    }

    fn event(change: &Change) -> Value {
        infoservice::event(change)
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.webhook.faults().clone()
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        let held = sandbox.webhook.held();
        let channel = held.get(id)?.get("state")?.get("channel")?;
        channel.as_str().map(infoservice::state)
    }

    fn records(sandbox: &Sandbox) -> usize {
        sandbox.webhook.held().len()
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.webhook.calls()
    }
}

vendorbridge_testkit::conformance!(Receiver);

#[tokio::test]
async fn a_repeat_has_the_same_id_and_another_state_another() {
    let mut stand = Stand::<Receiver>::start().await;
    stand.set(State::First);
    stand.sandbox.webhook.faults().at(1, Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    stand.wake().await;
    assert_eq!(
        stand.sandbox.webhook.repeats(),
        1,
        "the repeat is recognised by its id"
    );
    stand.set(State::Second);
    stand.announce().await;
    assert_eq!(stand.sandbox.webhook.history_of(Receiver::ID).len(), 2);
    assert_eq!(stand.sandbox.webhook.conflicting_repeats(), 0);
}

#[tokio::test]
async fn a_retry_with_a_newer_state_is_not_taken_for_a_repeat() {
    let mut stand = Stand::<Receiver>::start().await;
    stand.set(State::First);
    stand.sandbox.webhook.faults().at(1, Fault::AcceptThenCut);
    stand.announce().await;
    stand.set(State::Second);
    stand.wake().await;
    assert_eq!(stand.held(), Some(State::Second));
    assert_eq!(stand.sandbox.webhook.conflicting_repeats(), 0);
}

#[tokio::test]
async fn an_answer_without_a_body_links_by_the_entity() {
    let mut stand = Stand::<Receiver>::start().await;
    stand.sandbox.webhook.answer_without_content(true);
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.record().link.as_deref(), Some(Receiver::ID));
}
