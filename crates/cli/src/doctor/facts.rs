//! What the checks are made on: read from AWS, nothing concluded yet.

use jiff::Timestamp;
use serde_json::Value;
use vendorbridge::ask::Description;
use vendorbridge::ledger::VendorRecord;

/// What was read, or why not: the permission it needs, and AWS's words.
pub(super) type Read<T> = Result<T, Unread>;

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// The permission, such as `sqs:GetQueueAttributes`.
    pub(super) needs: &'static str,
    /// Whether that permission is what is missing.
    pub(super) is_forbidden: bool,
    /// What AWS said.
    pub(super) found: String,
}

/// All about one vendor.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) vendor: String,
    /// Outputs of the stack that are not there.
    pub(super) missing_outputs: Vec<String>,
    pub(super) function: Read<Function>,
    /// A queue for each partition.
    pub(super) queues: Read<Vec<Queue>>,
    pub(super) mappings: Read<Vec<Mapping>>,
    pub(super) rules: Read<Vec<Rule>>,
    /// Whether the schedule that wakes the vendor's entities is enabled.
    pub(super) is_woken: Read<bool>,
    pub(super) description: Read<Description>,
    pub(super) dead_letters: Read<u64>,
    pub(super) undelivered: Read<u64>,
    /// The age of the oldest message in seconds; `None` if `CloudWatch` has no data.
    pub(super) oldest: Read<Option<u64>>,
    pub(super) record: Read<VendorRecord>,
    /// When the retry is due that is due first.
    pub(super) first_due: Read<Option<Timestamp>>,
}

#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) timeout: u64,
    pub(super) state: String,
}

#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) visibility: u64,
    pub(super) has_redrive: bool,
    pub(super) has_policy: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Mapping {
    pub(super) queue: String,
    pub(super) state: String,
    pub(super) batch: i32,
    pub(super) reports_failures: bool,
    pub(super) concurrency: Option<i32>,
}

#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) is_enabled: bool,
    pub(super) pattern: Value,
    /// The targets' ARNs and message groups.
    pub(super) targets: Vec<(String, Option<String>)>,
}
