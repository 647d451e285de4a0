//! HTTPS requests of other systems, to the bus.
//!
//! A request passes `access` (who is it) → `sapb1` (what does it say) → the bus. All of that is pure but for the bus and the
//! secret, which are small traits of the engine. Every answer that is no success is an `application/problem+json`.

mod access;
mod app;
mod config;
mod line;
mod problem;
mod sapb1;

pub use app::{Ingest, router};
pub use config::IngestConfig;
pub use sapb1::{DETAIL_TYPE, SOURCE};
