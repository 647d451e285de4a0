//! The function `algolia`.

use std::process::ExitCode;

fn main() -> ExitCode {
    vendorbridge::lambda::vendor(algolia::wire)
}
