//! What the end-to-end tests share: publishing, waiting, comparing. The tests themselves are in `it/`.

mod compare;
mod figures;
mod publishing;
mod waiting;

pub use compare::{LIST, differences};
pub use figures::{milliseconds, percentile};
pub use publishing::{Published, announcement, change, changes, email, event_of, notification, publish};
pub use waiting::{outcomes, settle_everything};

/// The vendors that follow the delivery preferences.
pub const VENDORS: [&str; 2] = ["mailchimp", "webhook"];
