//! The function, its table and its fake.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};
use vendorbridge::Entity;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge_testkit::conformance::{Change, Stand, State, Subject};
use vendorbridge_testkit::sandbox::{Fault, Faults, Sandbox};

pub(crate) const INDEX: &str = "inventory";
pub(crate) const TABLE: &str = "Inventory";

/// With this many hosts, and waiting for tasks or not.
pub(crate) struct Algolia<const HOSTS: usize = 1, const WAITS: bool = false>;

impl<const HOSTS: usize, const WAITS: bool> Subject for Algolia<HOSTS, WAITS> {
    const VENDOR: &'static str = "algolia";
    const ENTITY_TYPE: &'static str = "inventory-item";
    const ID: &'static str = "SKU#blackTShirt-M";
    const OTHER_ID: &'static str = "SKU#sock%2F/ö";
    const REFUSES_CREDENTIAL: Fault = Fault::Status(403);
    const VENDOR_COUNTS: bool = true;

    fn settings(sandbox: &Sandbox) -> Value {
        json!({
            "source": {"table": TABLE, "key": {"pk": "{id}"}}, "app_id": sandbox.config().algolia_app_id, "index": INDEX,
            "hosts": sandbox.algolia_urls()[..HOSTS], "wait_for_task": WAITS, "max_record_bytes": 20_000,
        })
    }

    fn secret(sandbox: &Sandbox) -> Value {
        json!({"api_key": sandbox.config().algolia_api_key})
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        algolia::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        match change.state {
            Some(state) => put(
                stand,
                &change.id,
                json!({"title": title(state), "published": true}),
            ),
            None => stand.items.remove(TABLE, ("pk", &change.id)),
        }
    }

    /// Each is a stream record of its own, with a sequence number of its own, even where nothing was changed.
    fn event(change: &Change) -> Value {
        static SEQUENCE: AtomicU64 = AtomicU64::new(1);
        let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
        let kind = if change.state.is_some() {
            "MODIFY"
        } else {
            "REMOVE"
        };
        json!({
            "detail-type": "InventoryItemChanged", "source": "inventory",
            "detail": {
                "id": change.id, "keys": {"pk": change.id}, "change": kind, "at": change.at,
                "sequence": format!("111111{sequence:018}"),
            },
        })
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.algolia.faults().clone()
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        let record = sandbox.algolia.record(INDEX, id)?;
        let states = [State::First, State::Second, State::Third];
        let state = states.into_iter().find(|state| record["title"] == title(*state));
        assert!(state.is_some(), "a title that is none of the suite's");
        state
    }

    fn records(sandbox: &Sandbox) -> usize {
        sandbox.algolia.records(INDEX).len()
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.algolia.calls()
    }
}

/// An item with these attributes, whatever it had before.
pub(crate) fn put<S: Subject>(stand: &Stand<S>, id: &str, attributes: Value) {
    let Value::Object(mut item) = attributes else {
        panic!("expected an object");
    };
    item.insert("pk".to_owned(), id.into());
    stand.items.put(TABLE, ("pk", id), item);
}

/// A record without the attribute that guards it.
pub(crate) fn own(mut record: Map<String, Value>) -> Map<String, Value> {
    assert!(
        record
            .remove("vendorbridgeVersion")
            .is_some_and(|version| version.is_i64())
    );
    record
}

fn title(state: State) -> &'static str {
    match state {
        State::First => "Black T-shirt",
        State::Second => "Black T-shirt (M)",
        State::Third => "Black T-shirt (M), organic",
    }
}
