//! Vendorbridge: keeps third-party vendors in step with the systems that own the data.
//!
//! The modules are the stations a message passes, in this order: [`message`] (parse) → [`lane`] → [`decide`] →
//! [`source`] → [`vendor`] → [`ledger`] → [`park`]. [`engine`] leads a batch through them. [`lambda`] is the only
//! module that knows the Lambda runtime; AWS types stay in the adapters [`lane::SqsLanes`], [`ledger::DynamoLedger`],
//! [`ledger::Reader`], [`source::DynamoItems`], [`wake::DynamoAttention`], [`secret::SecretsManager`],
//! [`http::AwsHttp`] and `auth::sigv4`. [`changes`] stands beside them: it brings DynamoDB streams to the bus
//! ([`bus::EventBridge`], [`changes::FailureQueue`]).

pub mod ask;
pub mod auth;
pub mod bus;
pub mod changes;
pub mod circuit;
pub mod clock;
pub mod config;
pub mod decide;
pub mod engine;
mod error;
pub mod http;
pub mod lambda;
pub mod lane;
pub mod ledger;
pub mod message;
pub mod park;
pub mod rules;
pub mod sabotage;
pub mod secret;
pub mod source;
pub mod telemetry;
pub mod vendor;
pub mod wake;

pub use engine::{Engine, Entity};
pub use error::{Error, ErrorKind, Stage, Verdict};
pub use message::{Announcement, EntityKey, Version};
