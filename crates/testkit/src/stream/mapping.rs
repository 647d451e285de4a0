//! An event source mapping of one shard, as AWS documents it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>).

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use futures::FutureExt;
use serde_json::{Value, json};
use vendorbridge::clock::Clock;

use super::Handler;
use super::record::{Record, json_of, number};
use super::world::StreamWorld;

/// The function's timeout.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How a mapping is set. It always bisects and reads partial answers.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// `BatchSize`.
    pub batch_size: usize,
    /// `MaximumRetryAttempts`.
    pub max_retries: u32,
}

/// A shard and how far the mapping has got in it.
pub(super) struct Shard {
    records: Vec<Record>,
    next: usize,
    segments: VecDeque<Segment>,
    /// What was given up: the numbers of the records that the on-failure destination was told.
    pub(super) discarded: Vec<u64>,
    pub(super) invocations: usize,
}

/// A batch, or what is left of it.
struct Segment {
    range: Range<usize>,
    retries: u32,
}

/// What an invocation came to.
enum Result {
    Done,
    /// Everything from this record on comes again.
    From(usize),
    Failed,
}

impl Shard {
    pub(super) fn new(records: Vec<Record>) -> Self {
        Self {
            records,
            next: 0,
            segments: VecDeque::new(),
            discarded: Vec::new(),
            invocations: 0,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.segments.is_empty() && self.next == self.records.len()
    }

    /// One invocation.
    ///
    /// The error is what is wrong with the answer.
    pub(super) fn step(
        &mut self,
        mapping: Mapping,
        world: &StreamWorld,
        handler: &dyn Handler,
    ) -> std::result::Result<(), String> {
        if self.segments.is_empty() {
            let end = (self.next + mapping.batch_size).min(self.records.len());
            let range = self.next..end;
            self.next = end;
            self.segments.push_back(Segment { range, retries: 0 });
        }
        let Some(mut segment) = self.segments.pop_front() else {
            return Ok(());
        };
        self.invocations += 1;
        match self.invoke(&segment.range, world, handler)? {
            Result::Done => return Ok(()),
            Result::From(first) => segment.range.start = first,
            // A batch in halves does not count as a retry.
            Result::Failed if segment.range.len() > 1 => {
                let middle = segment.range.start + segment.range.len() / 2;
                let (front, back) = (segment.range.start..middle, middle..segment.range.end);
                for range in [back, front] {
                    let retries = segment.retries;
                    self.segments.push_front(Segment { range, retries });
                }
                return Ok(());
            }
            Result::Failed => {}
        }
        segment.retries += 1;
        if segment.retries > mapping.max_retries {
            let given_up = &self.records[segment.range];
            self.discarded.extend(given_up.iter().map(|record| record.number));
        } else {
            self.segments.push_front(segment);
        }
        Ok(())
    }

    fn invoke(
        &self,
        range: &Range<usize>,
        world: &StreamWorld,
        handler: &dyn Handler,
    ) -> std::result::Result<Result, String> {
        let records = &self.records[range.clone()];
        let batch = json!({ "Records": records.iter().map(json_of).collect::<Vec<_>>() });
        let deadline = world
            .clock
            .now()
            .saturating_add(TIMEOUT)
            .unwrap_or(jiff::Timestamp::MAX);
        world.set_deadline(deadline);
        // Nothing here waits but for its own death.
        let answer = match handler.handle(batch, deadline).now_or_never() {
            None | Some(Err(_)) => return Ok(Result::Failed),
            Some(Ok(answer)) => answer,
        };
        let failures = answer
            .get("batchItemFailures")
            .and_then(Value::as_array)
            .ok_or_else(|| format!("an answer without a list of failures: {answer}"))?;
        let mut first = None;
        for failure in failures {
            let identifier = failure
                .get("itemIdentifier")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let at = number(identifier)
                .and_then(|number| records.iter().position(|record| record.number == number))
                .ok_or_else(|| format!("expected a sequence number of the batch, found `{identifier}`"))?;
            first = Some(first.map_or(at, |first: usize| first.min(at)));
        }
        Ok(first.map_or(Result::Done, |at| Result::From(range.start + at)))
    }
}
