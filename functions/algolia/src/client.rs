//! The calls of the Search API that this function makes (<https://www.algolia.com/doc/rest-api/search/>).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;
use vendorbridge::auth::Auth;
use vendorbridge::clock::Clock;
use vendorbridge::http::{Answer, Hosts, Http, HttpError, Patience, Reply};
use vendorbridge::lambda::Setup;
use vendorbridge::vendor::{Gatherer, Limits, Push};
use vendorbridge::{Error, ErrorKind, Stage, Verdict};

use crate::config::{AppId, Settings};
use crate::error;
use crate::mapping::Record;

/// What all requests for one batch may take together, waiting for its task included: the engine's deadline counts on ten
/// seconds.
const ALL_IN: SignedDuration = SignedDuration::from_secs(9);
/// What the first host may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Advised for one batch (<https://www.algolia.com/doc/guides/scaling/algolia-service-limits/>).
const MAX_BATCH_BYTES: usize = 10_000_000;
/// An invocation brings fewer.
const MAX_BATCH_RECORDS: usize = 1_000;
/// The first wait for a task; each next one is twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(200);

/// Writes records; those of entities that are worked on side by side go out in one request.
pub(crate) struct Client {
    writes: Gatherer<Write, u64>,
    version_attribute: String,
    max_record_bytes: usize,
}

/// One entry of a batch, as JSON.
type Write = Box<RawValue>;

/// `{"action", "body"}`: nothing else may stand here.
#[derive(Serialize)]
struct Operation<Body> {
    action: &'static str,
    body: Body,
}

#[derive(Serialize)]
struct Partial<'a> {
    #[serde(rename = "objectID")]
    object_id: &'a str,
    #[serde(flatten)]
    record: &'a Record,
    #[serde(flatten)]
    guard: BTreeMap<&'a str, Guard>,
}

/// Algolia ignores an update whose value is not greater than the stored one
/// (<https://www.algolia.com/doc/rest-api/search/partial-update-object>, built-in operations).
#[derive(Serialize)]
struct Guard {
    #[serde(rename = "_operation")]
    operation: &'static str,
    value: i64,
}

#[derive(Serialize)]
struct ObjectId<'a> {
    #[serde(rename = "objectID")]
    object_id: &'a str,
}

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

impl Client {
    pub(crate) fn new(setup: &Setup, settings: Settings) -> Result<Self, HttpError> {
        let limits = Limits {
            items: MAX_BATCH_RECORDS,
            bytes: MAX_BATCH_BYTES,
            linger: Duration::from_millis(settings.linger_ms.into()),
        };
        let (first, others) = hosts(&settings)?;
        let index = Arc::new(Index {
            http: setup.http(),
            clock: setup.clock(),
            auth: Auth::header(
                HeaderName::from_static("x-algolia-api-key"),
                setup.secret("api_key"),
            ),
            hosts: Hosts::new(&setup.http(), setup.clock(), setup.rng(), first, others)?,
            app_id: settings.app_id,
            name: settings.index.as_str().to_owned(),
            wait_for_task: settings.wait_for_task,
        });
        let writes = Gatherer::new(setup.clock(), limits, move |writes: Vec<Write>| {
            let index = Arc::clone(&index);
            Box::pin(async move { index.write(&writes).await })
        });
        Ok(Self {
            writes,
            version_attribute: settings.version_attribute.as_str().to_owned(),
            max_record_bytes: settings.max_record_bytes,
        })
    }

    /// Creates or updates a record. Repeatable; a call that was held up cannot undo a later one. Answers with the task's
    /// number.
    pub(crate) async fn save(&self, push: &Push<'_>, record: &Record) -> Result<u64, Error> {
        let guard = Guard {
            operation: "IncrementSet",
            value: push.order(),
        };
        let body = raw(&Partial {
            object_id: push.entity.id(),
            record,
            guard: BTreeMap::from([(self.version_attribute.as_str(), guard)]),
        })?;
        let size = body.get().len();
        if size > self.max_record_bytes {
            return Err(error::too_large(size, self.max_record_bytes));
        }
        self.write("partialUpdateObject", body).await
    }

    /// Deletes a record. One that is not there is deleted already.
    pub(crate) async fn delete(&self, push: &Push<'_>) -> Result<u64, Error> {
        let body = raw(&ObjectId {
            object_id: push.entity.id(),
        })?;
        self.write("deleteObject", body).await
    }

    async fn write(&self, action: &'static str, body: Write) -> Result<u64, Error> {
        let operation = raw(&Operation { action, body })?;
        let bytes = operation.get().len() + 1;
        self.writes.call(operation, bytes).await
    }
}

/// One index, behind its hosts.
struct Index {
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
    /// Sends a batch. Algolia takes it as a whole or not at all, so one that is refused for what is in it is halved until
    /// the record at fault stands alone.
    async fn write(&self, writes: &[Write]) -> Vec<Result<u64, Error>> {
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

fn raw(value: &impl Serialize) -> Result<Write, Error> {
    serde_json::value::to_raw_value(value).map_err(no_json)
}

fn no_json(error: serde_json::Error) -> Error {
    Error::permanent(ErrorKind::Invalid, Stage::Map, "the record is no JSON").caused_by(error)
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
