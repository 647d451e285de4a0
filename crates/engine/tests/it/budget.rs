//! Requests and writes per event, against the budget: two writes for a synced event, one for the others.

use vendorbridge::ledger::Status;

use crate::bench::{Bench, lock};

#[tokio::test]
async fn a_full_batch_of_synced_events() {
    let mut bench = Bench::new();
    let batch: Vec<_> = (0..10)
        .map(|id| {
            bench.set(&id.to_string(), "Ada", None);
            bench.event(&id.to_string(), None)
        })
        .collect();
    bench.deliver(&batch).await;
    let counts = bench.ledger.counts();
    assert_eq!((counts.reads, counts.settles, counts.events), (1, 10, 10));
}

/// A key that follows from the payload can change: it is written ahead of the first push under it.
#[tokio::test]
async fn a_new_natural_key_is_one_more_write() {
    let mut bench = Bench::new();
    lock(&bench.world).natural = true;
    let mut settles = Vec::new();
    for (name, version) in [("Ada", 1), ("Bob", 2), ("Bob", 3)] {
        bench.set("1", name, Some(version));
        bench.advance(10);
        let event = bench.event("1", Some(version));
        let before = bench.ledger.counts().settles;
        bench.settle(&event).await;
        settles.push(bench.ledger.counts().settles - before);
    }
    assert_eq!(settles, [2, 2, 0], "create, change of the key, unchanged");
}

#[tokio::test]
async fn one_write_for_unchanged_covered_and_coalesced() {
    let mut bench = Bench::new();
    bench.set("1", "Ada", None);
    let covered = bench.event("1", None);
    bench.advance(10);
    let first = bench.event("1", None);
    bench.settle(&first).await;
    let before = bench.ledger.counts();
    bench.advance(10);
    let unchanged = bench.event("1", None);
    assert_eq!(bench.settle(&unchanged).await, Status::Unchanged);
    assert_eq!(bench.settle(&covered).await, Status::Covered);
    let coalesced = [bench.event("1", None), bench.event("1", None)];
    bench.deliver(&coalesced).await;
    let after = bench.ledger.counts();
    assert_eq!(after.settles, before.settles);
    assert_eq!(after.events, before.events + 4);
}
