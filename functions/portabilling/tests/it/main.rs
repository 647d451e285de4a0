//! The function with its real wiring and the real engine, against the stand-ins of B1 and PortaBilling over HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crashes;
mod partners;
mod subject;
mod transactions;
