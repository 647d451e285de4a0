//! Several hosts that serve the same: where one fails, the next is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::{Answer, Http, HttpError};
use crate::clock::Clock;
use crate::{Error, Verdict};

/// A host that failed is left out for this long, unless all failed.
const LEFT_OUT_FOR: SignedDuration = SignedDuration::from_mins(5);

/// The hosts of one service, in the order in which they are asked. Only for requests that may be repeated: a host that gave no
/// answer may have carried the request out.
pub struct Hosts {
    clock: Arc<dyn Clock>,
    hosts: Mutex<Vec<Host>>,
}

#[derive(Clone)]
struct Host {
    url: Url,
    left_out_until: Option<Timestamp>,
}

/// How long a request may take at all hosts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long the first host may take. The second may take twice as long, the third three times.
    pub first: Duration,
    /// When the last one must have answered.
    pub until: Timestamp,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The last host's answer, or why there is none.
    pub result: Result<Answer, Error>,
    /// A host before it may have carried the request out.
    pub is_in_doubt: bool,
}

impl Hosts {
    /// The service behind `first`, or else behind `others`, which are asked in a random order.
    ///
    /// # Errors
    /// [`HttpError::Url`] if one of them may not be called.
    pub fn new(
        http: &Http,
        clock: Arc<dyn Clock>,
        mut rng: fastrand::Rng,
        first: Url,
        mut others: Vec<Url>,
    ) -> Result<Self, HttpError> {
        rng.shuffle(&mut others);
        others.insert(0, first);
        for url in &others {
            http.check(url)?;
        }
        let hosts = others.into_iter().map(|url| Host {
            url,
            left_out_until: None,
        });
        Ok(Self {
            clock,
            hosts: Mutex::new(hosts.collect()),
        })
    }

    /// Asks one host after the other until one answers with anything but a 5xx. A refusal (4xx) is an answer.
    ///
    /// `call` gets a host's base URL and how long it may take, and makes the request at the stage of a push.
    pub async fn send<F, Work>(&self, patience: Patience, call: F) -> Reply
    where
        F: Fn(Url, Duration) -> Work,
        Work: Future<Output = Result<Answer, Error>>,
    {
        let mut is_in_doubt = false;
        let mut urls = self.to_ask().into_iter().peekable();
        let mut timeout = Duration::ZERO;
        loop {
            let Some(url) = urls.next() else {
                // There is always one host, and the last one's reply was returned.
                let result = Err(HttpError::Request("there is no host").at(crate::Stage::Push));
                return Reply { result, is_in_doubt };
            };
            timeout += patience.first;
            let left = self.left(patience.until);
            let result = call(url.clone(), timeout.min(left)).await;
            let failure = match &result {
                Ok(answer) if !answer.status.is_server_error() => None,
                Ok(answer) => Some(answer.status != http::StatusCode::SERVICE_UNAVAILABLE),
                Err(error) if error.verdict() == Verdict::Unknown => Some(true),
                // Not sent at all.
                Err(error) if error.is_brief() => Some(false),
                // Nothing that another host would mend, such as a credential that cannot be had.
                Err(_) => return Reply { result, is_in_doubt },
            };
            self.mark(&url, failure.is_some());
            let is_last = urls.peek().is_none() || self.left(patience.until).is_zero();
            match failure {
                Some(may_be_done) if !is_last => is_in_doubt |= may_be_done,
                _ => return Reply { result, is_in_doubt },
            }
        }
    }

    /// The hosts that have not failed lately; all of them if there are none.
    fn to_ask(&self) -> Vec<Url> {
        let now = self.clock.now();
        let mut hosts = self.lock();
        let is_in = |host: &Host| host.left_out_until.is_none_or(|until| now >= until);
        if !hosts.iter().any(is_in) {
            for host in hosts.iter_mut() {
                host.left_out_until = None;
            }
        }
        hosts
            .iter()
            .filter(|host| is_in(host))
            .map(|host| host.url.clone())
            .collect()
    }

    fn mark(&self, url: &Url, failed: bool) {
        let until = self
            .clock
            .now()
            .saturating_add(LEFT_OUT_FOR)
            .unwrap_or(Timestamp::MAX);
        for host in self.lock().iter_mut().filter(|host| host.url == *url) {
            host.left_out_until = failed.then_some(until);
        }
    }

    fn left(&self, until: Timestamp) -> Duration {
        until
            .duration_since(self.clock.now())
            .try_into()
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
