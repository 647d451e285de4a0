//! The options of `replay`, and what they choose.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vendorbridge::ledger::{AttentionKind, ErrorRecord, Status};
use vendorbridge::{EntityKey, ErrorKind};

use crate::work::Again;
use crate::{CliError, when};

/// The options of `replay`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The vendor's name; no other vendor gets anything
    pub vendor: String,
    /// This entity, such as `customer/c-4711`; can be repeated
    #[arg(long = "entity", value_name = "TYPE/ID")]
    pub entities: Vec<EntityKey>,
    /// The events of a JSON file themselves, with fresh ids; can be repeated
    #[arg(long = "file", value_name = "EVENT.json", conflicts_with_all = ["entities", "statuses", "error", "code", "since", "until"])]
    pub files: Vec<PathBuf>,
    /// What has this status: what stands now, or with --since the outcome of an event; can be repeated
    #[arg(long = "status", value_name = "STATUS", value_parser = status, ignore_case = true, conflicts_with = "entities")]
    pub statuses: Vec<Status>,
    /// What failed in this way, such as `refused`
    #[arg(long, value_name = "KIND", value_parser = kind, conflicts_with = "entities")]
    pub error: Option<ErrorKind>,
    /// What failed with this code of the vendor's
    #[arg(long, conflicts_with = "entities")]
    pub code: Option<String>,
    /// Entities with an event since then: a time, or a duration such as `24h`
    #[arg(long, value_name = "TIME", value_parser = when::ago, conflicts_with = "entities")]
    pub since: Option<Timestamp>,
    /// … and until then
    #[arg(long, value_name = "TIME", value_parser = when::ago, requires = "since")]
    pub until: Option<Timestamp>,
    /// Say what would be sent and how it differs from what was sent last; send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, however many entities there are
    #[arg(long, short)]
    pub yes: bool,
    /// Entities a second
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Going on.
    #[command(flatten)]
    pub again: Again,
}

/// What is replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// These entities.
    Entities(Vec<EntityKey>),
    /// What stands in the index of what needs attention, and passes the filter.
    Attention(Vec<AttentionKind>, Filter),
    /// The entities of events between two times that pass the filter.
    Events {
        since: Timestamp,
        until: Option<Timestamp>,
        filter: Filter,
    },
    /// The events of files.
    Files(Vec<PathBuf>),
}

impl Choice {
    /// Whether a run that was stopped is gone on with. Times choose the same entities again; the index of what needs attention is
    /// its own state: what stands there has not been mended.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Self::Events { .. })
    }
}

/// Which outcomes are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filter {
    /// Any of these; empty for all.
    pub(crate) statuses: Vec<Status>,
    pub(crate) error: Option<ErrorKind>,
    pub(crate) code: Option<String>,
}

impl Filter {
    /// Whether an outcome is wanted.
    pub(crate) fn takes(&self, status: Status, error: Option<&ErrorRecord>) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&status)) && self.takes_error(error)
    }

    /// Whether a failure is wanted; what has not failed only if no failure is asked for.
    pub(crate) fn takes_error(&self, error: Option<&ErrorRecord>) -> bool {
        let is_kind = |wanted: ErrorKind| error.is_some_and(|error| error.kind == wanted);
        let is_code = |wanted: &String| error.is_some_and(|error| error.code.as_ref() == Some(wanted));
        self.error.is_none_or(is_kind) && self.code.as_ref().is_none_or(is_code)
    }
}

impl Options {
    /// What they choose.
    ///
    /// # Errors
    /// [`CliError::Usage`] if that is nothing, or what no index has.
    pub(crate) fn choice(&self) -> Result<Choice, CliError> {
        if !self.files.is_empty() {
            return Ok(Choice::Files(self.files.clone()));
        }
        if !self.entities.is_empty() {
            let mut entities = self.entities.clone();
            entities.sort_unstable();
            entities.dedup();
            return Ok(Choice::Entities(entities));
        }
        let filter = Filter {
            statuses: self.statuses.clone(),
            error: self.error,
            code: self.code.clone(),
        };
        if let Some(since) = self.since {
            return Ok(Choice::Events {
                since,
                until: self.until,
                filter,
            });
        }
        let all = [AttentionKind::Wake, AttentionKind::Rejected, AttentionKind::Dead];
        let kind = |status: &Status| all.into_iter().find(|kind| kind.status() == *status);
        match filter.statuses.iter().find(|status| kind(status).is_none()) {
            Some(other) => Err(CliError::Usage(format!(
                "expected --since with --status {other}, found none: only PARKED, REJECTED and DEAD can be found without a time"
            ))),
            None if filter == Filter::default() => Err(CliError::Usage(
                "expected what to replay, found nothing: name it with --entity, --file, --status, --error, --code or --since"
                    .to_owned(),
            )),
            None if filter.statuses.is_empty() => Ok(Choice::Attention(all.to_vec(), filter)),
            None => {
                let kinds = filter.statuses.iter().filter_map(kind).collect();
                Ok(Choice::Attention(kinds, filter))
            }
        }
    }
}

fn status(text: &str) -> Result<Status, String> {
    named(&text.to_uppercase()).ok_or_else(|| {
        "expected SYNCED, DELETED, UNCHANGED, COVERED, COALESCED, EXCLUDED, PARKED, REJECTED or DEAD"
            .to_owned()
    })
}

/// A kind of failure by the name that the ledger has for it.
pub(crate) fn kind(text: &str) -> Result<ErrorKind, String> {
    named(text).ok_or_else(|| {
        "expected a kind of failure as the ledger names it, such as refused, invalid, rate-limited, unavailable or timeout"
            .to_owned()
    })
}

fn named<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn choice(line: &str) -> Result<Choice, String> {
        let line = ["replay", "algolia"].into_iter().chain(line.split_whitespace());
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        line.options.choice().map_err(|error| error.to_string())
    }

    #[test]
    fn entities_are_taken_once_each_and_in_order() {
        let Ok(Choice::Entities(entities)) = choice("--entity a/2 --entity a/1 --entity a/2") else {
            panic!("expected entities");
        };
        assert_eq!(entities, ["a/1", "a/2"].map(|key| key.parse().unwrap()));
    }

    #[rstest]
    #[case("--status REJECTED", vec![AttentionKind::Rejected])]
    #[case("--status dead --status parked", vec![AttentionKind::Dead, AttentionKind::Wake])]
    #[case("--error refused", vec![AttentionKind::Wake, AttentionKind::Rejected, AttentionKind::Dead])]
    fn what_stands_now_is_in_the_index(#[case] line: &str, #[case] expected: Vec<AttentionKind>) {
        let Ok(Choice::Attention(kinds, _)) = choice(line) else {
            panic!("expected what needs attention");
        };
        assert_eq!(kinds, expected);
    }

    #[rstest]
    #[case("--status DEAD", false)]
    #[case("--entity a/1", false)]
    #[case("--since 24h --status DEAD", true)]
    fn only_times_are_gone_on_with(#[case] line: &str, #[case] expected: bool) {
        assert_eq!(choice(line).unwrap().goes_on(), expected);
    }

    #[rstest]
    #[case("", "found nothing")]
    #[case("--status SYNCED", "--since with --status SYNCED")]
    #[case("--status GONE", "REJECTED or DEAD")]
    #[case("--error nonsense", "such as refused")]
    #[case("--until 1h", "--since")]
    #[case("--entity a/1 --code 404", "cannot be used with")]
    #[case("--file a.json --since 1h", "cannot be used with")]
    #[case("--entity nobody", "type/id")]
    #[case("--rate 0 --entity a/1", "--rate")]
    fn what_cannot_be_chosen(#[case] line: &str, #[case] expected: &str) {
        let error = choice(line).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[rstest]
    #[case(Filter::default(), true, true)]
    #[case(Filter { statuses: vec![Status::Rejected], ..Filter::default() }, true, false)]
    #[case(Filter { error: Some(ErrorKind::Refused), ..Filter::default() }, true, false)]
    #[case(Filter { error: Some(ErrorKind::Timeout), ..Filter::default() }, false, false)]
    #[case(Filter { code: Some("422".into()), ..Filter::default() }, true, false)]
    #[case(Filter { code: Some("404".into()), ..Filter::default() }, false, false)]
    #[case(Filter { statuses: vec![Status::Synced], error: Some(ErrorKind::Refused), ..Filter::default() }, false, false)]
    fn an_outcome_has_to_pass_all(#[case] filter: Filter, #[case] rejected: bool, #[case] synced: bool) {
        let error = ErrorRecord {
            kind: ErrorKind::Refused,
            verdict: "permanent".into(),
            stage: vendorbridge::Stage::Push,
            step: None,
            pointer: None,
            code: Some("422".into()),
            status: None,
            message: "no".into(),
        };
        assert_eq!(filter.takes(Status::Rejected, Some(&error)), rejected);
        assert_eq!(filter.takes(Status::Synced, None), synced);
    }
}
