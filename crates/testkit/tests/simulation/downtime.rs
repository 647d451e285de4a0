//! A vendor that is down for eight hours under a steady stream of documents: nothing is lost, nothing is booked twice, and what
//! depends on another document follows it.

use rstest::rstest;
use vendorbridge_testkit::simulation::{Downtime, downtime};

/// The circuit asks again every ten minutes, then the backlog is worked off: measured are 6 to 17 minutes.
const WITHIN: u64 = 30;

#[rstest]
#[case::without_a_word(false)]
#[case::announced(true)]
fn eight_hours(#[case] is_announced: bool) {
    let outcome = downtime(Downtime {
        seed: 0,
        is_announced,
        hours: 10,
        down: 8,
        every: 4.0,
        customers: 200,
        within: WITHIN,
    });
    let stats = &outcome.stats;
    for (what, many) in stats.iter() {
        eprintln!("{many:>8} {what}");
    }
    assert_eq!(outcome.violation, None);
    assert!(
        stats.get("backlog") > 6_000,
        "the stream goes on while the vendor is down"
    );
    assert!(stats.get("reversals") > 100, "some documents are cancelled");
    // One that is paused is not called to find out.
    let failed = stats.get("fault: connection refused") + stats.get("fault: timeout");
    assert!(failed < 400, "{failed} calls of a vendor that is down");
    // A payment may overtake an invoice that the ledger does not know yet, and no other.
    let paid = stats.get("payments of invoices announced before");
    let early = stats.get("payments before their invoices: storm");
    assert!(
        paid > 3_000 && early * 500 < paid,
        "{early} of {paid} payments before their invoices"
    );
}
