//! What tests and demos of Vendorbridge run against.

pub mod cloud;
pub mod conformance;
pub mod memory;
pub mod sandbox;
pub mod scenario;
pub mod simulation;
pub mod stream;
