//! Keeps the modules of installed kernels in order.

use std::process::ExitCode;

use kmp::Environment;

fn main() -> ExitCode {
    let environment = Environment {
        kernel_install_bypass: std::env::var_os("KERNEL_INSTALL_BYPASS"),
        source_date_epoch: std::env::var_os("SOURCE_DATE_EPOCH"),
    };
    kmp::run(std::env::args_os().collect(), environment)
}
