//! The reader against a table that answers in pages and leaves keys unread.

mod table;

use super::*;
use crate::ledger::EVENT_SHARDS;
use table::{ENTITIES, Table};

#[tokio::test]
async fn events_of_all_pages_are_read_newest_last() {
    let table = Table::default();
    let Events { events, unreadable } = table
        .reader()
        .events_of_hour("webhook", "2026-01-29T14")
        .await
        .unwrap();
    assert_eq!(events.len(), ENTITIES);
    assert_eq!(unreadable, Unreadable::default());
    assert!(events.is_sorted_by_key(|event| event.event_time));
    assert_eq!(table.calls("Query"), 3 + usize::from(EVENT_SHARDS) - 1);
}

#[tokio::test]
async fn unread_keys_are_asked_for_again_and_the_recovered_left_out() {
    let table = Table::default();
    let dead = table
        .reader()
        .attention("webhook", AttentionKind::Dead, 200)
        .await
        .unwrap();
    assert_eq!(dead.len(), ENTITIES - 1);
    assert_eq!(dead[0].entity.as_str(), "customer/129", "newest first");
    assert_eq!(dead[128].entity.as_str(), "customer/0");
    assert!(table.calls("BatchGetItem") > 2);
}

#[tokio::test]
async fn many_entities_are_read_a_hundred_at_a_time() {
    let table = Table::default();
    let mut entities: Vec<_> = (0..ENTITIES)
        .map(|id| EntityKey::new("customer", &id.to_string()).unwrap())
        .collect();
    // What is named twice is asked for once.
    entities.push(entities[0].clone());
    let records = table.reader().entities("webhook", &entities).await.unwrap();
    assert_eq!(records.len(), ENTITIES);
    for entity in &entities {
        assert_eq!(&records[entity].entity, entity);
    }
    // A hundred, the rest, and of each of them again what was left unread.
    assert_eq!(table.calls("BatchGetItem"), 4);
    assert_eq!(table.calls(".GetItem"), 0, "none of them alone");
    assert!(table.reader().entities("webhook", &[]).await.unwrap().is_empty());
    assert_eq!(table.calls("BatchGetItem"), 4, "nothing is asked for nothing");
}

#[tokio::test]
async fn links_are_read_and_nothing_else() {
    let table = Table::default();
    let entities: Vec<_> = (0..ENTITIES)
        .map(|id| EntityKey::new("customer", &id.to_string()).unwrap())
        .collect();
    let links = table.reader().links("webhook", &entities).await.unwrap();
    assert_eq!(links.len(), ENTITIES - 1, "one has none");
    for (entity, link) in &links {
        assert_eq!(*link, format!("at {entity}"));
    }
    let calls = table.called();
    assert!(
        calls.iter().all(|call| call.ends_with("BatchGetItem narrowed")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn keys_that_stay_unread_are_an_error_that_passes() {
    let entities = ["customer/1", "stuck/1"].map(|key| key.parse().unwrap());
    let reader = Table::default().reader();
    let whole = reader.entities("webhook", &entities).await.unwrap_err();
    let links = reader.links("webhook", &entities).await.unwrap_err();
    for error in [whole, links] {
        assert_eq!(
            (error.kind(), error.vendor_code()),
            (ErrorKind::RateLimited, Some(UNPROCESSED_KEYS))
        );
    }
}

#[tokio::test]
async fn an_entity_that_was_never_seen_has_no_record() {
    let table = Table::default();
    let (known, never) = ("customer/1", "never/1");
    let entities = [known, never].map(|key| key.parse().unwrap());
    let records = table.reader().entities("webhook", &entities).await.unwrap();
    let found: Vec<_> = records.keys().map(EntityKey::as_str).collect();
    assert_eq!(found, [known]);
}

#[tokio::test]
async fn a_limit_reads_no_further() {
    let table = Table::default();
    let dead = table
        .reader()
        .attention("webhook", AttentionKind::Dead, 50)
        .await
        .unwrap();
    assert!(dead.len() <= 50, "{}", dead.len());
    assert_eq!(table.calls("Query"), usize::from(ATTENTION_SHARDS));
    let count = table
        .reader()
        .attention_count("webhook", AttentionKind::Dead)
        .await
        .unwrap();
    assert_eq!(count, ENTITIES);
}

#[tokio::test]
async fn an_entity_and_its_vendor_come_in_one_read() {
    let table = Table::default();
    let entity = EntityKey::new("customer", "1").unwrap();
    let standing = table.reader().standing("webhook", &entity).await.unwrap();
    assert_eq!(standing.entity.unwrap().status, Status::Dead);
    assert!(standing.vendor.pause.is_some());
    assert_eq!(table.called().len(), 1, "one call");
}

#[tokio::test]
async fn every_page_of_a_shard_is_counted() {
    let table = Table::default();
    let mut counted = 0;
    let each = |event: Counted| counted += usize::from(event.status == Status::Synced);
    let read = table
        .reader()
        .each_event("webhook", "2026-01-29T14", 0, usize::MAX, each)
        .await;
    let walked = read.unwrap();
    assert_eq!((walked.is_whole, walked.unreadable.count), (true, 0));
    assert_eq!((counted, table.calls("Query")), (ENTITIES, 3));
}

#[tokio::test]
async fn no_page_is_begun_after_as_many_as_are_wanted() {
    let table = Table::default();
    let mut counted = 0;
    let each = |_| counted += 1;
    let read = table
        .reader()
        .each_event("webhook", "2026-01-29T14", 0, 61, each)
        .await;
    assert!(!read.unwrap().is_whole, "there are more");
    assert_eq!((counted, table.calls("Query")), (120, 2));
}

fn at(minute: u8) -> Timestamp {
    format!("2026-01-29T14:{minute:02}:00Z").parse().unwrap()
}

/// The fake has nothing in the others.
fn entity_of_first_shard() -> EntityKey {
    let keys = (0..).map(|id| EntityKey::new("customer", &format!("n{id}")).unwrap());
    let mut in_first = keys.filter(|key| crate::ledger::key::shard(key.as_str(), EVENT_SHARDS) == 0);
    in_first.next().unwrap()
}

#[tokio::test]
async fn an_entitys_events_of_an_hour_are_one_shards() {
    let entity = entity_of_first_shard();
    let table = Table::default();
    let reader = table.reader();
    let events = reader.entity_events("webhook", &entity, "2026-01-29T14", at(10), at(20));
    let Events { events, .. } = events.await.unwrap();
    assert_eq!(events.len(), 20, "two of each minute, the last one left out");
    assert_eq!(table.calls("Query"), 3, "the pages of one shard");
}

#[tokio::test]
async fn a_record_that_is_not_ours_is_named_and_hides_no_other() {
    let (table, hour) = (Table::default(), "2026-01-29T14");
    let reader = table.reader();
    let named = |unreadable: Unreadable, ids: &[usize], entity: &str| {
        let keys: Vec<_> = ids.iter().map(|id| format!("{entity}#{id}")).collect();
        assert_eq!((unreadable.count, unreadable.keys), (ids.len() as u64, keys));
    };
    let all = [11, 3, 70, 71];
    let read = reader.events_of_hour("damaged", hour).await.unwrap();
    assert_eq!(read.events.len(), ENTITIES - 4);
    named(read.unreadable, &all, "customer/1");

    let mut counted = 0;
    let each = |_| counted += 1;
    let walked = reader.each_event("damaged", hour, 0, usize::MAX, each).await;
    let walked = walked.unwrap();
    assert_eq!((counted, walked.is_whole), (ENTITIES - 4, true));
    named(walked.unreadable, &all, "customer/1");

    let entity = entity_of_first_shard();
    let (since, until) = (at(0), at(59));
    let read = reader.entity_events("damaged", &entity, hour, since, until).await;
    let read = read.unwrap();
    assert_eq!(read.events.len(), ENTITIES - 4 - 2, "two of minute 59");
    named(read.unreadable, &all[..3], entity.as_str());
}

#[tokio::test]
async fn what_was_surely_sent_at_another_time_is_left_out() {
    let table = Table::default();
    let reader = table.reader();
    let within = async |since, until| {
        let read = reader.events_within("dated", "2026-01-29T14", since, until).await;
        let Events { events, unreadable } = read.unwrap();
        (events.len(), unreadable.keys)
    };
    let keys = |ids: &[&str]| {
        ids.iter()
            .map(|id| format!("customer/1#{id}"))
            .collect::<Vec<_>>()
    };
    // Only the key of 70 has a time.
    let time = "2026-01-29T14:10:00.000Z#70";
    assert_eq!(within(at(10), at(11)).await, (1, keys(&["11", time, "3", "71"])));
    let after = at(10).checked_add(jiff::SignedDuration::from_micros(1)).unwrap();
    assert_eq!(
        within(after, at(11)).await,
        (0, keys(&["11", time, "3", "71"])),
        "the key has no finer time"
    );
    assert_eq!(within(at(11), at(12)).await.1, keys(&["11", "3", "71"]));
    assert_eq!(within(at(9), at(10)).await.1, keys(&["11", "3", "71"]));
}

#[test]
fn the_first_by_their_keys_are_named_and_all_are_counted() {
    let bad = |number: usize| Item::from([("sk".to_owned(), AttributeValue::S(format!("a/1#{number:02}")))]);
    let part = |numbers: std::ops::Range<usize>| {
        let (records, some) = super::unreadable::sift::<EventRecord>(numbers.rev().map(bad));
        assert!(records.is_empty());
        some
    };
    let parts = [part(0..7), part(7..14), part(14..30)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut found = Unreadable::default();
        for index in order {
            found.merge(parts[index].clone());
        }
        let first: Vec<_> = (0..10).map(|number| format!("a/1#{number:02}")).collect();
        assert_eq!((found.count, found.keys), (30, first));
    }
}
