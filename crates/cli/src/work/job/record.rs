//! What a checkpoint says, and what may follow on it. Pure.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::{Counts, DEAD_AFTER, Start};
use crate::{CliError, output};

/// A checkpoint is kept for so long.
const KEEP: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A run, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(super) run: String,
    pub(super) state: State,
    pub(super) cursor: Option<String>,
    pub(super) counts: Counts,
    pub(super) started_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) revision: u64,
}

/// Whether somebody is at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Stopped,
    Done,
}

impl State {
    const ALL: [Self; 3] = [Self::Running, Self::Stopped, Self::Done];

    fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Done => "done",
        }
    }
}

impl Record {
    pub(super) fn new(run: &str, now: Timestamp) -> Self {
        Self {
            run: run.to_owned(),
            state: State::Running,
            cursor: None,
            counts: Counts::new(),
            started_at: now,
            updated_at: now,
            revision: 1,
        }
    }

    /// As what follows on a record of this revision.
    pub(super) fn behind(self, revision: u64) -> Self {
        Self {
            revision: revision.saturating_add(1),
            ..self
        }
    }

    /// What follows on this record: the same run, or a new one with the id `run`.
    pub(super) fn next(&self, start: &Start<'_>, run: &str, now: Timestamp) -> Result<Self, CliError> {
        let idle = now.duration_since(self.updated_at);
        if self.state == State::Running && idle < DEAD_AFTER && !start.again.take_over {
            return Err(self.under_way(start.command));
        }
        let begins_anew = self.state == State::Done || start.again.restart || idle >= start.go_on_within;
        let next = if begins_anew {
            Self::new(run, now)
        } else {
            self.clone()
        };
        Ok(Self {
            state: State::Running,
            updated_at: now,
            ..next.behind(self.revision)
        })
    }

    pub(super) fn under_way(&self, command: &'static str) -> CliError {
        let free_at = self
            .updated_at
            .saturating_add(DEAD_AFTER)
            .unwrap_or(Timestamp::MAX);
        CliError::UnderWay {
            command,
            since: output::time(self.started_at),
            at: output::time(self.updated_at),
            free_at: output::time(free_at),
        }
    }

    pub(super) fn item(&self) -> HashMap<String, AttributeValue> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |number: u64| AttributeValue::N(number.to_string());
        let counts = self
            .counts
            .iter()
            .map(|(name, count)| (name.clone(), number(*count)));
        let expires_at = self
            .updated_at
            .saturating_add(KEEP)
            .unwrap_or(Timestamp::MAX)
            .as_second();
        let mut item = HashMap::from([
            ("run".to_owned(), text(&self.run)),
            ("state".to_owned(), text(self.state.name())),
            ("counts".to_owned(), AttributeValue::M(counts.collect())),
            ("started_at".to_owned(), text(&self.started_at.to_string())),
            ("updated_at".to_owned(), text(&self.updated_at.to_string())),
            ("revision".to_owned(), number(self.revision)),
            ("expires_at".to_owned(), AttributeValue::N(expires_at.to_string())),
        ]);
        if let Some(cursor) = &self.cursor {
            item.insert("cursor".to_owned(), text(cursor));
        }
        item
    }

    /// `None` if another version wrote it.
    pub(super) fn of_item(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        let number = |value: &AttributeValue| value.as_n().ok()?.parse().ok();
        let counts = item.get("counts")?.as_m().ok()?;
        let state = text("state")?;
        Some(Self {
            run: text("run")?,
            state: State::ALL.into_iter().find(|known| known.name() == state)?,
            cursor: text("cursor"),
            counts: counts
                .iter()
                .filter_map(|(name, count)| Some((name.clone(), number(count)?)))
                .collect(),
            started_at: text("started_at")?.parse().ok()?,
            updated_at: text("updated_at")?.parse().ok()?,
            revision: number(item.get("revision")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::work::Again;

    const RUN: &str = "backfill-1";

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn found(state: State) -> Record {
        Record {
            state,
            cursor: Some("p7".into()),
            counts: Counts::from([("sent".into(), 700)]),
            revision: 8,
            ..Record::new(RUN, at(100))
        }
    }

    fn next(state: State, minutes: i64, restart: bool, take_over: bool) -> Result<Record, CliError> {
        let start = Start {
            vendor: "algolia",
            command: "backfill",
            choice: "product",
            again: Again { restart, take_over },
            go_on_within: SignedDuration::from_hours(24),
        };
        found(state).next(&start, "backfill-2", at(100 + minutes))
    }

    #[rstest]
    #[case::stopped(State::Stopped, 0, false, false, RUN)]
    #[case::died(State::Running, 5, false, false, RUN)]
    #[case::taken_over(State::Running, 0, false, true, RUN)]
    #[case::done(State::Done, 0, false, false, "backfill-2")]
    #[case::restarted(State::Stopped, 0, true, false, "backfill-2")]
    #[case::too_long_ago(State::Stopped, 24 * 60, false, false, "backfill-2")]
    fn a_run_goes_on_or_another_begins(
        #[case] state: State,
        #[case] minutes: i64,
        #[case] restart: bool,
        #[case] take_over: bool,
        #[case] run: &str,
    ) {
        let next = next(state, minutes, restart, take_over).unwrap();
        assert_eq!(
            (next.run.as_str(), next.state, next.revision),
            (run, State::Running, 9)
        );
        let kept = (run == RUN).then_some("p7");
        assert_eq!(next.cursor.as_deref(), kept);
    }

    #[rstest]
    fn two_at_once_are_refused(#[values(false, true)] restart: bool) {
        let error = next(State::Running, 4, restart, false).unwrap_err().to_string();
        assert!(
            error.contains("--take-over") && error.contains("01:45:00Z"),
            "{error}"
        );
    }

    #[rstest]
    fn a_record_is_read_as_it_was_written(
        #[values(State::Running, State::Stopped, State::Done)] state: State,
    ) {
        let record = found(state);
        assert_eq!(Record::of_item(&record.item()), Some(record.clone()));
        let first = Record::new(RUN, at(1));
        assert_eq!(Record::of_item(&first.item()), Some(first));
    }
}
