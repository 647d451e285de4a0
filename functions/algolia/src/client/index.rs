//! One index, behind its hosts: batches and tasks.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;
use vendorbridge::auth::Auth;
use vendorbridge::clock::Clock;
use vendorbridge::http::{Answer, Hosts, Http, HttpError, MAX_PAGE_BYTES, Patience, Reply};
use vendorbridge::lambda::Setup;
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use super::{Write, no_json};
use crate::config::{AppId, Settings};
use crate::error;

/// What all requests for one batch may take together, waiting for its task included: the engine's deadline counts on ten
/// seconds.
pub(super) const ALL_IN: SignedDuration = SignedDuration::from_secs(9);
/// What the first host may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The first wait for a task; each next one is twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(200);

#[derive(Serialize)]
struct Batch<'a> {
    requests: &'a [Write],
}

/// The part of a batch's answer that matters here: it is queued under this number.
#[derive(Deserialize)]
struct Accepted {
    #[serde(rename = "taskID")]
    task_id: u64,
}

#[derive(Deserialize)]
struct Task {
    status: String,
}

/// One index, behind its hosts.
pub(super) struct Index {
    http: Http,
    clock: Arc<dyn Clock>,
    auth: Auth,
    hosts: Hosts,
    app_id: AppId,
    name: String,
    wait_for_task: bool,
}

/// Why a batch was not taken.
struct Failure {
    error: Error,
    /// An earlier host may have taken it.
    is_in_doubt: bool,
}

impl Index {
    pub(super) fn new(setup: &Setup, settings: &Settings) -> Result<Self, HttpError> {
        let (first, others) = hosts(settings)?;
        let key = setup.secret("api_key");
        Ok(Self {
            http: setup.http(),
            clock: setup.clock(),
            auth: Auth::header(HeaderName::from_static("x-algolia-api-key"), key),
            hosts: Hosts::new(&setup.http(), setup.clock(), setup.rng(), first, others)?,
            app_id: settings.app_id.clone(),
            name: settings.index.as_str().to_owned(),
            wait_for_task: settings.wait_for_task,
        })
    }

    /// Sends a batch. Algolia takes it as a whole or not at all, so one that is refused for what is in it is halved until
    /// the record at fault stands alone.
    pub(super) async fn write(&self, writes: &[Write]) -> Vec<Result<u64, Error>> {
        let until = self.clock.now().saturating_add(ALL_IN).unwrap_or(Timestamp::MAX);
        let mut answers = Vec::with_capacity(writes.len());
        // The part on top is the one before all others: the answers come in order.
        let mut parts: Vec<(Range<usize>, bool)> = vec![(0..writes.len(), false)];
        while let Some((part, was_in_doubt)) = parts.pop() {
            match self.batch(&writes[part.clone()], until).await {
                Ok(task_id) => answers.extend(part.map(|_| Ok(task_id))),
                Err(Failure { error, is_in_doubt }) => {
                    let is_in_doubt = is_in_doubt || was_in_doubt;
                    if error.verdict() == Verdict::Permanent && part.len() > 1 {
                        let middle = part.start + part.len() / 2;
                        parts.push((middle..part.end, is_in_doubt));
                        parts.push((part.start..middle, is_in_doubt));
                    } else {
                        let error = if is_in_doubt { error.in_doubt() } else { error };
                        answers.extend(part.map(|_| Err(error.copied())));
                    }
                }
            }
        }
        answers
    }

    async fn batch(&self, writes: &[Write], until: Timestamp) -> Result<u64, Failure> {
        if self.clock.now() >= until {
            let message = "no time was left to find the record for which a batch was refused";
            let error = Error::retry(ErrorKind::Timeout, Stage::Push, message);
            return Err(Failure {
                error,
                is_in_doubt: false,
            });
        }
        let sure = |error| Failure {
            error,
            is_in_doubt: false,
        };
        let body = serde_json::to_vec(&Batch { requests: writes }).map_err(|error| sure(no_json(error)))?;
        let reply = self.send(Method::POST, &["batch"], body.into(), until).await;
        let is_in_doubt = reply.is_in_doubt;
        let accepted: Accepted = self.read(reply).map_err(|error| Failure { error, is_in_doubt })?;
        if self.wait_for_task {
            self.wait_for(accepted.task_id, until).await.map_err(sure)?;
        }
        Ok(accepted.task_id)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Asks something that changes nothing.
    pub(super) async fn query<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
        until: Timestamp,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(query).map_err(no_json)?;
        let reply = self.send(Method::POST, path, body.into(), until).await;
        self.read(reply)
    }

    /// Waits until what a task wrote can be found.
    async fn wait_for(&self, task_id: u64, until: Timestamp) -> Result<(), Error> {
        let mut pause = FIRST_LOOK;
        loop {
            self.clock.sleep(pause).await;
            let reply = self
                .send(Method::GET, &["task", &task_id.to_string()], Bytes::new(), until)
                .await;
            // The batch is taken; what is uncertain is when it can be found. A repeat of it is harmless.
            let task: Task = self.read(reply).map_err(Error::in_doubt)?;
            if task.status == "published" {
                return Ok(());
            }
            pause = pause.saturating_mul(2);
            let next = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
            if next >= until {
                let message = format!(
                    "expected the task {task_id} to be published in time, found `{}`",
                    task.status
                );
                return Err(Error::new(
                    ErrorKind::Timeout,
                    Verdict::Unknown,
                    Stage::Push,
                    message,
                ));
            }
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self, reply: Reply) -> Result<T, Error> {
        let answer = reply.result?;
        if !answer.status.is_success() {
            return Err(error::verdict(&answer, self.clock.now()));
        }
        answer.json().ok_or_else(|| {
            let message = "expected an answer of the Search API, found something else";
            Error::new(ErrorKind::Unexpected, Verdict::Unknown, Stage::Push, message)
        })
    }

    async fn send(&self, method: Method, path: &[&str], body: Bytes, until: Timestamp) -> Reply {
        let patience = Patience {
            first: TIMEOUT,
            until,
        };
        self.hosts
            .send(patience, |base, timeout| {
                self.ask(method.clone(), base, path, body.clone(), timeout)
            })
            .await
    }

    async fn ask(
        &self,
        method: Method,
        mut url: Url,
        path: &[&str],
        body: Bytes,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .extend(["1", "indexes", &self.name])
                .extend(path);
        }
        let mut request = self
            .http
            .request(method, url)
            .header(
                HeaderName::from_static("x-algolia-application-id"),
                self.app_id.as_str(),
            )
            // Whole records are read where an index is browsed.
            .max_answer_bytes(MAX_PAGE_BYTES)
            .timeout(timeout);
        if !body.is_empty() {
            request = request.json_bytes(body);
        }
        self.auth.send(request, Stage::Push).await
    }
}

/// `{app}.algolia.net` takes writes; the three others are asked where it fails.
fn hosts(settings: &Settings) -> Result<(Url, Vec<Url>), HttpError> {
    let own = || {
        let app_id = settings.app_id.as_str();
        let names = [
            "algolia.net",
            "1.algolianet.com",
            "2.algolianet.com",
            "3.algolianet.com",
        ];
        let url = |(at, name)| {
            let mark = if at == 0 { '.' } else { '-' };
            format!("https://{app_id}{mark}{name}").parse().ok()
        };
        names.into_iter().enumerate().filter_map(url).collect()
    };
    let mut hosts = settings.hosts.clone().unwrap_or_else(own).into_iter();
    let first = hosts.next().ok_or_else(|| HttpError::Url {
        expected: "a host or more",
        found: "an empty list".to_owned(),
    })?;
    Ok((first, hosts.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_follow_from_the_application() {
        let settings = serde_json::json!({
            "source": {"table": "Inventory", "key": {"pk": "{id}"}}, "app_id": "ABC123", "index": "inventory",
        });
        let (first, others) = hosts(&serde_json::from_value(settings).unwrap()).unwrap();
        assert_eq!(first.as_str(), "https://abc123.algolia.net/");
        let others: Vec<_> = others.iter().map(Url::as_str).collect();
        let expected = [
            "https://abc123-1.algolianet.com/",
            "https://abc123-2.algolianet.com/",
            "https://abc123-3.algolianet.com/",
        ];
        assert_eq!(others, expected);
    }
}
