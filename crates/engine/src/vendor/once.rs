//! Calls that may happen only once in an entity's life: reserved before, looked for after.

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Push;
use super::push::{is_unknown, unreadable};
use crate::ledger::Effect;
use crate::sabotage::{self, Sabotage};
use crate::{Error, ErrorKind, Stage, Verdict};

impl Push<'_> {
    /// Makes a call that the vendor would carry out as often as it is made, such as a booking: once, whatever the payload, and
    /// for good. What it answered is kept with the entity, also after the settle.
    ///
    /// Before the call the ledger says that it may happen. If its outcome is unknown, or the process dies, the next try asks
    /// `find` first, which is told since when it may have happened. What it does not find may not be visible yet: only after
    /// `visible_after` it is certain that there is nothing, and the call is made again. Until then the answer is a failure to
    /// retry. The answer must not be `null`.
    ///
    /// The window that is left: a call that arrives at the vendor later than [`SLOWEST`](crate::lambda::SLOWEST) after the
    /// process that sent it was killed, or becomes visible later than said.
    ///
    /// # Errors
    /// What `find` or `work` answer, with the name; or that the ledger could not be written, which must be passed on.
    pub async fn once<T, Find, Finding, Work, Working>(
        &mut self,
        name: &str,
        visible_after: Duration,
        find: Find,
        work: Work,
    ) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        Find: FnOnce(Timestamp) -> Finding,
        Finding: Future<Output = Result<Option<T>, Error>>,
        Work: FnOnce() -> Working,
        Working: Future<Output = Result<T, Error>>,
    {
        if sabotage::is(Sabotage::NoReservation) {
            return work().await.map_err(|error| error.in_step(name));
        }
        let known = self.effect(name).cloned();
        let mut since = self.now;
        match known {
            Some(Effect {
                until: None, output, ..
            }) => return read(name, output),
            Some(Effect {
                since: first,
                until: Some(until),
                ..
            }) => {
                if let Some(found) = find(first).await.map_err(|error| error.in_step(name))? {
                    return self.happened(name, first, found);
                }
                let visible_after = SignedDuration::try_from(visible_after).unwrap_or(SignedDuration::MAX);
                let certain = until.saturating_add(visible_after).unwrap_or(Timestamp::MAX);
                if self.now < certain {
                    return Err(not_visible(certain.duration_since(self.now)).in_step(name));
                }
                since = first;
            }
            None => {}
        }
        let ends = self.journal.ends;
        self.keep(Effect {
            name: name.to_owned(),
            since,
            until: Some(ends),
            output: Value::Null,
        });
        self.checkpoint().await?;
        match work().await {
            Ok(output) => self.happened(name, since, output),
            Err(error) => {
                if !is_unknown(&error) {
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
    fn happened<T: Serialize>(&mut self, name: &str, since: Timestamp, output: T) -> Result<T, Error> {
        let kept = serde_json::to_value(&output).map_err(|error| unreadable(name, error))?;
        self.keep(Effect {
            name: name.to_owned(),
            since,
            until: None,
            output: kept,
        });
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

fn not_visible(wait: SignedDuration) -> Error {
    let verdict = Verdict::Retry {
        after: wait.try_into().ok(),
    };
    let message = "a call of unknown outcome may not be visible yet";
    Error::new(ErrorKind::NotFound, verdict, Stage::Push, message)
}
