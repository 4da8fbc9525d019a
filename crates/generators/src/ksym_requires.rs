//! Module in, the symbols it requires out.

use tagging::Part;

use crate::options::ERRORS;
use crate::{Generator, Options};

/// Print the symbols a kernel module requires
///
/// Reads paths on stdin, one a line. For each symbol a module imports it prints
/// ksym() with the CRC the module was built against; in the redhat dialect
/// kernel() if the kernel or one of its own modules exports it with that CRC.
/// A module of a kernel without modversions requires exactly the kernelrelease
/// it was built for.
#[derive(clap::Parser, Debug)]
#[command(name = "ksym-requires", version, after_long_help = ERRORS)]
pub struct KsymRequires {
    #[command(flatten)]
    options: Options,
}

impl Generator for KsymRequires {
    fn options(&self) -> &Options {
        &self.options
    }

    fn part(&self) -> Part {
        Part::Imports
    }
}
