//! Module in, the hardware it drives out.

use tagging::Part;

use crate::options::ERRORS;
use crate::{Generator, Options};

/// Print the hardware a kernel module drives
///
/// Reads paths on stdin, one a line. For each alias of a module that names
/// hardware it prints modalias(): a Supplements in the suse dialect, by which
/// zypper installs the driver where the hardware is; a Provides in the redhat
/// dialect. Patterns that differ in one character are combined. A module whose
/// policy is hardware = false gets none.
#[derive(clap::Parser, Debug)]
#[command(name = "modalias-supplements", version, after_long_help = ERRORS)]
pub struct ModaliasSupplements {
    #[command(flatten)]
    options: Options,
}

impl Generator for ModaliasSupplements {
    fn options(&self) -> &Options {
        &self.options
    }

    fn part(&self) -> Part {
        Part::Hardware
    }
}
