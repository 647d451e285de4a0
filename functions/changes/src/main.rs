//! The function `changes`: reads DynamoDB streams and announces changes and outcomes on the bus.

use std::process::ExitCode;

fn main() -> ExitCode {
    vendorbridge::lambda::changes()
}
