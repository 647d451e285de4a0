//! The events of one request: accepted one after the other, then sent together.

use http::StatusCode;
use jiff::Timestamp;

use super::accept::{self, Accepted, accept, not_taken};
use super::body::Incoming;
use super::caller::Caller;
use super::store::Request;
use super::{broken, shape};
use crate::app::Ingest;
use crate::config::LineConfig;
use crate::lines::{LineTerms, Refused};
use crate::problem::{More, Problem, Violation};

/// The most persons and products that one request may change: all of them are looked at again and again until it is answered.
const MAX_ENTITIES: usize = 200;

/// One request on its way.
pub(super) struct Sender<'a> {
    pub(super) ingest: &'a Ingest,
    pub(super) line: &'a str,
    pub(super) config: &'a LineConfig,
    pub(super) caller: &'a Caller,
    pub(super) at: Timestamp,
    pub(super) key: Option<&'a str>,
    pub(super) is_array: bool,
}

impl Sender<'_> {
    /// Accepts the events one after the other, persons before products and those before their changes, whatever the body's order.
    pub(super) async fn accept_all(
        &self,
        events: Vec<Result<Incoming, Vec<Violation>>>,
    ) -> Vec<Result<Accepted, Problem>> {
        let rank = |event: &Result<Incoming, _>| event.as_ref().map_or(0, |event| rank(&event.event));
        let mut order: Vec<_> = events.into_iter().enumerate().collect();
        order.sort_by_key(|(at, event)| (rank(event), *at));
        let mut taken = Vec::with_capacity(order.len());
        let mut entities = 0;
        for (at, event) in order {
            let accepted = match event {
                Ok(event) => self.accept_one(at, event, &mut entities).await,
                Err(violations) => Err(Problem::violations(violations)),
            };
            let accepted = accepted.map_err(|problem| {
                if self.is_array {
                    problem.of_index(at)
                } else {
                    problem
                }
            });
            taken.push((at, accepted));
        }
        taken.sort_by_key(|(at, _)| *at);
        taken.into_iter().map(|(_, accepted)| accepted).collect()
    }

    async fn accept_one(
        &self,
        at: usize,
        incoming: Incoming,
        entities: &mut usize,
    ) -> Result<Accepted, Problem> {
        let terms = LineTerms {
            name: self.line.to_owned(),
            organizations: self.config.organizations.clone(),
        };
        let changes = shape(&self.config.shape)?.read(&incoming.event, &terms, &incoming.data);
        let changes = changes.map_err(refused)?;
        *entities += changes.len();
        if *entities > MAX_ENTITIES {
            let detail = format!(
                "expected a request about at most {MAX_ENTITIES} persons and products, found more: send this event in another"
            );
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail));
        }
        let id = match (&incoming.id, self.key) {
            (Some(id), _) => id.clone(),
            (None, Some(key)) if self.is_array => format!("{key}.{at}"),
            (None, Some(key)) => key.to_owned(),
            (None, None) => self.ingest.new_id(),
        };
        let seed = Request {
            line: self.line.to_owned(),
            id,
            event: incoming.event,
            hash: incoming.hash,
            caller: self.caller.identity.clone(),
            at: self.at,
            changes: Vec::new(),
        };
        accept(self.ingest, &seed, &changes).await
    }

    /// Sends the states into their lanes. An event whose states do not get there was not taken.
    pub(super) async fn send(&self, taken: &mut [Result<Accepted, Problem>]) {
        let messages = taken
            .iter()
            .flatten()
            .flat_map(|accepted| accepted.messages.clone());
        let messages: Vec<_> = messages.collect();
        if messages.is_empty() {
            return;
        }
        let mut sent = self.ingest.lanes.send(&messages).await.into_iter();
        for each in taken {
            let Ok(accepted) = each else { continue };
            let mine = sent.by_ref().take(accepted.messages.len());
            let failed = mine.filter_map(Result::err).last();
            if let Some(error) = failed {
                *each = Err(not_taken(&error));
            }
        }
    }
}

/// In which order the events of a body are accepted.
fn rank(event: &str) -> u8 {
    match event.split_once('.') {
        Some(("instructor", _)) => 0,
        Some(("course" | "product", "created")) => 1,
        Some(("course-run", _)) => 3,
        _ => 2,
    }
}

fn refused(refused: Refused) -> Problem {
    match refused {
        Refused::UnknownEvent { known } => Problem::violations(vec![Violation {
            index: None,
            pointer: "/event".to_owned(),
            expected: format!("one of {}", known.join(", ")),
            found: "another name".to_owned(),
        }]),
        Refused::Invalid(violations) => accept::invalid(violations),
        Refused::ReadOnly { row, csv } => {
            let detail = "the vendor's API cannot write degrees: `csv` is the row for its command `import_degree_data`, or its administration";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "degrees-are-read-only", detail)
                .with(More::Row { row, csv })
        }
        Refused::Broken(error) => broken(&error),
    }
}
