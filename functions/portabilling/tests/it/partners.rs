//! Business partners → customers: the suite, and what it does not ask.

use vendorbridge::ErrorKind;
use vendorbridge::ask::{Answer, Question};
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Stand, State, Subject};
use vendorbridge_testkit::sandbox::Fault;
use vendorbridge_testkit::sandbox::servicelayer::Partner;

use crate::subject::{CARD, Partners, event};

// A refused credential is a session that is renewed, and a customer that was closed does not come back: see below.
vendorbridge_testkit::conformance!(@tests Partners:
    create, update, unchanged, delete, repeat, rate_limited, gone, unknown_outcome, never_sent, too_large,
    describes, previews, lists);

async fn created() -> Stand<Partners> {
    let mut stand = Stand::start().await;
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    stand
}

#[tokio::test]
async fn the_partners_of_b1_are_listed_page_by_page() {
    let stand: Stand<Partners> = Stand::start().await;
    for at in 0..7 {
        let partner = Partner::customer(&format!("L{at}"), "Parameter Technology");
        stand.sandbox.service_layer.add_partner(partner);
    }
    let calls = stand.calls();
    for with_fields in [false, true] {
        let (mut listed, mut page, mut totals) = (Vec::new(), None, Vec::new());
        loop {
            let question = Question::SourcePage {
                entity_type: "partner".to_owned(),
                page,
                limit: 3,
                with_fields,
            };
            let answer = stand.ask(question).await;
            let Answer::SourcePage(found) = answer else {
                panic!("expected a page, found {answer:?}")
            };
            assert!(found.records.len() <= 3);
            listed.extend(found.records);
            totals.push(found.total);
            page = found.next;
            if page.is_none() {
                break;
            }
        }
        let ids: Vec<_> = listed.iter().map(|record| record.entity.as_str()).collect();
        let expected: Vec<_> = (0..7).map(|at| format!("partner/L{at}")).collect();
        assert_eq!(ids, expected);
        assert_eq!(
            totals,
            [Some(7), None, None],
            "the first page says how many there are"
        );
        for record in listed {
            assert_eq!(record.error, None);
            assert_eq!(record.fields.contains_key("/companyname"), with_fields);
        }
    }
    assert_eq!(stand.calls(), calls, "the vendor is not asked");
}

#[tokio::test]
async fn a_service_that_will_not_count_is_listed_all_the_same() {
    let stand: Stand<Partners> = Stand::start().await;
    let service_layer = &stand.sandbox.service_layer;
    service_layer.add_partner(Partner::customer("L0", "Parameter Technology"));
    // A login, and then the list.
    service_layer.faults().at(2, Fault::Status(400));
    let question = Question::SourcePage {
        entity_type: "partner".to_owned(),
        page: None,
        limit: 3,
        with_fields: false,
    };
    let Answer::SourcePage(page) = stand.ask(question).await else {
        panic!("expected a page")
    };
    assert_eq!((page.records.len(), page.total), (1, None));
    assert_eq!(service_layer.calls(), 3);
}

#[tokio::test]
async fn the_ids_are_the_same_on_both_sides_and_in_the_ledger() {
    let stand = created().await;
    let customer = stand.sandbox.portabilling.customer_by_refnum(CARD).unwrap();
    let id = customer.i_customer.to_string();
    assert_eq!(stand.record().link.as_ref(), Some(&id));
    let partner = stand.sandbox.service_layer.partner(CARD).unwrap();
    assert_eq!(partner.portabilling_id, Some(id));
    assert_eq!(
        (customer.name.as_str(), customer.currency.as_str()),
        (CARD, "EUR")
    );
    assert_eq!(
        stand.sandbox.portabilling.unknown_properties().len(),
        0,
        "every field is one of PortaBilling's"
    );
}

#[tokio::test]
async fn what_we_wrote_back_ourselves_starts_nothing() {
    let mut stand = created().await;
    let ours: Vec<_> = stand
        .sandbox
        .service_layer
        .take_events()
        .into_iter()
        .filter(|event| event.user == "vendorbridge")
        .collect();
    assert_eq!(ours.len(), 1, "one write-back");
    let (calls, reads) = (stand.calls(), stand.sandbox.service_layer.calls());
    let mut own = event("2", "U", CARD);
    own["detail"]["user"] = "vendorbridge".into();
    assert_eq!(stand.announce_with(CARD, own).await, Status::Excluded);
    assert_eq!(stand.sandbox.service_layer.calls(), reads, "nothing is read");
    // A notice does not say who it was: it is read, and nothing is pushed or written back.
    let mut notice = event("2", "U", CARD);
    notice["detail"].as_object_mut().unwrap().remove("user");
    assert_eq!(stand.announce_with(CARD, notice).await, Status::Unchanged);
    assert_eq!(stand.calls(), calls);
    assert_eq!(stand.sandbox.service_layer.take_events().len(), 0);
}

#[tokio::test]
async fn a_customer_that_has_our_reference_number_is_adopted() {
    let mut stand = Stand::<Partners>::start().await;
    let by_hand = stand
        .sandbox
        .portabilling
        .add_customer("by-hand", |customer| customer.refnum = Some(CARD.to_owned()));
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.record().link, Some(by_hand.to_string()));
    let customer = stand.sandbox.portabilling.customer(by_hand).unwrap();
    assert_eq!(
        customer.name, "by-hand",
        "the visible id stays the administrators'"
    );
    assert_eq!(stand.records(), 1);
}

#[tokio::test]
async fn a_name_that_is_another_customers_is_refused_with_what_to_do() {
    let mut stand = Stand::<Partners>::start().await;
    stand
        .sandbox
        .portabilling
        .set_duplicate_fault("Server.Customer.add_customer.whatever");
    stand
        .sandbox
        .portabilling
        .add_customer(CARD, |customer| customer.refnum = Some("another".to_owned()));
    stand.set(State::First);
    assert_eq!(stand.announce().await, Status::Rejected);
    let error = stand.record().error.unwrap();
    assert_eq!(error.pointer.as_deref(), Some("/CardCode"));
    assert!(error.message.contains("name_prefix"), "{}", error.message);
    assert_eq!(stand.records(), 1);
}

#[tokio::test]
async fn what_b1_has_emptied_is_emptied() {
    let mut stand = created().await;
    for email in [Some("ada@lovelace.example".to_owned()), None] {
        stand
            .sandbox
            .service_layer
            .update_partner(CARD, |partner| partner.email.clone_from(&email));
        assert_eq!(stand.announce().await, Status::Synced);
        let held = stand.sandbox.portabilling.customer_by_refnum(CARD).unwrap().email;
        assert_eq!(held.unwrap_or_default(), email.unwrap_or_default());
    }
}

#[tokio::test]
async fn sessions_that_are_over_are_renewed_and_nobody_notices() {
    let mut stand = created().await;
    stand.sandbox.portabilling.expire_tokens();
    stand.sandbox.service_layer.expire_sessions();
    stand.set(State::Second);
    assert_eq!(stand.announce().await, Status::Synced);
    assert_eq!(stand.held(), Some(State::Second));
    assert_eq!(stand.sandbox.portabilling.logins(), 2);
    assert_eq!(stand.sandbox.service_layer.logins(), 2);
}

#[tokio::test]
async fn a_closed_customer_is_not_brought_back() {
    let mut stand = created().await;
    stand.remove();
    assert_eq!(stand.announce().await, Status::Deleted);
    stand.set(State::Second);
    assert_eq!(stand.announce().await, Status::Rejected);
    assert_eq!(stand.record().error.unwrap().kind, ErrorKind::Refused);
}

#[tokio::test]
async fn a_write_back_that_fails_is_tried_alone() {
    let mut stand = Stand::<Partners>::start().await;
    stand.set(State::First);
    // A login, the read, and then the write-back.
    stand.sandbox.service_layer.faults().at(3, Fault::Status(503));
    stand.sandbox.service_layer.faults().at(4, Fault::Status(503));
    stand.sandbox.service_layer.faults().at(5, Fault::Status(503));
    assert_eq!(stand.announce().await, Status::Parked);
    let parked = stand.record().parked.unwrap();
    assert_eq!(parked.error.step.as_deref(), Some("link"));
    assert!(
        stand
            .ledger
            .vendor()
            .is_none_or(|vendor| vendor.circuit.is_none())
    );
    stand.wake().await;
    assert_eq!(stand.record().status, Status::Synced);
    assert!(
        stand
            .sandbox
            .service_layer
            .partner(CARD)
            .unwrap()
            .portabilling_id
            .is_some()
    );
    assert_eq!(stand.records(), 1);
}

#[tokio::test]
async fn a_partner_that_is_no_customer_is_kept_out() {
    let mut stand = Stand::<Partners>::start().await;
    stand.set(State::First);
    let lead = vendorbridge_testkit::sandbox::servicelayer::CardType::Lead;
    stand
        .sandbox
        .service_layer
        .update_partner(CARD, |partner| partner.card_type = lead);
    assert_eq!(stand.announce().await, Status::Excluded);
    assert_eq!(stand.record().rule.as_deref(), Some("no-customer"));
    assert_eq!((stand.records(), stand.calls()), (0, 0));
    assert_eq!(Partners::held(&stand.sandbox, CARD), None);
}
