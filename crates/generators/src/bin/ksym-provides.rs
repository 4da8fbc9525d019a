//! Provides of kernel modules and kernels.

use std::process::ExitCode;

fn main() -> ExitCode {
    generators::run::<generators::KsymProvides>()
}
