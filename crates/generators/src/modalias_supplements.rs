//! Module in, the hardware it drives out.

use std::path::Path;

use anyhow::Result;
use deptag::{TagRules, TagSet};

use crate::input::module_tags;
use crate::options::ERRORS;
use crate::{Generator, Options};

/// Print the hardware a kernel module drives
///
/// Reads paths on stdin, one a line. For each alias of a module that names
/// hardware it prints modalias(): a Supplements in the suse dialect, by which
/// zypper installs the driver where the hardware is; a Provides in the redhat
/// dialect. Patterns that differ in one character are combined.
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

    fn tags(&self, rules: &TagRules, path: &Path) -> Result<TagSet> {
        module_tags(path, |module| Ok(deptag::hardware(module, rules)?))
    }
}
