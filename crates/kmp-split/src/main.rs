//! Splits a kernel's modules into packages.

use std::process::ExitCode;

fn main() -> ExitCode {
    kmp_split::run(std::env::args_os())
}
