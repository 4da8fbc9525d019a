//! Module in, the hardware it drives out.

use std::path::Path;

use anyhow::Result;
use deptag::{TagRules, TagSet};

use crate::input::module_tags;
use crate::options::ERRORS;
use crate::overrides::Overrides;
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

    #[arg(skip)]
    overrides: Overrides,
}

impl Generator for ModaliasSupplements {
    fn options(&self) -> &Options {
        &self.options
    }

    fn prepare(&mut self) -> Result<()> {
        self.overrides = self.options.overrides()?;
        Ok(())
    }

    fn tags(&self, rules: &TagRules, path: &Path) -> Result<TagSet> {
        if let Some((false, place)) = self.overrides.of(path).hardware {
            log::debug!("{}: no hardware, says {place}", path.display());
            return Ok(TagSet::default());
        }
        module_tags(path, |module| Ok(deptag::hardware(module, rules)?))
    }
}
