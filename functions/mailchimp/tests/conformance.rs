//! The conformance suite, and what only Mailchimp does.

use serde_json::{Value, json};
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::ledger::Status;
use vendorbridge::{Entity, ErrorKind};
use vendorbridge_testkit::conformance::{Change, Stand, State, Subject, infoservice};
use vendorbridge_testkit::sandbox::infoservice::{Channel, NewPreference};
use vendorbridge_testkit::sandbox::mailchimp::{self, Mark, Member, MergeValue};
use vendorbridge_testkit::sandbox::{Fault, Faults, Sandbox};

struct Mailchimp;

const LIST: &str = "a1b2c3d4e5";
const EMAIL: &str = "ada@lovelace.example";

impl Subject for Mailchimp {
    const VENDOR: &'static str = "mailchimp";
    const ENTITY_TYPE: &'static str = "customer";
    const CREATING_REQUEST: u64 = 2;
    const SOURCE_COUNTS: bool = true;
    const VENDOR_COUNTS: bool = true;

    fn settings(sandbox: &Sandbox) -> Value {
        json!({
            "source_url": sandbox.source_url(), "source_list": infoservice::list(false), "list_id": LIST,
            "api_url": sandbox.mailchimp_url(),
        })
    }

    fn secret(sandbox: &Sandbox) -> Value {
        json!({"api_key": sandbox.config().api_key, "source_token": sandbox.config().source_token})
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        ::mailchimp::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        infoservice::change(&stand.sandbox, change, &email(&change.id));
    }

    fn event(change: &Change) -> Value {
        infoservice::event(change)
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.mailchimp.faults().clone()
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        match member(sandbox, &email(id))?.merge_fields.get("CHANNEL")? {
            MergeValue::Text(channel) => Some(infoservice::state(channel)),
            other => panic!("a channel of another type: {other:?}"),
        }
    }

    fn records(sandbox: &Sandbox) -> usize {
        sandbox.mailchimp.members(LIST).len()
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.mailchimp.calls()
    }
}

vendorbridge_testkit::conformance!(Mailchimp);

fn email(customer_id: &str) -> String {
    match customer_id {
        Mailchimp::ID => EMAIL.to_owned(),
        other => format!("{other}@hopper.example"),
    }
}

/// The customer's preference at the source.
fn set(stand: &Stand<Mailchimp>, channel: Channel, email: &str) {
    let preference = NewPreference {
        channel,
        ..NewPreference::by_email(Mailchimp::ID, email)
    };
    stand.sandbox.infoservice.put(preference);
}

/// A member that is not archived.
fn member(sandbox: &Sandbox, email: &str) -> Option<Member> {
    sandbox
        .mailchimp
        .members(LIST)
        .into_iter()
        .find(|member| member.email_address == email)
}

#[tokio::test]
async fn a_new_address_moves_the_member() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, EMAIL);
    stand.announce().await;
    let contact = member(&stand.sandbox, EMAIL).unwrap().contact_id;
    set(&stand, Channel::Email, "ada@king.example");
    // The move gets through, but the answer does not: the repeat must find the member under its new address.
    stand.sandbox.mailchimp.faults().at(2, Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(
        stand.record().link,
        Some(mailchimp::subscriber_hash("ada@king.example"))
    );
    assert_eq!(
        member(&stand.sandbox, "ada@king.example").unwrap().contact_id,
        contact
    );
    assert_eq!(stand.sandbox.mailchimp.members(LIST).len(), 1);
}

#[tokio::test]
async fn a_new_address_that_is_taken_leaves_one_member() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, "ada@king.example");
    stand.announce().await;
    stand.sandbox.infoservice.remove(Mailchimp::ID);
    set(&stand, Channel::Email, EMAIL);
    stand.announce().await;
    set(&stand, Channel::Paper, "ada@king.example");
    assert_eq!(stand.announce().await, Status::Synced);
    let members = stand.sandbox.mailchimp.members(LIST);
    assert_eq!(members.len(), 1, "{members:?}");
}

#[tokio::test]
async fn an_opted_out_member_stays_so() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, EMAIL);
    stand.announce().await;
    stand.sandbox.mailchimp.mark(LIST, EMAIL, Mark::Unsubscribed);
    set(&stand, Channel::Both, EMAIL);
    stand.announce().await;
    assert_eq!(
        member(&stand.sandbox, EMAIL).unwrap().status,
        mailchimp::Status::Unsubscribed
    );
}

#[tokio::test]
async fn a_refused_address_is_rejected_without_quoting_it() {
    let mut stand = Stand::<Mailchimp>::start().await;
    stand.sandbox.mailchimp.mark(LIST, EMAIL, Mark::LooksFake);
    set(&stand, Channel::Email, EMAIL);
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(!error.message.contains('@'), "{}", error.message);
}

#[tokio::test]
async fn a_bodiless_403_is_a_rate_limit() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, EMAIL);
    stand.sandbox.mailchimp.faults().at(1, Fault::Forbidden);
    assert_eq!(stand.announce().await, Status::Parked);
    assert_eq!(stand.record().parked.unwrap().error.kind, ErrorKind::RateLimited);
}

#[tokio::test]
async fn sends_nothing_that_mailchimp_does_not_document() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, EMAIL);
    stand.announce().await;
    set(&stand, Channel::Paper, "ada@king.example");
    stand.announce().await;
    assert!(stand.sandbox.mailchimp.unknown_properties().is_empty());
}

#[tokio::test]
async fn customers_who_share_an_address_do_not_take_each_others_member() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, EMAIL);
    stand.announce().await;
    // Another customer claims the same address, is refused, and goes away again.
    let other = NewPreference::by_email("c-2", EMAIL);
    stand.sandbox.infoservice.put(other);
    assert_eq!(stand.announce_of("c-2").await, Status::Rejected);
    let error = stand.record_of("c-2").error.unwrap();
    assert_eq!(
        (error.kind, error.pointer.as_deref()),
        (ErrorKind::Refused, Some("/email"))
    );
    stand.sandbox.infoservice.remove("c-2");
    stand.announce_of("c-2").await;
    assert!(
        member(&stand.sandbox, EMAIL).is_some(),
        "the first customer's member is untouched"
    );
    assert_eq!(stand.announce().await, Status::Unchanged);
}

#[tokio::test]
async fn a_move_of_unknown_outcome_leaves_nothing_at_the_address_between() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, EMAIL);
    stand.announce().await;
    set(&stand, Channel::Email, "between@king.example");
    // The look before the move, then the move itself: it gets through, its answer does not.
    stand.sandbox.mailchimp.faults().at(2, Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    set(&stand, Channel::Email, "last@king.example");
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    let addresses: Vec<_> = stand
        .sandbox
        .mailchimp
        .members(LIST)
        .into_iter()
        .map(|m| m.email_address)
        .collect();
    assert_eq!(addresses, ["last@king.example"]);
    assert_eq!(stand.record().maybe_links, Vec::<String>::new());
}

#[tokio::test]
async fn a_member_that_is_moved_while_archived_comes_back() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, EMAIL);
    stand.announce().await;
    stand.sandbox.infoservice.remove(Mailchimp::ID);
    stand.sandbox.mailchimp.faults().at(2, Fault::AcceptThenCut);
    assert_eq!(
        stand.announce().await,
        Status::Parked,
        "archived, but nobody learned of it"
    );
    set(&stand, Channel::Paper, "ada@king.example");
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert!(member(&stand.sandbox, "ada@king.example").is_some());
    assert_eq!(stand.sandbox.mailchimp.members(LIST).len(), 1);
}

#[tokio::test]
async fn the_address_of_a_customer_who_is_gone_can_be_taken() {
    let mut stand = Stand::<Mailchimp>::start().await;
    set(&stand, Channel::Email, EMAIL);
    stand.announce().await;
    stand.sandbox.infoservice.remove(Mailchimp::ID);
    assert_eq!(stand.announce().await, Status::Deleted);
    stand
        .sandbox
        .infoservice
        .put(NewPreference::by_email("c-2", EMAIL));
    assert_eq!(stand.announce_of("c-2").await, Status::Synced);
    assert!(member(&stand.sandbox, EMAIL).is_some());
}

/// The same function with its key as a bearer token, which Mailchimp takes as well.
struct AsBearer;

impl Subject for AsBearer {
    const VENDOR: &'static str = Mailchimp::VENDOR;
    const ENTITY_TYPE: &'static str = Mailchimp::ENTITY_TYPE;

    fn settings(sandbox: &Sandbox) -> Value {
        let mut settings = Mailchimp::settings(sandbox);
        settings["auth"] = json!({"kind": "bearer", "field": "api_key"});
        settings
    }

    fn secret(sandbox: &Sandbox) -> Value {
        Mailchimp::secret(sandbox)
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        Mailchimp::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        infoservice::change(&stand.sandbox, change, &email(&change.id));
    }

    fn event(change: &Change) -> Value {
        Mailchimp::event(change)
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        Mailchimp::faults(sandbox)
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        Mailchimp::held(sandbox, id)
    }

    fn records(sandbox: &Sandbox) -> usize {
        Mailchimp::records(sandbox)
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        Mailchimp::calls(sandbox)
    }
}

#[tokio::test]
async fn the_key_may_be_a_bearer_token() {
    let mut stand = Stand::<AsBearer>::start().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.held(), Some(State::First));
}
