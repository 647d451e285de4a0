//! The function, B1 and PortaBilling, as the suite wants to know them.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use vendorbridge::Entity;
use vendorbridge::lambda::{Setup, StartError};
use vendorbridge_testkit::conformance::{Change, Stand, State, Subject};
use vendorbridge_testkit::sandbox::portabilling::BillStatus;
use vendorbridge_testkit::sandbox::servicelayer::{Kind, NewDocument, Partner};
use vendorbridge_testkit::sandbox::{Fault, Faults, Sandbox};

pub(crate) const CARD: &str = "C20000";

/// Business partners.
pub(crate) struct Partners;

/// Invoices, credit notes (1) and incoming payments (2).
pub(crate) struct Documents<const KIND: usize = 0>;

fn settings(sandbox: &Sandbox) -> Value {
    json!({
        "sap_url": sandbox.service_layer_url(), "company": sandbox.config().service_layer_company,
        "sap_user": sandbox.config().service_layer_user, "url": sandbox.portabilling_url(),
        "login": sandbox.config().portabilling_login, "local_currency": "EUR", "xdr_delay_seconds": 120,
    })
}

fn secret(sandbox: &Sandbox) -> Value {
    json!({
        "sap_password": sandbox.config().service_layer_password,
        "portabilling_password": sandbox.config().portabilling_password,
    })
}

pub(crate) fn event(object_type: &str, transaction_type: &str, key: &str) -> Value {
    json!({
        "detail-type": "SapObjectChanged", "source": "sapb1",
        "detail": {
            "company": "SBODEMOUS", "object_type": object_type, "transaction_type": transaction_type,
            "key": key, "object": format!("{object_type}/{key}"), "user": "manager",
            "keys": [{"name": if object_type == "2" { "CardCode" } else { "DocEntry" }, "value": key}],
        },
    })
}

fn name(state: State) -> &'static str {
    match state {
        State::First => "Parameter Technology",
        State::Second => "Parameter Technology Ltd",
        State::Third => "Parameter Technology Inc",
    }
}

fn is_open(status: BillStatus) -> bool {
    status != BillStatus::Closed
}

impl Subject for Partners {
    const VENDOR: &'static str = "portabilling";
    const ENTITY_TYPE: &'static str = "partner";
    const ID: &'static str = CARD;
    const OTHER_ID: &'static str = "O'Neil & Söhne";
    /// A login, a look, and the addition.
    const CREATING_REQUEST: u64 = 3;

    fn settings(sandbox: &Sandbox) -> Value {
        settings(sandbox)
    }

    fn secret(sandbox: &Sandbox) -> Value {
        secret(sandbox)
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        portabilling::wire(setup)
    }

    fn change(stand: &Stand<Self>, change: &Change) {
        let sap = &stand.sandbox.service_layer;
        match change.state {
            None => sap.remove_partner(&change.id).unwrap(),
            Some(state) if sap.partner(&change.id).is_some() => {
                sap.update_partner(&change.id, |partner| {
                    name(state).clone_into(&mut partner.card_name);
                });
            }
            Some(state) => sap.add_partner(Partner::customer(&change.id, name(state))),
        }
    }

    fn event(change: &Change) -> Value {
        event("2", if change.state.is_some() { "U" } else { "D" }, &change.id)
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.portabilling.faults().clone()
    }

    fn held(sandbox: &Sandbox, id: &str) -> Option<State> {
        let customer = sandbox.portabilling.customer_by_refnum(id)?;
        let states = [State::First, State::Second, State::Third];
        let held = states
            .into_iter()
            .find(|state| customer.companyname.as_deref() == Some(name(*state)));
        held.filter(|_| is_open(customer.status))
    }

    fn records(sandbox: &Sandbox) -> usize {
        let customers = sandbox.portabilling.customers();
        customers
            .iter()
            .filter(|customer| is_open(customer.status))
            .count()
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.portabilling.calls()
    }
}

impl<const KIND: usize> Documents<KIND> {
    pub(crate) const KIND: Kind = [Kind::Invoice, Kind::CreditNote, Kind::Payment][KIND];

    /// A stand with a partner and a document of 119.05.
    pub(crate) async fn stand() -> Stand<Self> {
        let stand = Stand::start().await;
        let sap = &stand.sandbox.service_layer;
        sap.add_partner(Partner::customer(CARD, name(State::First)));
        let entry = sap.add_document(Self::KIND, NewDocument::of(CARD, Decimal::new(11_905, 2)));
        assert_eq!(entry, 1, "the first of its kind");
        stand
    }

    /// The bookings of the customer: what each does, its amount and its reference.
    pub(crate) fn booked(stand: &Stand<Self>) -> Vec<(&'static str, String, String)> {
        let all = stand.sandbox.portabilling.all_transactions();
        all.into_iter()
            .map(|booked| {
                (
                    booked.action.name(),
                    booked.amount.to_string(),
                    booked.internal_comment.unwrap_or_default(),
                )
            })
            .collect()
    }

    /// The id that stands in B1.
    pub(crate) fn linked(stand: &Stand<Self>, entry: i64) -> Option<String> {
        stand
            .sandbox
            .service_layer
            .document(Self::KIND, entry)?
            .portabilling_id
    }
}

impl<const KIND: usize> Subject for Documents<KIND> {
    const VENDOR: &'static str = "portabilling";
    const ENTITY_TYPE: &'static str = ["invoice", "credit-note", "payment"][KIND];
    const ID: &'static str = "1";
    const OTHER_ID: &'static str = "2";
    const REFUSES_CREDENTIAL: Fault = Fault::Status(401);

    fn settings(sandbox: &Sandbox) -> Value {
        settings(sandbox)
    }

    fn secret(sandbox: &Sandbox) -> Value {
        secret(sandbox)
    }

    fn wire(setup: &Setup) -> Result<Vec<Entity>, StartError> {
        portabilling::wire(setup)
    }

    fn change(_: &Stand<Self>, _: &Change) {}

    fn event(change: &Change) -> Value {
        event(Self::KIND.object_type(), "A", &change.id)
    }

    fn faults(sandbox: &Sandbox) -> Faults {
        sandbox.portabilling.faults().clone()
    }

    fn held(_: &Sandbox, _: &str) -> Option<State> {
        None
    }

    fn records(sandbox: &Sandbox) -> usize {
        sandbox.portabilling.all_transactions().len()
    }

    fn calls(sandbox: &Sandbox) -> u64 {
        sandbox.portabilling.calls()
    }
}
