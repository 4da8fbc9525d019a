//! Module, kernel image or symvers in, Provides out.

use tagging::Part;

use crate::options::ERRORS;
use crate::{Generator, Options};

/// Print what a kernel module or kernel provides
///
/// Reads paths on stdin, one a line. For a module it prints kmod() and, for
/// each symbol it exports, ksym() (kernel() for the kernel's own modules in the
/// redhat dialect) with the symbol's CRC. For a kernel image or symvers file it
/// prints the kernel's release and flavor, kmod() for each module linked in and
/// ksym() or kernel() for each symbol it exports.
#[derive(clap::Parser, Debug)]
#[command(name = "ksym-provides", version, after_long_help = ERRORS)]
pub struct KsymProvides {
    #[command(flatten)]
    options: Options,
}

impl Generator for KsymProvides {
    fn options(&self) -> &Options {
        &self.options
    }

    fn part(&self) -> Part {
        Part::Provides
    }
}
