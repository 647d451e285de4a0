//! The function `webhook`.

use std::process::ExitCode;

fn main() -> ExitCode {
    vendorbridge::lambda::vendor(webhook::wire)
}
