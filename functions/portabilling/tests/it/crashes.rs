//! The function dies at every request, before and after it takes effect; the message comes again; there is one effect.

use rust_decimal::Decimal;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::crash::at_every_request;
use vendorbridge_testkit::conformance::{Stand, State};
use vendorbridge_testkit::sandbox::servicelayer::Kind;

use crate::subject::{CARD, Documents, Partners};

type Invoices = Documents<0>;

async fn partner() -> Stand<Partners> {
    let mut stand = Stand::start().await;
    stand.set(State::First);
    stand
}

async fn cancelled() -> Stand<Invoices> {
    let mut stand = Invoices::stand().await;
    assert_eq!(stand.announce().await, Status::Synced);
    stand.sandbox.service_layer.cancel(Kind::Invoice, 1).unwrap();
    stand
}

fn one_customer(stand: &Stand<Partners>, when: &str) {
    assert_eq!(stand.record().status, Status::Synced, "{when}");
    let customers = stand.sandbox.portabilling.customers();
    assert_eq!(customers.len(), 1, "{when}");
    let linked = stand.sandbox.service_layer.partner(CARD).unwrap().portabilling_id;
    assert_eq!(linked, Some(customers[0].i_customer.to_string()), "{when}");
    assert_eq!(stand.record().link, linked, "{when}");
}

fn one_charge(stand: &Stand<Invoices>, when: &str) {
    assert_eq!(stand.record().status, Status::Synced, "{when}");
    let booked = stand.sandbox.portabilling.all_transactions();
    assert_eq!(booked.len(), 1, "{when}");
    assert_eq!(stand.sandbox.portabilling.customers().len(), 1, "{when}");
    let id = booked[0].i_xdr.to_string();
    assert_eq!(Invoices::linked(stand, 1), Some(id.clone()), "{when}");
    assert_eq!(stand.record().link, Some(id), "{when}");
}

fn one_charge_taken_back(stand: &Stand<Invoices>, when: &str) {
    assert_eq!(stand.record().status, Status::Synced, "{when}");
    let booked = stand.sandbox.portabilling.all_transactions();
    assert_eq!(booked.len(), 2, "{when}");
    let customer = booked[0].i_customer;
    assert_eq!(
        stand.sandbox.portabilling.balance(customer),
        Decimal::ZERO,
        "{when}"
    );
}

#[tokio::test]
async fn a_partner_is_one_customer() {
    let portabilling = |stand: &Stand<Partners>| stand.sandbox.portabilling.faults().clone();
    let broken = at_every_request(CARD, portabilling, partner, one_customer).await;
    assert_eq!(broken, 2 * 3, "login, look, addition");
    let sap = |stand: &Stand<Partners>| stand.sandbox.service_layer.faults().clone();
    let broken = at_every_request(CARD, sap, partner, one_customer).await;
    assert_eq!(broken, 2 * 3, "login, read, write-back");
}

#[tokio::test]
async fn an_invoice_is_one_charge() {
    let portabilling = |stand: &Stand<Invoices>| stand.sandbox.portabilling.faults().clone();
    let broken = at_every_request("1", portabilling, Invoices::stand, one_charge).await;
    assert_eq!(broken, 2 * 4, "login, look, addition, transaction");
    let sap = |stand: &Stand<Invoices>| stand.sandbox.service_layer.faults().clone();
    let broken = at_every_request("1", sap, Invoices::stand, one_charge).await;
    assert_eq!(broken, 2 * 6, "login, three reads, two write-backs");
}

#[tokio::test]
async fn a_cancellation_is_one_opposite_transaction() {
    let portabilling = |stand: &Stand<Invoices>| stand.sandbox.portabilling.faults().clone();
    let broken = at_every_request("1", portabilling, cancelled, one_charge_taken_back).await;
    assert_eq!(broken, 2, "the transaction");
    let sap = |stand: &Stand<Invoices>| stand.sandbox.service_layer.faults().clone();
    let broken = at_every_request("1", sap, cancelled, one_charge_taken_back).await;
    assert_eq!(broken, 2 * 3, "three reads");
}
