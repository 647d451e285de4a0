//! SAP Business One → PortaBilling: many events, in any order and more than once, through sessions that end, refusals, lost
//! answers and killed functions; one customer per partner, one transaction per document, to the cent.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;
use vendorbridge::EntityKey;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::ledger::{AttentionKind, Status};
use vendorbridge_testkit::cloud::{World, until};
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_testkit::sandbox::portabilling::{Action, Transaction};
use vendorbridge_testkit::sandbox::servicelayer::{B1Event, Cancelled, Kind, NewDocument, Partner};

use crate::processes::{kill_functions, shorten_visibility};
use crate::stage;

const VENDOR: &str = "portabilling";
const PARTNERS: usize = 300;
const DOCUMENTS: usize = 2_000;
const CANCELLED: usize = 150;
/// How long a machine that is busy with other tests may take, in which this work is mostly waits.
const WITHIN: Duration = Duration::from_mins(20);
/// The function's, in seconds.
const FUNCTION_TIMEOUT: u32 = 120;
/// How long PortaBilling hides a transaction; the function waits longer than that.
const XDR_DELAY: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customer_per_partner_and_one_transaction_per_document() {
    let world = stage::world("billing", |options| {
        options.enforce_roles = true;
        options.duplicates = Some((0.05, 7));
        options.park_base_seconds = 1;
        options.vendors = vec![VENDOR.to_owned()];
        options.ingest = true;
    })
    .await;
    shorten_visibility(&world, VENDOR, FUNCTION_TIMEOUT).await;
    misbehave(&world);
    let mut random = fastrand::Rng::with_seed(7);
    let documents = enter(&world, &mut random);
    let started = Instant::now();
    let since = SystemClock.now();

    let mut events = world.sandbox.service_layer.take_events();
    // Repeated and reordered; what is cancelled is cancelled while all this is on its way.
    let repeats: Vec<_> = events.iter().step_by(10).cloned().collect();
    events.extend(repeats);
    random.shuffle(&mut events);
    let cancelled: Vec<_> = documents.iter().take(CANCELLED).copied().collect();
    let sent = Mutex::new(events.len());
    let halves = events.split_at(events.len() / 2);
    let sending = async {
        // Some are cancelled before they can have been booked, some once they certainly are.
        let (early, late) = cancelled.split_at(CANCELLED / 2);
        let (one, other) = tokio::join!(send(&world, halves.0), cancel(&world, early));
        let (more, (), ()) = tokio::join!(send(&world, halves.1), disturb(&world), async {
            let booked = some_booked(&world, late).await;
            *sent.lock().unwrap() += cancel(&world, &booked).await;
        });
        assert_eq!(one + more, events.len());
        *sent.lock().unwrap() += other;
    };
    let until_settled = async {
        sending.await;
        settle(&world).await;
    };
    // Runs as long as the rest: the schedule of the waker, and B1, which announces our own write-backs like any change.
    let background = async {
        loop {
            let own = world.sandbox.service_layer.take_events();
            *sent.lock().unwrap() += send(&world, &own).await;
            // A run of the waker that is killed with the others is followed by the next one.
            _ = world.wake(VENDOR).await;
            // Stands in for the schedule; nothing is synchronised by it.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = until_settled => {}
        () = background => {}
    }

    let sent = *sent.lock().unwrap();
    let mut by_status: BTreeMap<String, usize> = BTreeMap::new();
    for record in world.events_since(VENDOR, since).await.unwrap() {
        let name = record.rule.map_or_else(String::new, |rule| format!(" {rule}"));
        *by_status.entry(format!("{}{name}", record.status)).or_default() += 1;
    }
    let billing = &world.sandbox.portabilling;
    eprintln!(
        "figures: {sent} events in {:.0?}: {by_status:?}; {} calls of PortaBilling, {} logins, faults {:?}; {} calls of B1, {} logins",
        started.elapsed(),
        billing.calls(),
        billing.logins(),
        billing.faults().injected(),
        world.sandbox.service_layer.calls(),
        world.sandbox.service_layer.logins(),
    );
    assert!(billing.faults().how_many(|fault| fault == Fault::AcceptThenCut) > 0);
    check_customers(&world).await;
    check_transactions(&world).await;
    assert_eq!(
        world.queue_depth("DeadLetterQueueUrlportabilling").await.unwrap(),
        0
    );
    stage::end(world).await;
}

/// Sessions that end, refusals, and answers that are lost after the work is done.
fn misbehave(world: &World) {
    let billing = &world.sandbox.portabilling;
    billing.set_xdr_delay(XDR_DELAY);
    let faults = [
        (0.02, Fault::Status(503)),
        (0.01, Fault::Status(500)),
        (0.02, Fault::AcceptThenCut),
        (0.005, Fault::AcceptThenTimeout),
        (0.01, Fault::CutConnection),
    ];
    billing.faults().rates(11, &faults);
    let sap = &world.sandbox.service_layer;
    sap.faults()
        .rates(12, &[(0.02, Fault::Status(503)), (0.01, Fault::AcceptThenCut)]);
}

/// Enters partners and documents by hand. Answers with what may be cancelled.
fn enter(world: &World, random: &mut fastrand::Rng) -> Vec<(Kind, i64)> {
    let sap = &world.sandbox.service_layer;
    let code = |number: usize| format!("C{number:05}");
    for number in 0..PARTNERS {
        sap.add_partner(Partner::customer(&code(number), &format!("Partner {number}")));
    }
    let mut documents = Vec::new();
    let mut invoices: Vec<(i64, String, Decimal)> = Vec::new();
    for _ in 0..DOCUMENTS {
        let partner = code(random.usize(0..PARTNERS));
        let total = Decimal::new(random.i64(1..1_000_000), 2);
        let document = NewDocument::of(&partner, total);
        match random.u8(0..10) {
            0..6 => {
                let entry = sap.add_invoice(document);
                invoices.push((entry, partner, total));
                documents.push((Kind::Invoice, entry));
            }
            6..8 => documents.push((Kind::CreditNote, sap.add_credit_note(document))),
            _ => {
                let paid = random.choice(&invoices).cloned();
                let document = match paid {
                    Some((entry, partner, total)) => NewDocument {
                        invoices: vec![(entry, total)],
                        ..NewDocument::of(&partner, total)
                    },
                    None => document,
                };
                documents.push((Kind::Payment, sap.add_payment(document)));
            }
        }
    }
    random.shuffle(&mut documents);
    documents
}

async fn send(world: &World, events: &[B1Event]) -> usize {
    let ids = world.send_from_b1(events).await.unwrap();
    assert_eq!(ids.len(), events.len());
    events.len()
}

/// Cancels documents one after the other; B1 announces it. Answers with how many events that were.
async fn cancel(world: &World, documents: &[(Kind, i64)]) -> usize {
    let mut sent = 0;
    for batch in documents.chunks(10) {
        for (kind, entry) in batch {
            world.sandbox.service_layer.cancel(*kind, *entry).unwrap();
        }
        let events = world.sandbox.service_layer.take_events();
        sent += send(world, &events).await;
    }
    sent
}

/// Those of these documents that are booked, once there are some.
async fn some_booked(world: &World, documents: &[(Kind, i64)]) -> Vec<(Kind, i64)> {
    until("documents that are booked", WITHIN, async || {
        let is_booked = |(kind, entry): &&(Kind, i64)| {
            let document = world.sandbox.service_layer.document(*kind, *entry);
            document.is_some_and(|document| document.portabilling_id.is_some())
        };
        let booked: Vec<_> = documents.iter().filter(is_booked).copied().collect();
        Ok((booked.len() >= documents.len() / 3).then_some(booked))
    })
    .await
    .unwrap()
}

/// All sessions end, and all function processes are killed, while there is work.
async fn disturb(world: &World) {
    for round in 0..3 {
        let before = world.sandbox.portabilling.calls();
        until("work", WITHIN, async || {
            Ok((world.sandbox.portabilling.calls() > before + 200).then_some(()))
        })
        .await
        .unwrap();
        world.sandbox.portabilling.expire_tokens();
        world.sandbox.service_layer.expire_sessions();
        if round == 1 {
            assert!(kill_functions(world) > 0, "a function was at work");
        }
    }
}

/// Waits until nothing is queued and nothing waits; says what is left if it does not come to that.
async fn settle(world: &World) {
    let ended = until("an end of all work", WITHIN, async || {
        let queued = world.queue_depth("QueueUrlportabilling").await?;
        let ledger = world.ledger();
        let parked = ledger.attention_count(VENDOR, AttentionKind::Wake).await?;
        Ok((queued == 0 && parked == 0).then_some(()))
    })
    .await;
    if let Err(error) = ended {
        let queued = world.queue_depth("QueueUrlportabilling").await;
        let left = world.ledger().attention(VENDOR, AttentionKind::Wake, 5).await;
        panic!("{error}: {queued:?} queued, of what waits {left:#?}");
    }
}

async fn link(world: &World, entity_type: &str, id: &str) -> (Status, Option<String>, Option<String>) {
    let entity = EntityKey::new(entity_type, id).unwrap();
    let record = world.ledger().entity(VENDOR, &entity).await.unwrap().unwrap();
    (record.status, record.link, record.rule)
}

async fn check_customers(world: &World) {
    let customers = world.sandbox.portabilling.customers();
    assert_eq!(customers.len(), PARTNERS);
    let by_refnum: HashMap<_, _> = customers
        .iter()
        .filter_map(|customer| Some((customer.refnum.clone()?, customer)))
        .collect();
    for partner in world.sandbox.service_layer.partners() {
        let customer = by_refnum[&partner.card_code];
        let id = Some(customer.i_customer.to_string());
        assert_eq!(customer.companyname.as_deref(), Some(partner.card_name.as_str()));
        assert_eq!(partner.portabilling_id, id, "{}", partner.card_code);
        let (status, link, _) = link(world, "partner", &partner.card_code).await;
        assert!(
            matches!(status, Status::Synced | Status::Unchanged),
            "{}",
            partner.card_code
        );
        assert_eq!(link, id);
    }
}

/// Each document and its transactions, by the reference that they carry.
async fn check_transactions(world: &World) {
    let mut by_reference: HashMap<String, Vec<Transaction>> = HashMap::new();
    for booked in world.sandbox.portabilling.all_transactions() {
        let reference = booked.internal_comment.clone().unwrap();
        by_reference.entry(reference).or_default().push(booked);
    }
    let mut balances: HashMap<String, Decimal> = HashMap::new();
    let mut undone = 0;
    for (kind, name, opposite) in [
        (Kind::Invoice, "invoice", Action::Credit),
        (Kind::CreditNote, "credit-note", Action::Charge),
        (Kind::Payment, "payment", Action::Charge),
    ] {
        for document in world.sandbox.service_layer.documents(kind) {
            let entry = document.doc_entry;
            let reference = format!("sapb1:SBODEMOUS:{}:{entry}", kind.object_type());
            let booked = by_reference.remove(&reference).unwrap_or_default();
            let taken_back = by_reference
                .remove(&format!("{reference}:cancel"))
                .unwrap_or_default();
            let (status, link, rule) = link(world, name, &entry.to_string()).await;
            assert_eq!(document.portabilling_id, link, "{reference}");
            if document.cancelled != Cancelled::No && booked.is_empty() {
                assert!(rule.is_some(), "{reference} is {status}");
                assert_eq!((status, taken_back.len()), (Status::Excluded, 0), "{reference}");
                continue;
            }
            assert_ne!(document.cancelled, Cancelled::Cancellation, "{reference}");
            assert!(
                matches!(status, Status::Synced | Status::Unchanged),
                "{reference} is {status}"
            );
            assert_eq!(booked.len(), 1, "{reference}");
            assert_eq!(booked[0].amount, document.total, "{reference}");
            assert_eq!(link, Some(booked[0].i_xdr.to_string()), "{reference}");
            let expected = usize::from(document.cancelled == Cancelled::Yes);
            assert_eq!(taken_back.len(), expected, "{reference}");
            if let Some(taken_back) = taken_back.first() {
                assert_eq!((taken_back.action, taken_back.amount), (opposite, document.total));
                undone += 1;
                continue;
            }
            *balances.entry(document.card_code).or_default() += booked[0].charged();
        }
    }
    assert!(by_reference.is_empty(), "of no document: {by_reference:?}");
    assert!(undone > 0, "nothing was cancelled after it was booked");
    for (card_code, balance) in balances {
        let customer = world.sandbox.portabilling.customer_by_refnum(&card_code).unwrap();
        let held = world.sandbox.portabilling.balance(customer.i_customer);
        assert_eq!(held, balance, "{card_code}");
    }
}
