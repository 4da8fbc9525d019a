//! Tags of kernel modules, by policy.

use std::process::ExitCode;

fn main() -> ExitCode {
    generators::run::<generators::PolicyTags>()
}
