//! The function with its real wiring and the real engine, against the stand-in of course-discovery over HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod courses;
mod crashes;
mod failures;
mod instructors;
mod products;
mod reviews;
mod states;
mod subject;
