//! SAP Business One → PortaBilling: what is entered in one, and what must stand in the other.

use rust_decimal::Decimal;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::{CloudError, World, until};
use vendorbridge_testkit::sandbox::Sandbox;
use vendorbridge_testkit::sandbox::portabilling::Transaction;
use vendorbridge_testkit::sandbox::servicelayer::{B1Event, CardType, Kind, NewDocument, Partner};

use crate::demo::{Outcome, SETTLED_WITHIN, outcome, settled};

const VENDOR: &str = "portabilling";
const CUSTOMER: &str = "C20000";

/// An event of B1, what it is, and the status that it must reach.
type Expected = (B1Event, &'static str, Status);

/// Enters partners and documents, sends B1's events by the ingest API, and waits until each has its outcome.
pub(crate) async fn play(world: &World) -> Result<Vec<Outcome>, CloudError> {
    let sap = &world.sandbox.service_layer;
    sap.add_partner(Partner::customer(CUSTOMER, "Parameter Technology"));
    let mut lead = Partner::customer("L30000", "Maxi-Teq");
    lead.card_type = CardType::Lead;
    sap.add_partner(lead);
    let paid = sap.add_invoice(NewDocument::of(CUSTOMER, Decimal::new(11_905, 2)));
    let wrong = sap.add_invoice(NewDocument::of(CUSTOMER, Decimal::new(4_990, 2)));
    let mut events = sap.take_events();
    let mut order = events[2].clone();
    order.object_type = "17";
    events.push(order);
    let first = [
        ("partner added", Status::Synced),
        ("lead added", Status::Excluded),
        ("invoice added", Status::Synced),
        ("invoice added", Status::Synced),
        ("order added", Status::Excluded),
    ];
    let mut outcomes = send(world, expected(events, &first)).await?;

    let ours = world.sandbox.service_layer.take_events();
    let mut events: Vec<_> = ours.into_iter().take(1).collect();
    let mut payment = NewDocument::of(CUSTOMER, Decimal::new(11_905, 2));
    payment.invoices = vec![(paid, payment.total)];
    sap.add_payment(payment);
    let never = sap.add_invoice(NewDocument::of(CUSTOMER, Decimal::new(700, 2)));
    for entry in [wrong, never] {
        // What stands here is entered; B1 lets it be cancelled.
        _ = sap.cancel(Kind::Invoice, entry);
    }
    // A cancellation raises an update as well, which the cancellation itself may coalesce.
    events.extend(
        sap.take_events()
            .into_iter()
            .filter(|event| event.transaction_type != 'U'),
    );
    let second = [
        ("our own write-back", Status::Excluded),
        ("payment added", Status::Synced),
        ("invoice added, cancelled by now", Status::Excluded),
        ("cancellation document", Status::Excluded),
        ("invoice cancelled", Status::Synced),
        ("cancellation document", Status::Excluded),
        ("invoice cancelled", Status::Excluded),
    ];
    let second = expected(events, &second);
    // Of the two events of one invoice either may do the work.
    let second = second
        .into_iter()
        .filter(|(_, what, _)| !what.ends_with("by now"));
    outcomes.extend(send(world, second.collect()).await?);
    Ok(outcomes)
}

/// Where PortaBilling differs from what was entered.
pub(crate) fn differences(sandbox: &Sandbox) -> Vec<String> {
    let mut differences = Vec::new();
    let billing = &sandbox.portabilling;
    if billing.customers().len() != 1 {
        differences.push(format!(
            "portabilling: {} customers, expected 1",
            billing.customers().len()
        ));
    }
    let booked = billing.all_transactions();
    let total: Decimal = booked.iter().map(Transaction::charged).sum();
    if (booked.len(), total) != (4, Decimal::ZERO) {
        differences.push(format!(
            "portabilling: {} transactions that come to {total}, expected 4 that come to 0",
            booked.len()
        ));
    }
    let linked = |kind| {
        let documents = sandbox.service_layer.documents(kind).into_iter();
        documents
            .filter(|document| document.portabilling_id.is_some())
            .count()
    };
    let links = linked(Kind::Invoice) + linked(Kind::Payment);
    if links != 3 {
        differences.push(format!("b1: {links} linked documents, expected 3"));
    }
    differences
}

fn expected(events: Vec<B1Event>, rows: &[(&'static str, Status)]) -> Vec<Expected> {
    let rows = rows.iter().copied();
    events
        .into_iter()
        .zip(rows)
        .map(|(event, (what, status))| (event, what, status))
        .collect()
}

async fn send(world: &World, rows: Vec<Expected>) -> Result<Vec<Outcome>, CloudError> {
    let sent = SystemClock.now();
    let events: Vec<_> = rows.iter().map(|(event, ..)| event.clone()).collect();
    let ids = world.send_from_b1(&events).await?;
    let records = until("an outcome of every event of B1", SETTLED_WITHIN, async || {
        let events = world.events_since(VENDOR, sent).await?;
        Ok(ids
            .iter()
            .map(|id| settled(&events, id))
            .collect::<Option<Vec<_>>>())
    })
    .await?;
    let rows = rows.into_iter().zip(records);
    Ok(rows
        .map(|((_, what, status), record)| outcome(what, VENDOR, record, status, sent))
        .collect())
}
