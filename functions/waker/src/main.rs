//! The function `waker`: called once a minute for each vendor, sends what is due back into its lane.

use std::process::ExitCode;

fn main() -> ExitCode {
    vendorbridge::lambda::waker()
}
