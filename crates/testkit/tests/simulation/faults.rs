//! The simulation must be able to fail: each of fifteen faults in the engine breaks a promise in some seed, which the engine
//! without it keeps.

use rstest::rstest;
use vendorbridge::sabotage::Sabotage;
use vendorbridge_testkit::simulation::{Kind, Options, Rule, SABOTAGES, Violation, run};

/// Each fault must show within this many seeds.
const SEEDS: u64 = 3_000;

/// The promises that a fault is about.
fn breaks(sabotage: Sabotage) -> &'static [Rule] {
    use Rule::{
        Answer, Converges, ExplainsItself, LedgerForwards, NeverBackwards, NoBlocking, NoDuplicates,
        NothingLost, RefusedOnce, WokenOnce,
    };
    match sabotage {
        Sabotage::AckBeforeSettle | Sabotage::CoalesceAwayNewest => {
            &[Converges, NothingLost, NoDuplicates, ExplainsItself]
        }
        Sabotage::HashShortcutOnRedelivery => &[Converges, NothingLost, ExplainsItself, NoDuplicates],
        Sabotage::NoReservation | Sabotage::UnknownAsFailed => &[NoDuplicates, Converges, ExplainsItself],
        Sabotage::ForgetEffects => &[NoDuplicates, Converges],
        Sabotage::CoveredWithoutMargin => &[ExplainsItself, Converges],
        Sabotage::SettleWithoutCondition => &[LedgerForwards, Converges],
        Sabotage::WakeTwice => &[WokenOnce, NothingLost, NeverBackwards],
        Sabotage::RetryPermanent => &[Converges, ExplainsItself, RefusedOnce],
        Sabotage::EmptyItemIdentifier => &[Answer],
        Sabotage::BlockGroupOnPark => &[NoBlocking, Converges],
        Sabotage::CarriedInAnyOrder => &[NeverBackwards, Converges, LedgerForwards],
        Sabotage::LoseProbe => &[Converges, NoBlocking],
        Sabotage::ForceLikeAnyOther => &[Converges],
    }
}

#[test]
fn every_fault_is_found() {
    for sabotage in SABOTAGES {
        must_be_found(sabotage, None);
    }
}

/// What may happen only once is a promise of its own, next to creates.
#[rstest]
#[case(Sabotage::NoReservation)]
#[case(Sabotage::ForgetEffects)]
fn every_fault_with_bookings_is_found(#[case] sabotage: Sabotage) {
    must_be_found(sabotage, Some(Kind::Booking));
}

fn must_be_found(sabotage: Sabotage, kind: Option<Kind>) {
    let sound = Options {
        kind,
        ..Options::default()
    };
    let options = Options {
        sabotage: Some(sabotage),
        ..sound
    };
    let found = (0..SEEDS).find_map(|seed| {
        // A fault has many faces; the one that it is about must be among them.
        let is_about = |violation: &Violation| breaks(sabotage).contains(&violation.rule);
        let violation = run(seed, options).violation.filter(is_about)?;
        // A seed that is broken anyway shows nothing.
        let is_clean_without = run(seed, sound).violation.is_none();
        is_clean_without.then_some((seed, violation))
    });
    let Some((seed, violation)) = found else {
        panic!("{sabotage:?} goes unseen in {SEEDS} seeds");
    };
    eprintln!("{sabotage:?}: seed {seed}: {violation}");
    assert!(
        breaks(sabotage).contains(&violation.rule),
        "{sabotage:?}: {violation}"
    );
    let again = run(seed, options).violation;
    assert_eq!(again, Some(violation), "the same seed shows the same");
}
