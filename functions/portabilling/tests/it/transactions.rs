//! Documents → transactions: once each, for the right amount, linked both ways.

use rstest::rstest;
use rust_decimal::Decimal;
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::Stand;
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_testkit::sandbox::servicelayer::{Kind, NewDocument, Partner};

use crate::subject::{CARD, Documents, event};

type Invoices = Documents<0>;
type Payments = Documents<2>;

const REFERENCE: &str = "sapb1:SBODEMOUS:13:1";

fn charge(reference: &str) -> (&'static str, String, String) {
    ("Manual Charge", "119.05".to_owned(), reference.to_owned())
}

fn credit(reference: &str) -> (&'static str, String, String) {
    ("Manual Credit", "119.05".to_owned(), reference.to_owned())
}

async fn booked() -> Stand<Invoices> {
    let mut stand = Invoices::stand().await;
    assert_eq!(stand.announce().await, Status::Synced);
    stand
}

#[tokio::test]
async fn an_invoice_of_an_unknown_customer_creates_it_first_and_links_both() {
    let stand = booked().await;
    let customer = stand.sandbox.portabilling.customer_by_refnum(CARD).unwrap();
    let booked = stand.sandbox.portabilling.transactions(customer.i_customer);
    assert_eq!(Invoices::booked(&stand), [charge(REFERENCE)]);
    assert_eq!(
        booked[0].visible_comment.as_deref(),
        Some("[sapb1:SBODEMOUS:13:1] Invoice 100001")
    );
    let id = booked[0].i_xdr.to_string();
    assert_eq!(stand.record().link.as_ref(), Some(&id));
    assert_eq!(Invoices::linked(&stand, 1), Some(id));
    let partner = stand.sandbox.service_layer.partner(CARD).unwrap();
    assert_eq!(partner.portabilling_id, Some(customer.i_customer.to_string()));
}

#[tokio::test]
async fn each_kind_is_the_transaction_that_it_should_be() {
    async fn of<const KIND: usize>() -> Vec<(&'static str, String, String)> {
        let mut stand = Documents::<KIND>::stand().await;
        assert_eq!(stand.announce().await, Status::Synced);
        stand
            .sandbox
            .service_layer
            .cancel(Documents::<KIND>::KIND, 1)
            .unwrap();
        assert_eq!(stand.announce().await, Status::Synced);
        Documents::booked(&stand)
    }
    let actions = |booked: Vec<(&'static str, String, String)>| -> Vec<_> {
        booked.into_iter().map(|(action, ..)| action).collect()
    };
    assert_eq!(actions(of::<0>().await), ["Manual Charge", "Manual Credit"]);
    assert_eq!(actions(of::<1>().await), ["Manual Credit", "Manual Charge"]);
    assert_eq!(actions(of::<2>().await), ["Manual Payment", "Manual Charge"]);
}

#[tokio::test]
async fn a_repeat_an_update_and_a_notice_book_nothing_more() {
    let mut stand = booked().await;
    stand.redeliver().await;
    for transaction_type in ["A", "U", "U"] {
        let event = event("13", transaction_type, "1");
        assert_eq!(stand.announce_with("1", event).await, Status::Unchanged);
    }
    assert_eq!(Invoices::booked(&stand), [charge(REFERENCE)]);
}

#[tokio::test]
async fn a_cancelled_invoice_is_taken_back_once_and_its_cancellation_document_is_kept_out() {
    let mut stand = booked().await;
    let cancellation = stand
        .sandbox
        .service_layer
        .cancel(Kind::Invoice, 1)
        .unwrap()
        .unwrap();
    let event = |transaction, key: &str| event("13", transaction, key);
    let entry = cancellation.to_string();
    assert_eq!(
        stand.announce_with(&entry, event("A", &entry)).await,
        Status::Excluded
    );
    assert_eq!(
        stand.record_of(&entry).rule.as_deref(),
        Some("cancellation-document")
    );
    assert_eq!(stand.announce_with("1", event("C", "1")).await, Status::Synced);
    let expected = [charge(REFERENCE), credit(&format!("{REFERENCE}:cancel"))];
    assert_eq!(Invoices::booked(&stand), expected);
    stand.redeliver().await;
    assert_eq!(stand.announce_with("1", event("U", "1")).await, Status::Unchanged);
    assert_eq!(Invoices::booked(&stand), expected);
    let customer = stand.sandbox.portabilling.customer_by_refnum(CARD).unwrap();
    assert_eq!(
        stand.sandbox.portabilling.balance(customer.i_customer),
        Decimal::ZERO
    );
}

#[tokio::test]
async fn what_was_cancelled_before_it_was_sent_is_never_booked_and_the_ledger_says_so() {
    let mut stand = Invoices::stand().await;
    stand.sandbox.service_layer.cancel(Kind::Invoice, 1).unwrap();
    assert_eq!(stand.announce().await, Status::Excluded);
    assert_eq!(
        stand.record().rule.as_deref(),
        Some("cancelled-before-it-was-sent")
    );
    assert_eq!(Invoices::booked(&stand), []);
    assert!(stand.sandbox.portabilling.customers().is_empty());
}

#[tokio::test]
async fn a_booked_charge_of_unknown_outcome_that_is_cancelled_meanwhile_is_taken_back() {
    let mut stand = in_doubt(Fault::AcceptThenCut).await;
    stand.sandbox.service_layer.cancel(Kind::Invoice, 1).unwrap();
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    let expected = [charge(REFERENCE), credit(&format!("{REFERENCE}:cancel"))];
    assert_eq!(Invoices::booked(&stand), expected);
}

#[tokio::test]
async fn one_that_was_not_booked_is_not_booked_any_more() {
    let mut stand = in_doubt(Fault::CutConnection).await;
    stand.sandbox.service_layer.cancel(Kind::Invoice, 1).unwrap();
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Excluded);
    let rule = stand.record().rule;
    assert_eq!(rule.as_deref(), Some("cancelled-before-it-was-sent"));
    assert_eq!(
        stand.announce_with("1", event("13", "U", "1")).await,
        Status::Excluded
    );
    assert_eq!(Invoices::booked(&stand), []);
}

/// A gateway's 503, and a fault from the middle of the call: neither says that nothing was booked.
#[rstest]
#[tokio::test]
async fn an_answer_that_is_no_proof_is_looked_into(#[values(true, false)] is_gateway: bool) {
    let mut stand = Invoices::stand().await;
    let fault = if is_gateway {
        Fault::Status(503)
    } else {
        Fault::Status(500)
    };
    stand.sandbox.portabilling.faults().always_for(REFERENCE, fault);
    stand.announce().await;
    assert!(!stand.record().effects.is_empty());
    stand.sandbox.portabilling.faults().clear();
    let customer = stand
        .sandbox
        .portabilling
        .customer_by_refnum(CARD)
        .unwrap()
        .i_customer;
    // It was booked all the same.
    stand
        .sandbox
        .portabilling
        .book_as(customer, Decimal::new(11_905, 2), REFERENCE);
    stand.pass(std::time::Duration::from_mins(10));
    stand.announce().await;
    if stand.record().parked.is_some() {
        stand.wake().await;
    }
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(Invoices::booked(&stand), [charge(REFERENCE)]);
}

async fn in_doubt(fault: Fault) -> Stand<Invoices> {
    let mut stand = Invoices::stand().await;
    stand.sandbox.portabilling.faults().always_for(REFERENCE, fault);
    assert_eq!(stand.announce().await, Status::Parked);
    stand.sandbox.portabilling.faults().clear();
    stand
}

/// The partner may be anything by then.
#[tokio::test]
async fn a_reversal_needs_no_customer() {
    let mut stand = booked().await;
    stand
        .sandbox
        .service_layer
        .update_partner(CARD, |partner| partner.currency = "##".to_owned());
    stand.sandbox.service_layer.cancel(Kind::Invoice, 1).unwrap();
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(Invoices::booked(&stand).len(), 2);
}

#[tokio::test]
async fn xdrs_that_show_late_are_waited_for() {
    let mut stand = Invoices::stand().await;
    stand
        .sandbox
        .portabilling
        .set_xdr_delay(std::time::Duration::from_secs(90));
    stand
        .sandbox
        .portabilling
        .faults()
        .always_for(REFERENCE, Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    stand.sandbox.portabilling.faults().clear();
    // Delivered again at once: nothing is to be seen yet, and nothing is booked.
    stand.redeliver().await;
    assert_eq!(stand.record().status, Status::Parked);
    assert_eq!(Invoices::booked(&stand).len(), 1);
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(Invoices::booked(&stand), [charge(REFERENCE)]);
}

#[tokio::test]
async fn a_transaction_is_found_behind_more_than_a_page_of_others() {
    let mut stand = Invoices::stand().await;
    let customer = stand
        .sandbox
        .portabilling
        .add_customer("by-hand", |customer| customer.refnum = Some(CARD.to_owned()));
    for _ in 0..230 {
        stand.sandbox.portabilling.book_by_hand(customer, Decimal::ONE);
    }
    stand
        .sandbox
        .portabilling
        .faults()
        .always_for(REFERENCE, Fault::AcceptThenCut);
    assert_eq!(stand.announce().await, Status::Parked);
    stand.sandbox.portabilling.faults().clear();
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert_eq!(Invoices::booked(&stand).len(), 231);
}

#[tokio::test]
async fn a_payment_waits_for_the_invoice_that_it_pays() {
    let mut stand = Stand::<Payments>::start().await;
    let sap = &stand.sandbox.service_layer;
    sap.add_partner(Partner::customer(CARD, "Parameter Technology"));
    let invoice = sap.add_invoice(NewDocument::of(CARD, Decimal::ONE_HUNDRED));
    let mut payment = NewDocument::of(CARD, Decimal::ONE_HUNDRED);
    payment.invoices = vec![(invoice, Decimal::ONE_HUNDRED)];
    let payment = sap.add_payment(payment).to_string();
    // The invoice's event is on its way.
    assert_eq!(
        stand.announce_with(&payment, event("24", "A", &payment)).await,
        Status::Parked
    );
    assert_eq!(
        stand.record_of(&payment).parked.unwrap().error.kind,
        ErrorKind::Waiting
    );
    assert!(stand.sandbox.portabilling.all_transactions().is_empty());
    // It never came: the invoice is older than all this.
    stand.wake_of(&payment).await;
    assert_eq!(stand.record_of(&payment).status, Status::Synced);
}

#[tokio::test]
async fn another_currency_than_the_customers_is_refused() {
    let mut stand = Invoices::stand().await;
    let mut document = NewDocument::of(CARD, Decimal::TEN);
    document.currency = "USD".to_owned();
    let entry = stand.sandbox.service_layer.add_invoice(document).to_string();
    assert_eq!(
        stand.announce_with(&entry, event("13", "A", &entry)).await,
        Status::Rejected
    );
    let error = stand.record_of(&entry).error.unwrap();
    assert_eq!(error.pointer.as_deref(), Some("/DocCurrency"));
}

#[tokio::test]
async fn a_customer_that_is_closed_is_charged_nothing_and_the_ledger_has_the_fault() {
    let mut stand = booked().await;
    let customer = stand.sandbox.portabilling.customer_by_refnum(CARD).unwrap();
    stand.sandbox.portabilling.close_by_hand(customer.i_customer);
    let entry = stand
        .sandbox
        .service_layer
        .add_invoice(NewDocument::of(CARD, Decimal::TEN))
        .to_string();
    assert_eq!(
        stand.announce_with(&entry, event("13", "A", &entry)).await,
        Status::Rejected
    );
    let error = stand.record_of(&entry).error.unwrap();
    assert_eq!(error.step.as_deref(), Some("transaction"));
    assert!(
        error
            .code
            .unwrap()
            .starts_with("Server.Customer.make_transaction")
    );
    assert_eq!(Invoices::booked(&stand).len(), 1);
}
