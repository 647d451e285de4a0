//! Shortlists: the conformance suite, and what only a GraphQL source does.

use serde_json::{Value, json};
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge::ledger::Status;
use vendorbridge::{Entity, ErrorKind, Stage};
use vendorbridge_testkit::conformance::{Change, Stand, State, Subject};
use vendorbridge_testkit::sandbox::shortlist::NewShortlist;
use vendorbridge_testkit::sandbox::{Fault, Faults, Sandbox};

/// With the query's hash, and with prices that may fail.
struct Shop<const PERSISTED: bool, const HARMLESS: bool>;

type Plain = Shop<false, false>;
type Persisted = Shop<true, false>;
type Harmless = Shop<false, true>;

const ID: &str = "s-77";

fn items(state: State) -> &'static [&'static str] {
    match state {
        State::First => &["lamp"],
        State::Second => &["lamp", "sofa"],
        State::Third => &["sofa"],
    }
}

impl<const PERSISTED: bool, const HARMLESS: bool> Subject for Shop<PERSISTED, HARMLESS> {
    const VENDOR: &'static str = "webhook";
    const ENTITY_TYPE: &'static str = "shortlist";
    const ID: &'static str = ID;
    const OTHER_ID: &'static str = "s-78";

    fn settings(sandbox: &Sandbox) -> Value {
        let harmless: &[&str] = if HARMLESS {
            &["/data/shortlist/items/*/price"]
        } else {
            &[]
        };
        json!({
            "source_url": sandbox.source_url(), "url": sandbox.webhook_url(),
            "shortlist": {
                "url": sandbox.shortlist_url(), "auth": {"kind": "bearer"},
                "persisted_query": PERSISTED, "harmless": harmless,
            },
        })
    }

    fn secret(sandbox: &Sandbox) -> Value {
        json!({
            "signing_secret": sandbox.config().signing_secret,
            "source_token": sandbox.config().source_token,
            "shortlist_token": sandbox.config().shortlist_token,
        })
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        webhook::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        match change.state {
            Some(state) => {
                let list = NewShortlist::of(&change.id, items(state));
                stand.sandbox.shortlists.put(list);
            }
            None => _ = stand.sandbox.shortlists.remove(&change.id),
        }
    }

    fn event(change: &Change) -> Value {
        json!({"detail-type": "ShortlistChanged", "source": "shortlist", "detail": {"shortlistId": change.id}})
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.webhook.faults().clone()
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        let held = sandbox.webhook.held();
        let held = held.get(id)?.get("state")?.get("items")?.as_array()?;
        let held: Vec<_> = held.iter().filter_map(|item| item["sku"].as_str()).collect();
        [State::First, State::Second, State::Third]
            .into_iter()
            .find(|state| items(*state) == held)
    }

    fn records(sandbox: &Sandbox) -> usize {
        sandbox.webhook.held().len()
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.webhook.calls()
    }
}

vendorbridge_testkit::conformance!(Plain);

#[tokio::test]
async fn the_receiver_gets_the_list_under_its_own_types() {
    let mut stand = Stand::<Plain>::start().await;
    stand.set(State::First);
    stand.announce().await;
    let told = stand.sandbox.webhook.last(ID).unwrap();
    assert_eq!(told.event_type, "shortlist.updated");
    assert_eq!(
        Value::from(told.data),
        json!({"id": ID, "version": 1, "state": {
            "id": ID, "userId": "auth0|679fb1b1e809445f129bc18d", "revision": 1, "name": null,
            "items": [{"sku": "lamp", "price": {"amount": "12.50", "currency": "EUR"}}],
        }})
    );
    stand.remove();
    stand.announce().await;
    let told = stand.sandbox.webhook.last(ID).unwrap();
    assert_eq!(told.event_type, "shortlist.deleted");
}

#[tokio::test]
async fn partial_data_is_a_failure_at_the_field() {
    let mut stand = Stand::<Plain>::start().await;
    stand.sandbox.shortlists.without_prices(true);
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Parked);
    let error = stand.record().parked.unwrap().error;
    assert_eq!(
        (
            error.kind,
            error.stage,
            error.pointer.as_deref(),
            error.code.as_deref()
        ),
        (
            ErrorKind::Unexpected,
            Stage::Source,
            Some("/data/shortlist/items/0/price"),
            Some("PRICES_UNAVAILABLE")
        )
    );
    assert_eq!(stand.calls(), 0, "the receiver hears nothing of it");
    stand.sandbox.shortlists.without_prices(false);
    stand.wake().await;
    assert_eq!(stand.held(), Some(State::First));
}

#[tokio::test]
async fn a_harmless_field_that_fails_is_not_mentioned() {
    let mut stand = Stand::<Harmless>::start().await;
    stand.sandbox.shortlists.without_prices(true);
    stand.set(State::Second);
    assert_eq!(stand.announce().await, Status::Synced);
    let told = stand.sandbox.webhook.last(ID).unwrap();
    assert_eq!(
        told.data["state"]["items"],
        json!([{"sku": "lamp"}, {"sku": "sofa"}])
    );
}

#[tokio::test]
async fn a_query_travels_once() {
    let mut stand = Stand::<Persisted>::start().await;
    for state in [State::First, State::Second, State::Third] {
        stand.set(state);
        assert_eq!(stand.announce().await, Status::Synced);
    }
    assert_eq!(
        (
            stand.sandbox.shortlists.calls(),
            stand.sandbox.shortlists.queries_in_full()
        ),
        (4, 1)
    );
}

#[tokio::test]
async fn a_server_without_persisted_queries_is_asked_once_for_them() {
    let mut stand = Stand::<Persisted>::start().await;
    stand.sandbox.shortlists.refuse_hashes(true);
    for state in [State::First, State::Second, State::Third] {
        stand.set(state);
        assert_eq!(stand.announce().await, Status::Synced);
    }
    assert_eq!(
        (
            stand.sandbox.shortlists.calls(),
            stand.sandbox.shortlists.queries_in_full()
        ),
        (4, 3)
    );
}

#[tokio::test]
async fn the_sources_failures_are_waited_out_and_never_taken_for_an_empty_list() {
    let faults = [
        (Fault::Status(200), ErrorKind::Unavailable),
        (Fault::Status(401), ErrorKind::Deauthorized),
        (Fault::Status(404), ErrorKind::Unavailable),
        (
            Fault::TooManyRequests { retry_after: None },
            ErrorKind::RateLimited,
        ),
        (Fault::CutConnection, ErrorKind::Unavailable),
        (Fault::Forbidden, ErrorKind::Deauthorized),
    ];
    for (fault, kind) in faults {
        let mut stand = Stand::<Plain>::start().await;
        stand.set(State::First);
        stand.announce().await;
        stand.set(State::Second);
        stand.sandbox.shortlists.faults().at(1, fault);
        assert_eq!(stand.announce().await, Status::Parked, "{fault:?}");
        let error = stand.record().parked.unwrap().error;
        assert_eq!((error.kind, error.stage), (kind, Stage::Source), "{fault:?}");
        assert_eq!(stand.held(), Some(State::First), "{fault:?}");
        stand.wake().await;
        assert_eq!(stand.held(), Some(State::Second), "{fault:?}");
    }
}
