//! Idempotency keys, as a vendor sees them.

use std::collections::HashMap;

use proptest::prelude::*;
use vendorbridge::message::Delivery;
use vendorbridge::{ErrorKind, Verdict};

use super::desk::run;
use crate::bench::{Bench, lock};

/// What happens next to one entity.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// The source says this, and announces it.
    Changes(u8),
    /// The source says this; its announcement is yet to come.
    ChangesSilently(u8),
    /// The queue delivers what was not acknowledged, or else what was delivered last, as if its acknowledgement had been
    /// lost.
    Repeats,
    /// The next push gets through, but nobody learns of it.
    GetsLost,
    /// The ledger takes no settle in the next batch.
    Unsettled,
    Wakes,
}

fn next() -> impl Strategy<Value = Next> {
    prop_oneof![
        4 => (0..3_u8).prop_map(Next::Changes),
        1 => (0..3_u8).prop_map(Next::ChangesSilently),
        3 => Just(Next::Repeats),
        1 => Just(Next::GetsLost),
        2 => Just(Next::Unsettled),
        2 => Just(Next::Wakes),
    ]
}

/// One entity's lane: nothing overtakes what was not acknowledged.
struct Lane {
    bench: Bench,
    latest: Vec<Delivery>,
    is_returned: bool,
}

impl Lane {
    fn new() -> Self {
        Self {
            bench: Bench::new(),
            latest: Vec::new(),
            is_returned: false,
        }
    }

    async fn happens(&mut self, next: Next) {
        match next {
            Next::Changes(name) => {
                self.change(name);
                self.bench.advance(10);
                let event = self.bench.event("1", None);
                self.deliver(Some(event)).await;
            }
            Next::ChangesSilently(name) => self.change(name),
            Next::Repeats => self.deliver(None).await,
            Next::GetsLost => {
                let mut world = lock(&self.bench.world);
                world.accept_anyway = true;
                world
                    .fail_push
                    .insert("1".to_owned(), (ErrorKind::Timeout, Verdict::Unknown));
            }
            Next::Unsettled => self.bench.ledger.fail_settles(true),
            Next::Wakes => {
                self.bench.advance(4000);
                // Its wake would stand behind what was not acknowledged.
                if !self.is_returned {
                    self.bench.ledger.fail_settles(false);
                    self.bench.wake().await;
                }
            }
        }
    }

    fn change(&self, name: u8) {
        self.bench.set("1", &format!("Ada {name}"), None);
    }

    async fn deliver(&mut self, event: Option<Delivery>) {
        if event.is_some() && !self.is_returned {
            self.latest.clear();
        }
        for delivery in &mut self.latest {
            delivery.receive_count += 1;
        }
        self.latest.extend(event);
        self.is_returned = !self.bench.deliver(&self.latest).await.is_empty();
        self.bench.ledger.fail_settles(false);
        lock(&self.bench.world).fail_push.clear();
    }

    /// The keys of all pushes, with their payloads.
    fn pushes(&self) -> Vec<(String, String)> {
        let world = lock(&self.bench.world);
        let titles = world.pushes.iter().map(|(_, title)| title.clone());
        world.keys.iter().cloned().zip(titles).collect()
    }
}

/// A vendor that keeps keys drops a push whose key it knows: two payloads under one key would lose the second, and so
/// would a return to an earlier payload under its earlier key.
fn hide_nothing(pushes: &[(String, String)]) -> Result<(), TestCaseError> {
    let mut known: HashMap<&str, &str> = HashMap::new();
    let mut held = None;
    for (key, title) in pushes {
        prop_assert_eq!(key.len(), 32);
        match known.insert(key, title) {
            None => held = Some(title),
            Some(before) => prop_assert_eq!(before, title, "two payloads under one key"),
        }
    }
    prop_assert_eq!(held, pushes.last().map(|(_, title)| title), "{:?}", pushes);
    Ok(())
}

proptest! {
    #[test]
    fn no_key_hides_a_change(story in prop::collection::vec(next(), 1..14)) {
        run(async {
            let mut lane = Lane::new();
            for next in &story {
                lane.happens(*next).await;
            }
            hide_nothing(&lane.pushes())
        })?;
    }
}

/// A message whose push was never settled is set aside as a dead letter; the next one is killed between its push and its
/// settle, while the source returns to what the first had pushed.
#[test]
fn no_key_hides_a_change_behind_a_dead_letter() {
    run(async {
        let mut lane = Lane::new();
        for next in [Next::Unsettled, Next::Changes(1)] {
            lane.happens(next).await;
        }
        lane.latest.clear();
        lane.is_returned = false;
        for next in [
            Next::Unsettled,
            Next::Changes(0),
            Next::ChangesSilently(1),
            Next::Repeats,
        ] {
            lane.happens(next).await;
        }
        hide_nothing(&lane.pushes())
    })
    .unwrap();
}
