//! The function `mailchimp`.

use std::process::ExitCode;

fn main() -> ExitCode {
    vendorbridge::lambda::vendor(mailchimp::wire)
}
