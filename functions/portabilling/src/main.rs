//! The function `portabilling`.

use std::process::ExitCode;

fn main() -> ExitCode {
    vendorbridge::lambda::vendor(portabilling::wire)
}
