//! The command line of seclint.

use std::process::ExitCode;

fn main() -> ExitCode {
    seclint::cli::main()
}
