//! Requires, Recommends and Suggests of kernel modules, by module.

use std::process::ExitCode;

fn main() -> ExitCode {
    generators::run::<generators::DepmodRequires>()
}
