//! How a service is told to misbehave.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use md5::{Digest, Md5};

use super::lock;

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 429 in the service's own words, with `Retry-After` in whole seconds (rounded up) when given. Mailchimp
    /// documents no `Retry-After`; a proxy in front of it may send one.
    TooManyRequests {
        /// How long the caller is told to wait.
        retry_after: Option<Duration>,
    },
    /// This status, in the service's own words.
    Status(u16),
    /// 403 without a body: what Mailchimp answers at very high volume
    /// (<https://mailchimp.com/developer/marketing/docs/fundamentals/#api-limits>).
    Forbidden,
    /// Nothing is done and no answer comes until the client goes away or the sandbox's `hold` is over; then
    /// the connection is closed.
    Timeout,
    /// The request is served, and then no answer comes, as for [`Timeout`](Self::Timeout).
    AcceptThenTimeout,
    /// Nothing is done, and the connection is closed without an answer.
    CutConnection,
    /// The request is served, and the connection is closed without an answer.
    AcceptThenCut,
}

/// The plan of one service: who gets which fault and when. Clones share it.
///
/// What was asked for first in this list wins: an outage, a subject's own fault, the n-th request, chance.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Default)]
struct Plan {
    outage: Option<Fault>,
    subjects: BTreeMap<String, Fault>,
    coming: BTreeMap<u64, Fault>,
    chance: Option<Chance>,
    seen: u64,
    injected: BTreeMap<Fault, u64>,
}

struct Chance {
    random: fastrand::Rng,
    rates: Vec<(f64, Fault)>,
}

impl Faults {
    /// The `nth` request from now gets `fault`; the next one is 1. A second plan for the same request
    /// replaces the first.
    pub fn at(&self, nth: u64, fault: Fault) {
        let mut plan = lock(&self.0);
        let request = plan.seen + nth.max(1);
        plan.coming.insert(request, fault);
    }

    /// Every request gets each fault with its rate (0 to 1; together at most 1). The same seed and the same
    /// order of requests give the same faults. An empty list ends it.
    pub fn rates(&self, seed: u64, rates: &[(f64, Fault)]) {
        let chance = Chance {
            random: fastrand::Rng::with_seed(seed),
            rates: rates.to_vec(),
        };
        lock(&self.0).chance = (!rates.is_empty()).then_some(chance);
    }

    /// Every request about `subject` gets `fault` until [`heal`](Self::heal): a customer's id, a member's
    /// address, hash or contact id, a delivery's `data.id`. Upper and lower case are the same.
    pub fn always_for(&self, subject: &str, fault: Fault) {
        lock(&self.0).subjects.insert(subject_key(subject), fault);
    }

    /// Ends [`always_for`](Self::always_for).
    pub fn heal(&self, subject: &str) {
        lock(&self.0).subjects.remove(&subject_key(subject));
    }

    /// An outage: every request gets `fault` until [`recover`](Self::recover).
    pub fn for_all(&self, fault: Fault) {
        lock(&self.0).outage = Some(fault);
    }

    /// Ends the outage of [`for_all`](Self::for_all).
    pub fn recover(&self) {
        lock(&self.0).outage = None;
    }

    /// Ends everything planned. The counts stay.
    pub fn clear(&self) {
        let mut plan = lock(&self.0);
        let (seen, injected) = (plan.seen, std::mem::take(&mut plan.injected));
        *plan = Plan {
            seen,
            injected,
            ..Plan::default()
        };
    }

    /// How often each fault was injected.
    #[must_use]
    pub fn injected(&self) -> BTreeMap<Fault, u64> {
        lock(&self.0).injected.clone()
    }

    /// How many faults were injected that `of` is true for: `how_many(|f| matches!(f, Fault::Status(_)))`.
    pub fn how_many(&self, of: impl Fn(Fault) -> bool) -> u64 {
        lock(&self.0)
            .injected
            .iter()
            .filter(|(fault, _)| of(**fault))
            .map(|(_, times)| times)
            .sum()
    }

    /// What happens to the next request, which is about the subjects with these keys.
    pub(super) fn draw(&self, keys: &[String]) -> Option<Fault> {
        let mut plan = lock(&self.0);
        plan.seen += 1;
        let seen = plan.seen;
        let coming = plan.coming.remove(&seen);
        let chance = plan.chance.as_mut().and_then(Chance::draw);
        let own = keys.iter().find_map(|key| plan.subjects.get(key).copied());
        let fault = plan.outage.or(own).or(coming).or(chance)?;
        *plan.injected.entry(fault).or_default() += 1;
        Some(fault)
    }
}

impl Chance {
    fn draw(&mut self) -> Option<Fault> {
        let mut left = self.random.f64();
        for (rate, fault) in &self.rates {
            if left < *rate {
                return Some(*fault);
            }
            left -= rate;
        }
        None
    }
}

/// What a subject is known by here: lower case, an e-mail address as its MD5, so that a member's address and
/// its subscriber hash are the same subject.
pub(super) fn subject_key(subject: &str) -> String {
    let subject = subject.to_lowercase();
    if subject.contains('@') {
        hex::encode(Md5::digest(subject.as_bytes()))
    } else {
        subject
    }
}
