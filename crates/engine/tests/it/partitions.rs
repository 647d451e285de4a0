//! The number of a vendor's partitions changes under load.

mod queues;
mod town;

use rstest::rstest;
use vendorbridge::lane::{Partitions, partition};

use crate::bench::key;
use town::Town;

const SEEDS: u64 = 40;
const STEPS: usize = 300;

fn partitions(count: u32) -> Partitions {
    count.try_into().unwrap()
}

async fn run(town: &mut Town, steps: usize) {
    for _ in 0..steps {
        town.step(true).await;
    }
}

/// Paused, with nothing under way that began before, the vendor is not called: two queues may hold an entity meanwhile.
async fn pause(town: &mut Town) {
    town.pause().await;
    town.let_end().await;
}

#[rstest]
#[tokio::test]
async fn more_partitions_by_the_book(#[values((1, 2), (2, 8), (1, 8))] change: (u32, u32)) {
    for seed in 0..SEEDS {
        let [before, after] = [change.0, change.1].map(partitions);
        let mut town = Town::new(seed, before);
        run(&mut town, STEPS).await;
        pause(&mut town).await;
        run(&mut town, 20).await;
        town.queues.resize(after);
        town.deploy(after);
        run(&mut town, STEPS).await;
        town.resume().await;
        run(&mut town, STEPS).await;
        town.settle().await;
        town.check();
        let facts = town.facts();
        assert_eq!((facts.at_once, facts.backwards), (0, 0), "seed {seed}");
        assert!(town.queues.taken().iter().all(|taken| *taken > 0), "seed {seed}");
    }
}

#[rstest]
#[tokio::test]
async fn fewer_partitions_by_the_book(#[values((2, 1), (8, 2), (8, 1))] change: (u32, u32)) {
    for seed in 0..SEEDS {
        let [before, after] = [change.0, change.1].map(partitions);
        let mut town = Town::new(seed, before);
        run(&mut town, STEPS).await;
        pause(&mut town).await;
        // With the first mapping off nothing is handed over: what is empty stays empty, though events go on.
        town.reads_first = false;
        town.let_end().await;
        while (after.count()..before.count()).any(|queue| town.queues.depth(queue) > 0) {
            town.step(true).await;
        }
        run(&mut town, 20).await;
        town.deploy(after);
        assert_eq!(
            town.queues.resize(after),
            0,
            "seed {seed}: a queue is deleted with messages"
        );
        town.reads_first = true;
        run(&mut town, STEPS).await;
        town.resume().await;
        run(&mut town, STEPS).await;
        town.settle().await;
        town.check();
        let facts = town.facts();
        assert_eq!((facts.at_once, facts.backwards), (0, 0), "seed {seed}");
    }
}

/// Without a pause two queues can hold an entity for a moment. Nothing is lost, and the last state is the right one; but the
/// vendor may be called twice at once, and get an older state in between.
#[tokio::test]
async fn without_a_pause_nothing_is_lost() {
    let (mut at_once, mut backwards) = (0, 0);
    for seed in 0..2 * SEEDS {
        let change = [(1, 8), (2, 4), (8, 1), (4, 2)][usize::try_from(seed % 4).unwrap()];
        let [before, after] = [change.0, change.1].map(partitions);
        let most = partitions(change.0.max(change.1));
        let mut town = Town::new(seed, before);
        run(&mut town, STEPS).await;
        town.queues.resize(most);
        town.deploy(after);
        run(&mut town, STEPS).await;
        // And back at once, as somebody does who sees that it was a mistake.
        town.deploy(before);
        run(&mut town, STEPS / 10).await;
        town.deploy(after);
        run(&mut town, STEPS).await;
        town.settle().await;
        town.check();
        at_once += town.facts().at_once;
        backwards += town.facts().backwards;
    }
    eprintln!("partitions: without a pause {at_once} pushes beside another, {backwards} of an older state");
    assert!(at_once > 0, "the pause would be needless, or this test too tame");
}

/// Somebody whose lane is in this one of two partitions.
fn person_of(wanted: u32) -> u32 {
    let is_there = |id: &u32| partition(&key(&id.to_string()), partitions(2)) == wanted;
    (0..12).find(is_there).unwrap()
}

#[tokio::test]
async fn a_message_in_the_wrong_partition_is_handed_over() {
    let mut town = Town::new(1, partitions(1));
    town.publish(person_of(1));
    town.work(0).await;
    assert_eq!(town.depths(), [1], "it is in its lane");
    town.queues.resize(partitions(2));
    town.deploy(partitions(2));
    town.work(0).await;
    assert_eq!(town.depths(), [0, 1], "its lane is elsewhere now");
    town.settle().await;
    town.check();
}

/// The queue that it comes back to knows the event's id from minutes ago: under that it would be dropped.
#[tokio::test]
async fn a_message_that_is_moved_away_and_back_is_not_taken_for_a_repeat() {
    let mut town = Town::new(1, partitions(2));
    town.publish(person_of(1));
    town.work(0).await;
    assert_eq!(town.depths(), [0, 1]);
    town.deploy(partitions(1));
    town.work(1).await;
    assert_eq!(town.depths(), [1, 0]);
    town.deploy(partitions(2));
    town.work(0).await;
    assert_eq!(town.depths(), [0, 1]);
    town.settle().await;
    town.check();
}
