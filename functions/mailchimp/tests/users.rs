//! Auth0 users: the conformance suite with events that carry the user, and what only they do.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint only knows the tests themselves"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, header};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};
use vendorbridge::http::Http;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::ledger::Status;
use vendorbridge::{Entity, ErrorKind, Stage};
use vendorbridge_testkit::conformance::{Change, Stand, State, Subject};
use vendorbridge_testkit::sandbox::auth0::{self, NewUser};
use vendorbridge_testkit::sandbox::mailchimp::{self, Mark, Member, MergeValue};
use vendorbridge_testkit::sandbox::{Fault, Faults, Sandbox};

/// With or without the Management API to ask.
struct Users<const ASKS: bool>;

type Carried = Users<false>;
type Asked = Users<true>;

const LIST: &str = "a1b2c3d4e5";
const EMAIL: &str = "urist@freddiesjokes.example";
const USER: &str = "auth0|679fb1b1e809445f129bc18d";

/// A profile changes with every login: no two events carry the same time.
static LOGINS: AtomicU64 = AtomicU64::new(0);

impl<const ASKS: bool> Subject for Users<ASKS> {
    const VENDOR: &'static str = "mailchimp";
    const ENTITY_TYPE: &'static str = "user";
    const ID: &'static str = USER;
    const OTHER_ID: &'static str = "google-oauth2|1042";
    const CREATING_REQUEST: u64 = 2;

    fn settings(sandbox: &Sandbox) -> Value {
        let users = if ASKS {
            json!({"status_if_new": "subscribed", "auth0_url": sandbox.auth0_url()})
        } else {
            json!({"status_if_new": "subscribed"})
        };
        json!({
            "source_url": sandbox.source_url(), "list_id": LIST, "api_url": sandbox.mailchimp_url(), "users": users,
        })
    }

    fn secret(sandbox: &Sandbox) -> Value {
        json!({
            "api_key": sandbox.config().api_key, "source_token": sandbox.config().source_token,
            "auth0_token": sandbox.auth0.token(),
        })
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        ::mailchimp::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        match change.state {
            Some(state) => _ = stand.sandbox.auth0.put(user(&change.id, state)),
            None => _ = stand.sandbox.auth0.remove(&change.id),
        }
    }

    fn event(change: &Change) -> Value {
        let login = LOGINS.fetch_add(1, Ordering::Relaxed);
        let at = change.at + SignedDuration::from_millis(i64::try_from(login).unwrap());
        match change.state {
            Some(state) => carrying(auth0::Change::Updated, user(&change.id, state), at),
            None => carrying(auth0::Change::Deleted, user(&change.id, State::First), at),
        }
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.mailchimp.faults().clone()
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        let member = member(sandbox, email(id))?;
        [State::First, State::Second, State::Third]
            .into_iter()
            .find(|state| member.merge_fields.get("FNAME") == Some(&MergeValue::from(name(*state))))
    }

    fn records(sandbox: &Sandbox) -> usize {
        sandbox.mailchimp.members(LIST).len()
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.mailchimp.calls()
    }
}

vendorbridge_testkit::conformance!(Carried);

fn email(user_id: &str) -> &'static str {
    match user_id {
        USER => EMAIL,
        _ => "grace@hopper.example",
    }
}

fn name(state: State) -> &'static str {
    match state {
        State::First => "Urist",
        State::Second => "Dastot",
        State::Third => "Kol",
    }
}

fn user(user_id: &str, state: State) -> NewUser {
    NewUser {
        given_name: Some(name(state).to_owned()),
        ..NewUser::by_email(user_id, email(user_id))
    }
}

/// An event of the tenant's event stream.
fn carrying(change: auth0::Change, user: NewUser, at: Timestamp) -> Value {
    auth0::event(change, &user.at(at, at), "e", at)
}

/// A member that is not archived.
fn member(sandbox: &Sandbox, email: &str) -> Option<Member> {
    let members = sandbox.mailchimp.members(LIST);
    members.into_iter().find(|member| member.email_address == email)
}

/// What somebody else writes at Mailchimp.
async fn write(sandbox: &Sandbox, email: &str, body: Value) {
    let hash = mailchimp::subscriber_hash(email);
    let url = format!("{}/lists/{LIST}/members/{hash}", sandbox.mailchimp_url());
    let http = Http::new(true).unwrap();
    let key = format!("Bearer {}", sandbox.config().api_key);
    let request = http
        .request(Method::PUT, url.parse().unwrap())
        .header(header::AUTHORIZATION, &key);
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn an_event_that_carries_the_user_asks_nobody() {
    let mut stand = Stand::<Asked>::start().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.held(), Some(State::First));
    assert_eq!(stand.sandbox.auth0.calls(), 0);
}

#[tokio::test]
async fn a_sign_up_in_the_log_makes_auth0_be_asked() {
    let mut stand = Stand::<Asked>::start().await;
    let user = stand.sandbox.auth0.put(user(USER, State::Second));
    let sign_up = auth0::sign_up(&user, "e", stand.now());
    assert_eq!(stand.announce_with(USER, sign_up.clone()).await, Status::Synced);
    assert_eq!(stand.held(), Some(State::Second));
    assert_eq!(stand.sandbox.auth0.reads_of(USER), 1);
    stand.sandbox.auth0.remove(USER);
    assert_eq!(stand.announce_with(USER, sign_up).await, Status::Deleted);
    assert_eq!(stand.records(), 0);
}

#[tokio::test]
async fn a_sign_up_with_nobody_to_ask_is_refused_and_says_so() {
    let mut stand = Stand::<Carried>::start().await;
    stand.set(State::First);
    stand.announce().await;
    let user = stand.sandbox.auth0.get(USER).unwrap();
    let sign_up = auth0::sign_up(&user, "e", stand.now());
    assert_eq!(stand.announce_with(USER, sign_up).await, Status::Rejected);
    let refused = stand.ledger.event("e2").unwrap().error.unwrap();
    assert_eq!(refused.stage, Stage::Source, "{refused:?}");
    assert_eq!(
        stand.record().status,
        Status::Synced,
        "what is there stays as it is"
    );
}

#[tokio::test]
async fn a_carried_state_older_than_the_one_read_is_covered() {
    let mut stand = Stand::<Asked>::start().await;
    let before = stand.now() - SignedDuration::from_secs(60);
    let user_now = stand.sandbox.auth0.put(user(USER, State::Second));
    let sign_up = auth0::sign_up(&user_now, "e", stand.now());
    stand.announce_with(USER, sign_up).await;
    let older = carrying(auth0::Change::Created, user(USER, State::First), before);
    assert_eq!(stand.announce_with(USER, older).await, Status::Covered);
    assert_eq!(stand.held(), Some(State::Second));
}

#[rstest]
#[case(Fault::TooManyRequests { retry_after: None }, ErrorKind::RateLimited)]
#[case(Fault::Status(401), ErrorKind::Deauthorized)]
#[case(Fault::Status(500), ErrorKind::Unavailable)]
#[tokio::test]
async fn auth0s_failures_are_waited_out(#[case] fault: Fault, #[case] kind: ErrorKind) {
    let mut stand = Stand::<Asked>::start().await;
    let user = stand.sandbox.auth0.put(user(USER, State::First));
    stand.sandbox.auth0.faults().at(1, fault);
    let sign_up = auth0::sign_up(&user, "e", stand.now());
    assert_eq!(stand.announce_with(USER, sign_up).await, Status::Parked);
    let error = stand.record().parked.unwrap().error;
    assert_eq!((error.kind, error.stage), (kind, Stage::Source));
    stand.wake().await;
    assert_eq!(stand.held(), Some(State::First));
}

#[tokio::test]
async fn states_that_arrive_out_of_order_never_go_backwards() {
    let mut stand = Stand::<Carried>::start().await;
    let at = |second| stand.now() + SignedDuration::from_secs(second);
    let [created, updated, deleted] = [
        carrying(auth0::Change::Created, user(USER, State::First), at(1)),
        carrying(auth0::Change::Updated, user(USER, State::Second), at(2)),
        carrying(auth0::Change::Deleted, user(USER, State::Second), at(3)),
    ];
    assert_eq!(stand.announce_with(USER, updated.clone()).await, Status::Synced);
    assert_eq!(stand.announce_with(USER, created.clone()).await, Status::Covered);
    assert_eq!(stand.held(), Some(State::Second));
    assert_eq!(stand.announce_with(USER, deleted).await, Status::Deleted);
    for late in [created, updated] {
        assert_eq!(stand.announce_with(USER, late).await, Status::Covered);
    }
    assert_eq!(stand.records(), 0);
}

#[tokio::test]
async fn a_user_without_an_address_is_rejected_with_that_reason() {
    let mut stand = Stand::<Carried>::start().await;
    let nobody = NewUser {
        email: None,
        ..user(USER, State::First)
    };
    let event = carrying(auth0::Change::Created, nobody, stand.now());
    assert_eq!(stand.announce_with(USER, event).await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(
        (error.stage, error.pointer.as_deref(), error.message.as_str()),
        (
            Stage::Map,
            Some("/email"),
            "expected an e-mail address, found none"
        )
    );
    assert_eq!(stand.calls(), 0);
}

/// The shape on an older page of Auth0's documents.
#[rstest]
#[case::spec_version(|event: &mut Value| {
    event["detail"]["spec_version"] = event["detail"]["specversion"].take();
}, "/detail/specversion")]
#[case::type_in_the_event(|event: &mut Value| event["detail"]["type"] = json!("com.auth0.user.created"), "/detail-type")]
#[tokio::test]
async fn another_shape_is_refused_and_named(#[case] change: fn(&mut Value), #[case] pointer: &str) {
    let mut stand = Stand::<Carried>::start().await;
    let mut event = carrying(auth0::Change::Created, user(USER, State::First), stand.now());
    change(&mut event);
    assert_eq!(stand.announce_with(USER, event).await, Status::Rejected);
    let refused = stand.ledger.event("e1").unwrap();
    assert_eq!(refused.error.unwrap().pointer.as_deref(), Some(pointer));
    assert_eq!(stand.calls(), 0);
}

/// No document says under which detail type they arrive: the rule lets them in, the `CloudEvent` says what they are.
#[tokio::test]
async fn the_detail_type_is_the_rules_affair() {
    let mut stand = Stand::<Carried>::start().await;
    let mut event = carrying(auth0::Change::Created, user(USER, State::First), stand.now());
    event["detail-type"] = json!("Auth0 event");
    assert_eq!(stand.announce_with(USER, event).await, Status::Synced);
    assert_eq!(stand.held(), Some(State::First));
}

#[tokio::test]
async fn what_marketing_owns_stays() {
    let mut stand = Stand::<Carried>::start().await;
    stand.set(State::First);
    stand.announce().await;
    let theirs = json!({
        "email_address": EMAIL, "status": "unsubscribed", "status_if_new": "subscribed", "language": "da", "vip": true,
        "merge_fields": {"PHONE": "+4512345678"}, "interests": {"9143cf3bd1": true}, "tags": ["vip"],
    });
    write(&stand.sandbox, EMAIL, theirs).await;
    let before = member(&stand.sandbox, EMAIL).unwrap();
    stand.set(State::Second);
    assert_eq!(stand.announce().await, Status::Synced);
    let after = member(&stand.sandbox, EMAIL).unwrap();
    let mut expected = before.clone();
    expected.merge_fields.insert("FNAME".to_owned(), "Dastot".into());
    (expected.full_name, expected.last_changed) = (after.full_name.clone(), after.last_changed);
    assert_eq!(after, expected);
    assert_eq!(after.status, mailchimp::Status::Unsubscribed);
    assert!(stand.sandbox.mailchimp.unknown_properties().is_empty());
}

#[tokio::test]
async fn an_opted_out_user_stays_so_at_a_new_address() {
    let mut stand = Stand::<Carried>::start().await;
    stand.set(State::First);
    stand.announce().await;
    stand.sandbox.mailchimp.mark(LIST, EMAIL, Mark::Unsubscribed);
    let contact = member(&stand.sandbox, EMAIL).unwrap().contact_id;
    let moved = NewUser::by_email(USER, "urist@king.example");
    let at = stand.now() + SignedDuration::from_mins(1);
    let event = carrying(auth0::Change::Updated, moved, at);
    assert_eq!(stand.announce_with(USER, event).await, Status::Synced);
    let member = member(&stand.sandbox, "urist@king.example").unwrap();
    assert_eq!(
        (member.contact_id, member.status),
        (contact, mailchimp::Status::Unsubscribed)
    );
    assert_eq!(stand.records(), 1);
}

#[tokio::test]
async fn a_user_who_comes_back_is_not_subscribed() {
    let mut stand = Stand::<Carried>::start().await;
    stand.set(State::First);
    stand.announce().await;
    assert_eq!(
        member(&stand.sandbox, EMAIL).unwrap().status,
        mailchimp::Status::Subscribed
    );
    stand.remove();
    stand.announce().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(
        member(&stand.sandbox, EMAIL).unwrap().status,
        mailchimp::Status::Transactional
    );
}

#[tokio::test]
async fn a_customers_member_is_not_taken_and_not_archived() {
    let mut stand = Stand::<Carried>::start().await;
    let customers = json!({
        "email_address": EMAIL, "status_if_new": "transactional",
        "merge_fields": {"CUSTID": "c-4711", "FNAME": "Ada", "CHANNEL": "EMAIL"},
    });
    write(&stand.sandbox, EMAIL, customers).await;
    let before = member(&stand.sandbox, EMAIL);
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(
        (error.kind, error.pointer.as_deref()),
        (ErrorKind::Refused, Some("/email"))
    );
    stand.remove();
    assert_eq!(stand.announce().await, Status::Deleted);
    assert_eq!(member(&stand.sandbox, EMAIL), before);
}
