//! Supplements of kernel modules, by hardware.

use std::process::ExitCode;

fn main() -> ExitCode {
    generators::run::<generators::ModaliasSupplements>()
}
