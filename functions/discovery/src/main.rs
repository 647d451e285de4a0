//! The function `discovery`.

use std::process::ExitCode;

fn main() -> ExitCode {
    vendorbridge::lambda::vendor(discovery::wire)
}
