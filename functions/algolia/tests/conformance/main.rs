//! The conformance suite, and what only Algolia does.

mod batches;
mod records;
mod subject;

vendorbridge_testkit::conformance!(subject::Algolia);
