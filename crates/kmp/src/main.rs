//! Keeps the modules of installed kernels in order.

use std::process::ExitCode;

fn main() -> ExitCode {
    kmp::run(
        std::env::args_os().collect(),
        std::env::var_os("KERNEL_INSTALL_BYPASS"),
    )
}
