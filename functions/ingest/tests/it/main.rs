//! The API for lines of business.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod events;
mod failures;
mod front;
mod together;
