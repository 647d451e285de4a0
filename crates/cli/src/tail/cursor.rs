//! How far a log is read: lines come late and out of order, so each question overlaps the one before.

use std::collections::HashMap;

use jiff::Timestamp;

/// A line may come this long after its own time, in milliseconds.
const OVERLAP_MS: i64 = 60_000;

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logged {
    /// `CloudWatch`'s id of it.
    pub(super) id: String,
    /// Its time, in milliseconds.
    pub(super) at: i64,
    /// The line.
    pub(super) text: String,
}

/// Where the next question begins, and what was seen behind that.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    since: i64,
    latest: i64,
    seen: HashMap<String, i64>,
}

impl Cursor {
    /// Lines from this time on.
    pub(super) fn new(since: Timestamp) -> Self {
        let since = since.as_millisecond();
        Self {
            since,
            latest: since,
            seen: HashMap::new(),
        }
    }

    /// Where the next question begins.
    pub(super) fn from(&self) -> i64 {
        self.since.max(self.latest - OVERLAP_MS)
    }

    /// Those lines that were not seen before.
    pub(super) fn fresh(&mut self, mut logged: Vec<Logged>) -> Vec<Logged> {
        logged.retain(|line| line.at >= self.since && self.seen.insert(line.id.clone(), line.at).is_none());
        self.latest = logged
            .iter()
            .map(|line| line.at)
            .max()
            .unwrap_or(self.latest)
            .max(self.latest);
        // What is older is not asked for again.
        let from = self.from();
        self.seen.retain(|_, at| *at >= from);
        logged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, at: i64) -> Logged {
        Logged {
            id: id.to_owned(),
            at,
            text: String::new(),
        }
    }

    fn ids(lines: &[Logged]) -> Vec<&str> {
        lines.iter().map(|line| line.id.as_str()).collect()
    }

    #[test]
    fn a_late_line_is_seen_and_none_twice() {
        let mut cursor = Cursor::new(Timestamp::from_millisecond(1_000).unwrap());
        assert_eq!(
            ids(&cursor.fresh(vec![line("a", 1_000), line("before", 999)])),
            ["a"]
        );
        assert_eq!(
            ids(&cursor.fresh(vec![line("a", 1_000), line("c", 50_000)])),
            ["c"]
        );
        assert_eq!(cursor.from(), 1_000);
        let late = cursor.fresh(vec![line("a", 1_000), line("b", 20_000), line("c", 50_000)]);
        assert_eq!(ids(&late), ["b"]);
        assert_eq!(ids(&cursor.fresh(vec![line("d", 200_000)])), ["d"]);
        assert_eq!(cursor.from(), 140_000);
        assert_eq!(cursor.seen.len(), 1, "what cannot come again is forgotten");
    }
}
