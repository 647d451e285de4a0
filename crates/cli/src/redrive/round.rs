//! Which letters were looked at, and when all of them were. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::letter::Letter;

/// One round through a queue.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// About how many letters there are.
    total: u64,
    /// How many were looked at.
    looked: u64,
    /// By their ids, letters that were looked at, and those that they were put back as.
    seen: BTreeSet<String>,
    /// By their ids, letters that stay in hand until the end.
    held: BTreeMap<String, Letter>,
    /// How many letters came again since one that was new.
    again: usize,
}

/// What a receive brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    /// To be looked at.
    pub(super) new: Vec<Letter>,
    /// To be held: what is behind them in their groups has been looked at, and in hand they keep the group from being handed
    /// out again.
    pub(super) known: Vec<Letter>,
}

impl Round {
    pub(super) fn new(total: u64) -> Self {
        Self {
            total,
            ..Self::default()
        }
    }

    /// Tells what is new from what was looked at. `returned` says whether this run has put a letter back.
    pub(super) fn sort(&mut self, letters: Vec<Letter>, returned: impl Fn(&Letter) -> bool) -> Sorted {
        let mut sorted = Sorted::default();
        for letter in letters {
            if self.held.contains_key(&letter.message_id) {
                self.again += 1;
                sorted.known.push(letter);
            } else if returned(&letter) || self.seen.contains(&letter.message_id) {
                sorted.known.push(letter);
            } else {
                self.seen.insert(letter.message_id.clone());
                self.looked += 1;
                self.again = 0;
                sorted.new.push(letter);
            }
        }
        // The latest receipt is the one that counts.
        self.hold(&sorted.known);
        sorted
    }

    /// These stay in hand.
    pub(super) fn hold(&mut self, letters: &[Letter]) {
        let held = letters.iter().cloned();
        self.held
            .extend(held.map(|letter| (letter.message_id.clone(), letter)));
    }

    /// Letters were put back, and have these ids now.
    pub(super) fn put_back(&mut self, ids: Vec<String>) {
        self.seen.extend(ids);
    }

    /// Whether going on brings nothing: what was in hand comes again, and as many were looked at as there are; or all that is in
    /// hand came again, and nothing else.
    pub(super) fn is_over(&self) -> bool {
        self.again > 0 && (self.looked >= self.total || self.again >= self.held.len())
    }

    /// All that is in hand.
    pub(super) fn in_hand(&self) -> impl Iterator<Item = &Letter> {
        self.held.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(ids: &[&str]) -> Vec<Letter> {
        let letter = |id: &&str| Letter {
            message_id: (*id).to_owned(),
            receipt: "r".into(),
            group: "customer/1".into(),
            body: String::new(),
            returned_by: None,
        };
        ids.iter().map(letter).collect()
    }

    fn sort(round: &mut Round, ids: &[&str]) -> (usize, usize) {
        let sorted = round.sort(letters(ids), |_| false);
        (sorted.new.len(), sorted.known.len())
    }

    #[test]
    fn a_letter_is_looked_at_once_and_then_the_round_is_over() {
        let mut round = Round::new(3);
        assert_eq!(sort(&mut round, &["a", "b"]), (2, 0));
        round.hold(&letters(&["a", "b"]));
        assert!(!round.is_over());
        assert_eq!(sort(&mut round, &["a", "c"]), (1, 1));
        round.hold(&letters(&["c"]));
        assert_eq!(sort(&mut round, &["b"]), (0, 1));
        assert!(round.is_over());
        assert_eq!(round.in_hand().count(), 3);
    }

    #[test]
    fn what_was_put_back_is_known_when_it_comes_round() {
        let mut round = Round::new(2);
        assert_eq!(sort(&mut round, &["a", "b"]), (2, 0));
        round.put_back(vec!["a2".into(), "b2".into()]);
        assert_eq!(sort(&mut round, &["a2"]), (0, 1));
        assert!(!round.is_over(), "it comes for the first time");
        assert_eq!(sort(&mut round, &["a2"]), (0, 1));
        assert!(round.is_over());
    }

    #[test]
    fn it_ends_although_the_count_was_too_high() {
        let mut round = Round::new(100);
        assert_eq!(sort(&mut round, &["a", "b"]), (2, 0));
        round.hold(&letters(&["a", "b"]));
        assert_eq!(sort(&mut round, &["a"]), (0, 1));
        assert!(!round.is_over(), "others may still be there");
        assert_eq!(sort(&mut round, &["b"]), (0, 1));
        assert!(round.is_over());
    }
}
