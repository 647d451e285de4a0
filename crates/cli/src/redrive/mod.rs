//! `vendorbridge redrive`: dead letters back into their lanes (docs/adr/0019-repairs-go-through-the-lanes.md).
//!
//! A letter is sent before it is deleted: what is killed in between is redriven twice, which a forced sync of the same state makes
//! harmless.

mod letter;
mod queue;
mod report;
mod round;

use std::collections::{BTreeMap, HashMap};

use vendorbridge::EntityKey;
use vendorbridge::ErrorKind;
use vendorbridge::ledger::Reader;

use crate::args::Global;
use crate::ask::describe;
use crate::lanes::{VendorLanes, run_id};
use crate::progress::Progress;
use crate::replay::options::{Filter, kind};
use crate::session::Session;
use crate::work::{Pace, Stop, ended};
use crate::{CliError, Outcome, output};
use letter::{Letter, Way};
use queue::DeadLetters;
use round::Round;

pub use report::Redriven;

/// The options of `redrive`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The vendor's name
    pub vendor: String,
    /// Only what is about this entity, such as `customer/c-4711`; can be repeated
    #[arg(long = "entity", value_name = "TYPE/ID")]
    pub entities: Vec<EntityKey>,
    /// Only entities that failed in this way, as the ledger has it, such as `timeout`
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub error: Option<ErrorKind>,
    /// Only entities that failed with this code of the vendor's
    #[arg(long)]
    pub code: Option<String>,
    /// Say what would be sent; send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Messages a second
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
}

impl Options {
    fn filter(&self) -> Filter {
        Filter {
            statuses: Vec::new(),
            error: self.error,
            code: self.code.clone(),
        }
    }
}

/// Redrives what was chosen.
///
/// # Errors
/// If the vendor is not deployed, or its queues or the ledger cannot be used.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    session.deployment.chosen(Some(&options.vendor))?;
    let run = run_id("redrive", &mut fastrand::Rng::new());
    let letters = DeadLetters::open(&session, &options.vendor, &run)?;
    let total = letters.count().await?;
    let mut report = Redriven::new(&session.stack, &options.vendor, &run, options.dry_run, total);
    let readable = readable_types(&session, &options.vendor).await?;
    if readable.is_none() {
        report.note = Some(
            "the vendor's function cannot be asked what it keeps: every message goes back as it is".into(),
        );
    }
    let mut work = Work {
        options,
        letters,
        lanes: VendorLanes::open(&session, &options.vendor, &run)?,
        reader: session.reader(),
        readable: readable.unwrap_or_default(),
        records: HashMap::new(),
        round: Round::new(total),
        report,
    };
    let stop = Stop::listen();
    let mut progress = Progress::new(global.json, "redrive", Some(total));
    let done = work.all(&stop, &mut progress).await;
    progress.finish();
    work.letters.let_go(work.round.in_hand()).await;
    let report = work.report;
    if let Err(cause) = done {
        return Err(CliError::Unfinished {
            cause: Box::new(cause),
            done: format!("{} redriven", report.sent),
            go_on: "The same command takes the rest".to_owned(),
        });
    }
    let outcome = output::answer(global, &report, Redriven::text)?;
    Ok(ended(outcome, report.interrupted))
}

/// Which of the vendor's types the source can be asked for. `None` if the function does not say: that it does not run may be why
/// there are dead letters.
async fn readable_types(session: &Session, vendor: &str) -> Result<Option<Vec<String>>, CliError> {
    match describe(session, vendor).await {
        Ok(description) => {
            let readable = description.entities.into_iter().filter(|kept| kept.is_readable);
            Ok(Some(readable.map(|kept| kept.entity_type).collect()))
        }
        Err(CliError::Unanswered { .. } | CliError::Answered { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Work<'a> {
    options: &'a Options,
    letters: DeadLetters,
    lanes: VendorLanes,
    reader: Reader,
    readable: Vec<String>,
    /// Whether an entity's record passes the filter.
    records: HashMap<EntityKey, bool>,
    round: Round,
    report: Redriven,
}

impl Work<'_> {
    async fn all(&mut self, stop: &Stop, progress: &mut Progress) -> Result<(), CliError> {
        let mut pace = Pace::new(self.options.rate);
        loop {
            let some = self.letters.some().await?;
            if some.is_empty() {
                return Ok(());
            }
            if !pace.wait(some.len(), stop).await {
                self.round.hold(&some);
                self.report.interrupted = true;
                return Ok(());
            }
            let letters = &self.letters;
            let sorted = self.round.sort(some, |letter| letters.knows(letter));
            if self.round.is_over() {
                return Ok(());
            }
            self.letters.hold(&sorted.known).await;
            progress.add(sorted.new.len() as u64);
            self.batch(sorted.new).await?;
        }
    }

    async fn batch(&mut self, letters: Vec<Letter>) -> Result<(), CliError> {
        let (mut chosen, mut others) = (Vec::new(), Vec::new());
        for letter in letters {
            let way = letter.way(|entity_type| self.readable.iter().any(|known| known == entity_type));
            if let Way::Unreadable(reason) = &way {
                self.report.unreadable(&letter, reason);
                others.push(letter);
            } else if self.is_chosen(&letter).await? {
                chosen.push((letter, way));
            } else {
                self.report.not_chosen += 1;
                others.push(letter);
            }
        }
        if self.options.dry_run {
            for (letter, way) in &chosen {
                self.report.sends(letter, way);
            }
            // They stay in hand: putting them back would be a change. Behind ten of one group nothing is seen.
            let chosen = chosen.into_iter().map(|(letter, _)| letter);
            let all: Vec<_> = chosen.chain(others).collect();
            self.letters.hold(&all).await;
            self.round.hold(&all);
            return Ok(());
        }
        self.send(chosen).await?;
        let ids = self.letters.put_back(&others).await?;
        self.round.put_back(ids);
        Ok(())
    }

    /// Whether the letter passes the options. One whose entity cannot be told passes none that ask for it.
    async fn is_chosen(&mut self, letter: &Letter) -> Result<bool, CliError> {
        if !self.options.entities.is_empty() && !letter.is_about(&self.options.entities) {
            return Ok(false);
        }
        let filter = self.options.filter();
        if filter == Filter::default() {
            return Ok(true);
        }
        let Some(entity) = letter.entity() else {
            return Ok(false);
        };
        if let Some(is_chosen) = self.records.get(&entity) {
            return Ok(*is_chosen);
        }
        let record = self.reader.entity(&self.options.vendor, &entity).await;
        let record = record.map_err(CliError::unread)?;
        let parked = |record: &vendorbridge::ledger::EntityRecord| {
            record.parked.as_ref().map(|parked| parked.error.clone())
        };
        let error = record.and_then(|record| record.error.clone().or_else(|| parked(&record)));
        let is_chosen = filter.takes_error(error.as_ref());
        self.records.insert(entity, is_chosen);
        Ok(is_chosen)
    }

    /// Sends letters where they belong, then deletes those that were taken.
    async fn send(&mut self, letters: Vec<(Letter, Way)>) -> Result<(), CliError> {
        let (mut to_lanes, mut to_intake) = (Vec::new(), Vec::new());
        for (at, (letter, way)) in letters.iter().enumerate() {
            let message = match way {
                Way::SyncNow(entity) => self.lanes.message(entity, true),
                Way::AsItIs | Way::Unreadable(_) => {
                    self.lanes.again(&letter.group, &letter.message_id, &letter.body)
                }
            };
            let is_intake = letter.is_intake() && !matches!(way, Way::SyncNow(_));
            if is_intake { &mut to_intake } else { &mut to_lanes }.push((at, message));
        }
        let mut refused = BTreeMap::new();
        for (messages, is_intake) in [(to_lanes, false), (to_intake, true)] {
            let (positions, messages): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
            let failed = if is_intake {
                self.lanes.send_to_intake(&messages).await
            } else {
                self.lanes.send(&messages).await
            };
            refused.extend(failed.into_iter().map(|(at, error)| (positions[at], error)));
        }
        for (at, (letter, way)) in letters.iter().enumerate() {
            if !refused.contains_key(&at) {
                self.letters.delete(letter).await?;
                self.report.sends(letter, way);
            }
        }
        match refused.into_values().next() {
            Some(error) => Err(CliError::of_ledger("sending into the vendor's queue", &error)),
            None => Ok(()),
        }
    }
}
