//! The models of the bus and of the failure queue.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use vendorbridge::changes::{Bus, Event, Failures, Refusal};
use vendorbridge::clock::Clock;

use super::record::{Kind, number};
use crate::memory::{ManualClock, lock};

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not carried out.
    Down,
    /// It is carried out, but the answer gets lost.
    AnswerLost,
    /// The process dies before it.
    KilledBefore,
    /// The process dies when it has been carried out.
    KilledAfter,
    /// It takes this many seconds.
    Slow(u64),
    /// The entries at these places are refused with this code.
    Entries(Vec<usize>, String),
    /// The whole request is refused with this code, for good.
    Invalid(String),
}

/// A bus, a failure queue and a clock.
pub struct StreamWorld {
    /// The time.
    pub clock: ManualClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    published: Vec<Event>,
    requests: Vec<Vec<Event>>,
    kept: Vec<Value>,
    /// What happens to the next requests, first to the bus.
    script: VecDeque<Option<Fault>>,
    queue_script: VecDeque<Option<Fault>>,
    dice: Option<Dice>,
    deadline: Timestamp,
}

/// Faults by chance.
struct Dice {
    rng: Rng,
    stormy: u64,
    fault: f64,
    refusal: f64,
    kinds: HashMap<u64, Kind>,
}

impl StreamWorld {
    /// A world in which all goes well.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            clock: ManualClock::new(now),
            state: Mutex::new(State {
                deadline: Timestamp::MAX,
                ..State::default()
            }),
        }
    }

    pub(super) fn with_dice(self, rng: Rng, profile: &super::Profile, kinds: HashMap<u64, Kind>) -> Self {
        lock(&self.state).dice = Some(Dice {
            rng,
            stormy: profile.stormy,
            fault: profile.fault,
            refusal: profile.refusal,
            kinds,
        });
        self
    }

    /// What happens to the next requests to the bus, one after the other; `None` is nothing. Then all goes well.
    pub fn script(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        lock(&self.state).script.extend(faults);
    }

    /// The same for messages to the failure queue.
    pub fn queue_script(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        lock(&self.state).queue_script.extend(faults);
    }

    /// When the process is killed.
    pub fn set_deadline(&self, deadline: Timestamp) {
        lock(&self.state).deadline = deadline;
    }

    /// What arrived at the bus, in this order.
    #[must_use]
    pub fn published(&self) -> Vec<Event> {
        lock(&self.state).published.clone()
    }

    /// The requests to the bus, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> Vec<Vec<Event>> {
        lock(&self.state).requests.clone()
    }

    /// What the failure queue holds.
    #[must_use]
    pub fn kept(&self) -> Vec<Value> {
        lock(&self.state).kept.clone()
    }

    /// What befalls a request to the bus.
    fn befall(&self, events: &[&Event]) -> Option<Fault> {
        let state = &mut *lock(&self.state);
        state
            .requests
            .push(events.iter().map(|event| (*event).clone()).collect());
        if let Some(fault) = state.script.pop_front() {
            return fault;
        }
        let dice = state.dice.as_mut()?;
        let kinds: Vec<_> = events.iter().map(|event| dice.kind(event)).collect();
        if kinds.contains(&Kind::Killer) {
            return Some(if dice.rng.bool() {
                Fault::KilledBefore
            } else {
                Fault::KilledAfter
            });
        }
        if kinds.contains(&Kind::RequestRefused) {
            return Some(Fault::Invalid("ValidationException".to_owned()));
        }
        let refused: Vec<_> = (0..kinds.len())
            .filter(|at| kinds[*at] == Kind::Refused)
            .collect();
        if !refused.is_empty() {
            return Some(Fault::Entries(refused, "MalformedDetail".to_owned()));
        }
        if dice.stormy == 0 {
            return None;
        }
        dice.stormy -= 1;
        if dice.rng.f64() < dice.fault {
            return Some(dice.fault());
        }
        let refusal = dice.refusal;
        let refused: Vec<_> = (0..kinds.len()).filter(|_| dice.rng.f64() < refusal).collect();
        (!refused.is_empty()).then(|| Fault::Entries(refused, "InternalFailure".to_owned()))
    }

    fn befall_queue(&self) -> Option<Fault> {
        let state = &mut *lock(&self.state);
        if let Some(fault) = state.queue_script.pop_front() {
            return fault;
        }
        let dice = state.dice.as_mut().filter(|dice| dice.stormy > 0)?;
        dice.stormy -= 1;
        (dice.rng.f64() < dice.fault).then(|| dice.fault())
    }

    /// Lets the request take its time; the process may be over by then.
    async fn take(&self, fault: Option<&Fault>) {
        let time = match fault {
            Some(Fault::Slow(seconds)) => Duration::from_secs(*seconds),
            _ => Duration::from_millis(20),
        };
        self.clock.advance(time);
        let is_over = self.clock.now() > lock(&self.state).deadline;
        if is_over || fault == Some(&Fault::KilledBefore) {
            killed().await;
        }
    }
}

/// The process is gone: what waits here waits for ever, and is dropped.
async fn killed() {
    std::future::pending::<()>().await;
}

impl Dice {
    fn kind(&self, event: &Event) -> Kind {
        let number = sequence_of(event).and_then(|sequence| number(&sequence));
        number
            .and_then(|number| self.kinds.get(&number).copied())
            .unwrap_or(Kind::Plain)
    }

    fn fault(&mut self) -> Fault {
        match self.rng.u8(..8) {
            0..=2 => Fault::Down,
            3 | 4 => Fault::AnswerLost,
            5 => Fault::KilledBefore,
            6 => Fault::KilledAfter,
            _ => Fault::Slow(self.rng.u64(1..=7)),
        }
    }
}

/// The sequence number that an event tells.
pub(super) fn sequence_of(event: &Event) -> Option<String> {
    let detail: Value = serde_json::from_str(&event.detail).ok()?;
    Some(detail.get("sequence")?.as_str()?.to_owned())
}

fn refusal(code: &str, is_permanent: bool) -> Refusal {
    Refusal {
        code: code.to_owned(),
        is_permanent,
    }
}

impl Bus for StreamWorld {
    fn put<'a>(
        &'a self,
        events: &'a [&'a Event],
    ) -> BoxFuture<'a, Result<Vec<Result<String, Refusal>>, Refusal>> {
        Box::pin(async move {
            let fault = self.befall(events);
            self.take(fault.as_ref()).await;
            let refused = match &fault {
                Some(Fault::Down) => return Err(refusal("no answer", false)),
                Some(Fault::Invalid(code)) => return Err(refusal(code, true)),
                Some(Fault::Entries(places, code)) => places.iter().map(|at| (*at, code.as_str())).collect(),
                _ => HashMap::new(),
            };
            let results = (0..events.len()).map(|at| match refused.get(&at) {
                Some(code) => Err(refusal(code, *code == "MalformedDetail")),
                None => Ok(at.to_string()),
            });
            let results: Vec<_> = results.collect();
            {
                let published = &mut lock(&self.state).published;
                let taken = events.iter().zip(&results).filter(|(_, result)| result.is_ok());
                published.extend(taken.map(|(event, _)| (*event).clone()));
            }
            match fault {
                Some(Fault::AnswerLost) => Err(refusal("no answer", false)),
                Some(Fault::KilledAfter) => {
                    killed().await;
                    Ok(results)
                }
                _ => Ok(results),
            }
        })
    }
}

impl Failures for StreamWorld {
    fn keep<'a>(&'a self, body: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let fault = self.befall_queue();
            self.take(fault.as_ref()).await;
            if fault == Some(Fault::Down) {
                return Err("no answer".to_owned());
            }
            let body = serde_json::from_str(body).map_err(|error| error.to_string())?;
            lock(&self.state).kept.push(body);
            match fault {
                Some(Fault::AnswerLost) => Err("no answer".to_owned()),
                Some(Fault::KilledAfter) => {
                    killed().await;
                    Ok(())
                }
                _ => Ok(()),
            }
        })
    }
}
