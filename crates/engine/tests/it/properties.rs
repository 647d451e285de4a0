//! What holds for any batch, whatever fails: driven through the real engine.

mod checks;
mod desk;
mod keys;
mod limits;
mod plan;

use proptest::prelude::*;

use desk::{Desk, run};
use plan::{Plan, batches};

/// A case is a few batches; this many stay well under a second unoptimised.
const CASES: u32 = 192;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// The partial batch response and what it leaves out.
    #[test]
    fn nothing_is_acknowledged_without_an_outcome(plans in batches()) {
        run(async {
            let mut desk = Desk::new();
            for Plan { faults, messages, pause, is_short_of_time } in &plans {
                desk.heal();
                desk.apply(faults);
                let deliveries = desk.deliveries(messages);
                let answer = desk.deliver(&deliveries, *is_short_of_time).await;
                checks::answer(&deliveries, &answer)?;
                checks::outcomes(&desk, &deliveries, &answer)?;
                if !is_short_of_time {
                    checks::nobody_else_waits(&deliveries, &answer, faults)?;
                }
                desk.keep(&deliveries, &answer);
                desk.bench.advance(*pause);
            }
            Ok(())
        })?;
    }

    /// Once everything works again, what was left to the queue, to the lanes and to the waker gets done.
    #[test]
    fn everything_ends_in_the_ledger_once_the_faults_are_gone(plans in batches()) {
        run(async {
            let mut desk = Desk::new();
            for Plan { faults, messages, pause, is_short_of_time } in &plans {
                desk.heal();
                desk.apply(faults);
                let deliveries = desk.deliveries(messages);
                let answer = desk.deliver(&deliveries, *is_short_of_time).await;
                desk.keep(&deliveries, &answer);
                desk.bench.advance(*pause);
            }
            desk.heal();
            desk.drain().await;
            checks::all_is_told(&desk)?;
            checks::the_vendor_holds_the_truth(&desk)
        })?;
    }
}
