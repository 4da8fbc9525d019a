//! Requires of kernel modules, by symbol.

use std::process::ExitCode;

fn main() -> ExitCode {
    generators::run::<generators::KsymRequires>()
}
