//! The hand-over to entity lanes.

use vendorbridge::lane::lane;
use vendorbridge::ledger::Status;

use crate::bench::{Bench, event_id, key};

#[tokio::test]
async fn each_entity_gets_its_newest_notification() {
    let mut bench = Bench::new();
    let batch = [
        bench.event_in("intake", "1", Some(1)),
        bench.event_in("intake", "2", None),
        bench.event_in("intake", "1", Some(3)),
        bench.event_in("intake", "1", Some(2)),
    ];
    assert_eq!(bench.deliver(&batch).await, Vec::<String>::new());
    let sent = bench.lanes.sent();
    assert_eq!(
        sent.iter()
            .map(|message| message.group.as_str())
            .collect::<Vec<_>>(),
        ["person/2", "person/1"]
    );
    assert_eq!(sent[1].deduplication_id, event_id(&batch[2]));
    assert_eq!(sent[1].body, batch[2].body);
    for older in [&batch[0], &batch[3]] {
        let record = bench.ledger.event(&event_id(older)).unwrap();
        assert_eq!(
            (record.status, record.by_event),
            (Status::Coalesced, Some(event_id(&batch[2])))
        );
    }
    assert_eq!(bench.pushes(), 0);
}

#[tokio::test]
async fn a_message_in_a_foreign_lane_is_handed_on() {
    let mut bench = Bench::new();
    let stray = bench.event_in(&lane(&key("2")), "1", None);
    assert_eq!(bench.deliver(&[stray]).await, Vec::<String>::new());
    assert_eq!(bench.lanes.sent()[0].group, "person/1");
    assert_eq!(bench.pushes(), 0);
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_given_back_with_what_it_stands_for() {
    let mut bench = Bench::new();
    let batch = [
        bench.event_in("intake", "2", None),
        bench.event_in("intake", "1", Some(1)),
        bench.event_in("intake", "1", Some(2)),
    ];
    bench.lanes.refuse("person/1");
    let again = bench.deliver(&batch).await;
    assert_eq!(again, [batch[1].message_id.clone(), batch[2].message_id.clone()]);
    assert_eq!(bench.ledger.status(&event_id(&batch[1])), None);
    bench.lanes.accept();
    assert_eq!(bench.deliver(&batch[1..]).await, Vec::<String>::new());
    assert_eq!(bench.ledger.status(&event_id(&batch[1])), Some(Status::Coalesced));
}

#[tokio::test]
async fn the_same_event_twice_is_one_message_and_no_outcome() {
    let mut bench = Bench::new();
    let event = bench.event_in("intake", "1", None);
    let mut again = event.clone();
    again.message_id = "other".to_owned();
    assert_eq!(bench.deliver(&[event.clone(), again]).await, Vec::<String>::new());
    assert_eq!(bench.lanes.sent().len(), 1);
    assert_eq!(bench.ledger.status(&event_id(&event)), None);
}

#[tokio::test]
async fn intake_does_not_wait_for_the_rest_of_its_batch() {
    let mut bench = Bench::new();
    bench.set("9", "Ada", None);
    let batch = [
        bench.event_in("intake", "1", Some(1)),
        bench.event("9", None),
        bench.event_in("intake", "1", Some(2)),
        bench.message("intake", "no JSON"),
    ];
    assert_eq!(bench.deliver(&batch).await, Vec::<String>::new());
    let mut early = bench.lanes.acknowledged();
    early.sort_unstable();
    assert_eq!(
        early,
        [
            batch[0].receipt.clone(),
            batch[2].receipt.clone(),
            batch[3].receipt.clone()
        ]
    );
    assert_eq!(bench.ledger.status(&event_id(&batch[0])), Some(Status::Coalesced));
    // A batch of nothing but intake has nobody to wait for: Lambda's own acknowledgement is soon enough.
    let alone = bench.event_in("intake", "2", None);
    bench.deliver(&[alone]).await;
    assert_eq!(bench.lanes.acknowledged().len(), 3);
}

#[tokio::test]
async fn what_is_not_recorded_is_not_acknowledged_early() {
    let mut bench = Bench::new();
    bench.set("9", "Ada", None);
    let batch = [
        bench.event_in("intake", "1", Some(1)),
        bench.event_in("intake", "1", Some(2)),
        bench.event("9", None),
    ];
    bench.ledger.fail_records(true);
    let ids: Vec<_> = batch.iter().map(|delivery| delivery.message_id.clone()).collect();
    assert_eq!(bench.deliver(&batch).await, ids);
    assert_eq!(bench.lanes.acknowledged(), Vec::<String>::new());
}

#[tokio::test]
async fn versions_and_times_are_not_measured_against_each_other() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", Some(5));
    let first = bench.event("1", Some(5));
    bench.settle(&first).await;
    bench.advance(60);
    // A late announcement of what is pushed already, and a new change that names no version.
    let batch = [
        bench.event_in("intake", "1", Some(5)),
        bench.event_in("intake", "1", None),
    ];
    bench.set("1", "Bob", Some(6));
    bench.deliver(&batch).await;
    let handed: Vec<_> = bench.lanes.take();
    assert_eq!(handed.len(), 2);
    for message in handed {
        let delivery = bench.message(&message.group, &message.body);
        bench.deliver(&[delivery]).await;
    }
    assert_eq!(bench.held("1").as_deref(), Some("Bob"));
}

#[tokio::test]
async fn what_was_delivered_before_leads_nobody() {
    let mut bench = Bench::new();
    let mut before = bench.event_in("intake", "1", None);
    before.receive_count = 2;
    let batch = [bench.event_in("intake", "1", None), before];
    bench.deliver(&batch).await;
    assert_eq!(bench.lanes.sent().len(), 2);
    assert_eq!(bench.ledger.status(&event_id(&batch[0])), None);
}
