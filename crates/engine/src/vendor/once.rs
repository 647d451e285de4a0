//! Calls that may happen only once in an entity's life: reserved before, looked for after.

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Push;
use super::push::unreadable;
use crate::ledger::{Effect, StepReport};
use crate::sabotage::{self, Sabotage};
use crate::{Error, ErrorKind, Stage, Verdict};

impl Push<'_> {
    /// Makes a call that the vendor would carry out as often as it is made, such as a booking: once, whatever the payload, and
    /// for good. What it answered is kept with the entity, also after the settle.
    ///
    /// Before the call the ledger says that it may happen, and what it is `about`. If its outcome is unknown, or the process
    /// dies, the next try asks `find` first, which is told since when it may have happened. What it does not find may not be
    /// visible yet: only after `visible_after` it is certain that there is nothing, and the call is made again. Until then the
    /// answer is a failure to retry. Both are given what the *first* try was about, whatever this one would say.
    ///
    /// Only a failure to retry, or one that says so ([`Error::turned_away`]), means that the call did not happen; any other that is
    /// permanent leaves it open, as an unknown one does.
    ///
    /// The window that is left: a call that arrives at the vendor later than `slowest` after the process that sent it was
    /// killed, or becomes visible later than said.
    ///
    /// # Errors
    /// What `find` or `work` answer, with the name; or that the ledger could not be written, which must be passed on.
    pub async fn once<T, About, Find, Finding, Work, Working>(
        &mut self,
        name: &str,
        visible_after: Duration,
        about: About,
        find: Find,
        work: Work,
    ) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        About: Serialize + DeserializeOwned,
        Find: FnOnce(Timestamp, About) -> Finding,
        Finding: Future<Output = Result<Option<T>, Error>>,
        Work: FnOnce(About) -> Working,
        Working: Future<Output = Result<T, Error>>,
    {
        if sabotage::is(Sabotage::NoReservation) {
            return work(about).await.map_err(|error| error.in_step(name));
        }
        let mut kept = serde_json::to_value(&about).map_err(|error| unreadable(name, error))?;
        if let Some(known) = self.effect(name).cloned() {
            let Some(until) = known.until else {
                // What was done for earlier events is behind the plan, and no news.
                if known.at.is_some_and(|at| at >= self.event_time) {
                    self.completed(StepReport::from(&known));
                } else {
                    self.passed(name);
                }
                return read(name, known.output);
            };
            kept.clone_from(&known.output);
            let looked_for = read(name, known.output)?;
            if let Some(found) = find(known.since, looked_for)
                .await
                .map_err(|error| again(error).in_step(name))?
            {
                return self.happened(name, known.since, None, found);
            }
            let visible_after = SignedDuration::try_from(visible_after).unwrap_or(SignedDuration::MAX);
            let certain = until.saturating_add(visible_after).unwrap_or(Timestamp::MAX);
            if self.now < certain {
                return Err(not_visible(certain.duration_since(self.now)).in_step(name));
            }
        }
        let about = read(name, kept.clone())?;
        let since = self.now;
        let ends = self.journal.ends;
        self.keep(Effect {
            name: name.to_owned(),
            since,
            until: Some(ends),
            output: kept,
            took_ms: None,
            at: None,
        });
        self.checkpoint().await?;
        let started = self.journal.clock.now();
        match work(about).await {
            Ok(output) => {
                let took = self.millis_since(started);
                self.happened(name, since, Some(took), output)
            }
            Err(error) => {
                if matches!(error.verdict(), Verdict::Retry { .. }) || error.is_turned_away() {
                    self.journal.record.effects.retain(|effect| effect.name != name);
                }
                Err(error.in_step(name))
            }
        }
    }

    /// What a call that may happen only [once](Self::once) answered: `None` if it was never made, `Some(None)` if its outcome
    /// is not known.
    ///
    /// # Errors
    /// If the answer is not what was expected.
    pub fn outcome_of<T: DeserializeOwned>(&self, name: &str) -> Result<Option<Option<T>>, Error> {
        match self.effect(name) {
            None => Ok(None),
            Some(Effect { until: Some(_), .. }) => Ok(Some(None)),
            Some(Effect { output, .. }) => read(name, output.clone()).map(|output| Some(Some(output))),
        }
    }

    fn effect(&self, name: &str) -> Option<&Effect> {
        self.journal
            .record
            .effects
            .iter()
            .find(|effect| effect.name == name)
    }

    /// Written with the next step, or with the settle: until then the ledger says that it may have happened.
    fn happened<T: Serialize>(
        &mut self,
        name: &str,
        since: Timestamp,
        took_ms: Option<u64>,
        output: T,
    ) -> Result<T, Error> {
        let kept = serde_json::to_value(&output).map_err(|error| unreadable(name, error))?;
        let effect = Effect {
            name: name.to_owned(),
            since,
            until: None,
            output: kept,
            took_ms,
            at: Some(self.journal.clock.now()),
        };
        self.completed(StepReport::from(&effect));
        self.keep(effect);
        Ok(output)
    }

    fn keep(&mut self, effect: Effect) {
        let effects = &mut self.journal.record.effects;
        effects.retain(|kept| kept.name != effect.name);
        effects.push(effect);
    }
}

fn read<T: DeserializeOwned>(name: &str, output: Value) -> Result<T, Error> {
    serde_json::from_value(output).map_err(|error| unreadable(name, error))
}

/// Whatever is wrong with looking, it does not say that there is nothing to be found.
fn again(error: Error) -> Error {
    if error.verdict() != Verdict::Permanent {
        return error;
    }
    let message = format!("what may have happened cannot be looked for: {}", error.message());
    let again = Error::retry(error.kind(), error.stage(), message);
    match error.vendor_code() {
        Some(code) => again.code(code),
        None => again,
    }
}

fn not_visible(wait: SignedDuration) -> Error {
    let verdict = Verdict::Retry {
        after: wait.try_into().ok(),
    };
    let message = "a call of unknown outcome may not be visible yet";
    Error::new(ErrorKind::NotFound, verdict, Stage::Push, message)
}
