//! Putting many events at once, for a caller that waits for the answer.
//!
//! Events of different keys travel side by side. Those of one key follow each other: what is behind one that waits for
//! another try waits, too, and is never put before it.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{Bus, Event, MAX_BYTES, MAX_ENTRIES, Refusal};
use crate::clock::Clock;

/// What fails is tried again after these pauses, while there is time.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
];
/// No request is begun when less time than this is left: the slowest takes as long.
const RESERVE: SignedDuration = SignedDuration::from_secs(7);

/// Events on their way, and what is known of each.
struct Sending<'a> {
    events: &'a [Event],
    results: Vec<Result<String, Refusal>>,
    /// The events that may still be put, in order.
    left: Vec<usize>,
    /// The bus refused a request for something in it: alone, the others go through.
    one_by_one: bool,
}

/// Puts the events, in as many requests as that takes; the answers stand in the events' order, each the event's id.
///
/// It ends before `deadline`. An event whose answer was lost counts as refused, though it may be on the bus.
pub async fn put_all(
    bus: &dyn Bus,
    clock: &dyn Clock,
    deadline: Timestamp,
    events: &[Event],
) -> Vec<Result<String, Refusal>> {
    let has_time = |pause: Duration| {
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        deadline.duration_since(clock.now()) >= RESERVE.saturating_add(pause)
    };
    let mut sending = Sending::new(events);
    let mut pauses = PAUSES.iter();
    while !sending.left.is_empty() && has_time(Duration::ZERO) {
        if sending.round(bus).await {
            continue;
        }
        match pauses.next() {
            Some(pause) if has_time(*pause) => clock.sleep(*pause).await,
            _ => break,
        }
    }
    sending.results
}

impl<'a> Sending<'a> {
    fn new(events: &'a [Event]) -> Self {
        Self {
            events,
            results: events
                .iter()
                .map(|_| Err(transient("no time was left")))
                .collect(),
            left: (0..events.len()).collect(),
            one_by_one: false,
        }
    }

    /// Puts the first event that is left of each key; `false` if one failed that may go through later.
    async fn round(&mut self, bus: &dyn Bus) -> bool {
        let requests = self.requests();
        let answers = join_all(requests.iter().map(|chosen| async {
            let events: Vec<_> = chosen.iter().map(|at| &self.events[*at]).collect();
            bus.put(&events).await
        }))
        .await;
        let mut is_smooth = true;
        let mut done = HashSet::new();
        for (chosen, answer) in requests.into_iter().zip(answers) {
            let is_alone = chosen.len() == 1;
            for (at, result) in chosen.iter().zip(each(answer, chosen.len())) {
                match &result {
                    Ok(_) => {
                        done.insert(*at);
                    }
                    Err((refusal, is_whole)) if refusal.is_permanent => {
                        if *is_whole && !is_alone {
                            self.one_by_one = true;
                        } else {
                            done.insert(*at);
                        }
                    }
                    Err(_) => is_smooth = false,
                }
                self.results[*at] = result.map_err(|(refusal, _)| refusal);
            }
        }
        self.left.retain(|at| !done.contains(at));
        is_smooth
    }

    /// The requests of a round, each within the limits.
    fn requests(&self) -> Vec<Vec<usize>> {
        let most = if self.one_by_one { 1 } else { MAX_ENTRIES };
        let mut keys = HashSet::new();
        let mut requests: Vec<Vec<usize>> = Vec::new();
        let mut bytes = 0;
        for at in &self.left {
            let event = &self.events[*at];
            if !keys.insert(event.key.as_str()) {
                continue;
            }
            match requests.last_mut() {
                Some(request) if request.len() < most && bytes + event.size() <= MAX_BYTES => {
                    bytes += event.size();
                    request.push(*at);
                }
                _ => {
                    bytes = event.size();
                    requests.push(vec![*at]);
                }
            }
        }
        requests
    }
}

type Answer = Result<Vec<Result<String, Refusal>>, Refusal>;

/// What a request's answer says of each of its events; with a refusal, whether it is the whole request's.
fn each(answer: Answer, events: usize) -> Vec<Result<String, (Refusal, bool)>> {
    let whole = match answer {
        Ok(results) if results.len() == events => {
            return results
                .into_iter()
                .map(|result| result.map_err(|refusal| (refusal, false)))
                .collect();
        }
        Ok(_) => transient("another number of answers than of events"),
        Err(refusal) => refusal,
    };
    vec![Err((whole, true)); events]
}

fn transient(code: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        is_permanent: false,
    }
}

#[cfg(test)]
mod tests;
