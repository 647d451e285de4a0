//! Several records in one request.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::conformance::{Stand, State};
use vendorbridge_testkit::sandbox::Fault;

use crate::subject::{Algolia, INDEX, own, put};

const IDS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

async fn ten() -> Stand<Algolia> {
    let mut stand = Stand::<Algolia>::start().await;
    for id in IDS {
        stand.change(id, Some(State::First));
    }
    stand
}

#[tokio::test]
async fn the_records_of_an_invocation_are_one_request() {
    let mut stand = ten().await;
    assert_eq!(stand.announce_together(&IDS).await, [Status::Synced; 10]);
    assert_eq!((stand.calls(), stand.records()), (1, 10));
    assert_eq!(stand.items.reads(), 10);

    stand.change("a", None);
    stand.change("b", Some(State::Second));
    let statuses = stand.announce_together(&IDS).await;
    assert_eq!(
        statuses[..3],
        [Status::Deleted, Status::Synced, Status::Unchanged]
    );
    assert_eq!(
        (stand.calls(), stand.records()),
        (2, 9),
        "deletions go with the rest"
    );
}

#[tokio::test]
async fn one_record_that_is_refused_is_the_only_one() {
    let mut stand = ten().await;
    put(
        &stand,
        "d",
        json!({"title": "x".repeat(12_000), "published": true}),
    );
    let statuses = stand.announce_together(&IDS).await;
    for (id, status) in IDS.iter().zip(statuses) {
        let expected = if *id == "d" {
            Status::Rejected
        } else {
            Status::Synced
        };
        assert_eq!(status, expected, "{id}");
    }
    let error = stand.record_of("d").error.unwrap();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert_eq!(stand.records(), 9);
    // All, 5, 2, 3, 1, 2, 5: halves until it stands alone.
    assert!(stand.calls() <= 9, "{}", stand.calls());
}

#[tokio::test]
async fn a_refused_key_is_every_records_failure_and_one_request() {
    let mut stand = ten().await;
    stand.sandbox.algolia.faults().at(1, Fault::Status(403));
    assert_eq!(stand.announce_together(&IDS).await, [Status::Parked; 10]);
    assert_eq!(stand.calls(), 1);
}

/// What the items of the ids are changed to, in several invocations.
fn invocations() -> impl Strategy<Value = Vec<BTreeMap<usize, u8>>> {
    vec(btree_map(0_usize..6, 0_u8..5, 1..6), 1..5)
}

/// Changes an item: gone, hidden, too large, or one of two states.
fn change(stand: &mut Stand<Algolia>, id: &str, to: u8) {
    match to {
        0 => stand.change(id, None),
        1 => put(stand, id, json!({"title": "T-shirt", "published": false})),
        2 => put(stand, id, json!({"title": "x".repeat(12_000), "published": true})),
        3 => stand.change(id, Some(State::First)),
        _ => stand.change(id, Some(State::Second)),
    }
}

fn held(stand: &Stand<Algolia>) -> BTreeMap<String, Map<String, Value>> {
    let records = stand.sandbox.algolia.records(INDEX);
    records
        .into_iter()
        .map(|(id, record)| (id, own(record)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn together_or_one_by_one_the_index_ends_the_same(invocations in invocations()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut together = Stand::<Algolia>::start().await;
            let mut alone = Stand::<Algolia>::start().await;
            for changes in invocations {
                let mut ids = Vec::new();
                for (at, to) in changes {
                    change(&mut together, IDS[at], to);
                    change(&mut alone, IDS[at], to);
                    ids.push(IDS[at]);
                }
                let statuses = together.announce_together(&ids).await;
                for (id, status) in ids.iter().zip(statuses) {
                    assert_eq!(alone.announce_of(id).await, status, "{id}");
                }
            }
            assert_eq!(held(&together), held(&alone));
        });
    }
}
