//! The deterministic simulation: the real engine among models of everything around it, on a virtual clock.
//!
//! The [`Engine`](vendorbridge::Engine) and the [`Waker`](vendorbridge::wake::Waker) run unchanged. What they wait for are models
//! of the queue, the ledger, the source and the vendors, and every wait ends in one of them. A process can die at any wait, a
//! request can be carried out without an answer, and everything that AWS leaves open is decided by the dice. All dice follow from
//! one number, the seed: it gives the same run again, event for event.
//!
//! A run goes through a time of changes and faults and then through a calm, in which everything must come to rest with the
//! vendors in step. The [rules](Rule) are those of docs/ARCHITECTURE.md, "What must always hold".
//!
//! The parts: `agenda` and `scheduler` are time and tasks; `call` is a request to a model; `bus`, `queue`, `mapping`, `ledger`,
//! `table`, `attention`, `source` and `vendor` are the models, one file each, with what the real ones do; `profile` says what kind of run a seed
//! stands for; `judge` watches.

mod agenda;
mod attention;
mod bus;
mod call;
mod clock;
mod container;
mod cost;
mod downtime;
mod history;
mod judge;
mod lanes;
mod ledger;
mod mapping;
mod operator;
mod profile;
mod queue;
mod run;
mod scheduler;
mod script;
mod search;
mod source;
mod stats;
mod table;
mod vendor;
mod verdict;
mod waker;
mod world;

pub use downtime::{Downtime, downtime};
pub use history::Line;
pub use profile::{Pattern, Profile, Weather};
pub use run::{Day, Options, Outcome, day, run};
pub use script::play;
pub use search::{SABOTAGES, Summary, search};
pub use stats::Stats;
pub use vendor::Kind;
pub use verdict::{Rule, Violation};
