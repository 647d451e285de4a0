//! HTTPS requests of other systems: SAP Business One's to the bus, those of lines of business into the lanes of their vendor.
//!
//! SAP's pass `access` (who is it) → `sapb1` (what does it say) → the bus. A line's pass `events/caller` → `lines` (schema, mapping)
//! → `events/accept` (what is wanted now) → the lane, and wait there for the outcome. What they say is read by pure code; bus, lanes,
//! secret and store are small traits. Every answer that is no success is an `application/problem+json`.

mod access;
mod app;
mod config;
mod describe;
mod events;
mod line;
pub mod lines;
pub mod openapi;
mod problem;
mod sapb1;

pub use app::{Ingest, router};
pub use config::{IngestConfig, LineConfig};
pub use events::{Acceptance, Changed, DynamoStore, Outcome, Replacement, Request, Store, Wanted};
pub use sapb1::{DETAIL_TYPE, SOURCE};
