//! Requests and writes per event, against the budget: two writes for a synced event, one for the others.

use vendorbridge::ledger::Status;

use crate::bench::Bench;

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
