//! Module in, the modules it depends on out.

use std::path::Path;

use anyhow::Result;
use deptag::{TagRules, TagSet};

use crate::input::module_tags;
use crate::options::ERRORS;
use crate::{Generator, Options};

/// Print the modules a kernel module depends on
///
/// Reads paths on stdin, one a line. For each module named in a module's
/// depends= it prints kmod(). With --recommends it prints those of its softdep=
/// instead, with --suggests those of its weakdep=.
#[derive(clap::Parser, Debug)]
#[command(name = "depmod-requires", version, after_long_help = ERRORS)]
pub struct DepmodRequires {
    #[command(flatten)]
    options: Options,

    /// Print soft dependencies (softdep=) instead
    #[arg(long, conflicts_with = "suggests")]
    recommends: bool,

    /// Print weak dependencies (weakdep=) instead
    #[arg(long)]
    suggests: bool,
}

impl Generator for DepmodRequires {
    fn options(&self) -> &Options {
        &self.options
    }

    fn tags(&self, rules: &TagRules, path: &Path) -> Result<TagSet> {
        module_tags(path, |module| {
            Ok(match (self.recommends, self.suggests) {
                (true, _) => deptag::recommends(module, rules),
                (_, true) => deptag::suggests(module, rules),
                _ => deptag::depends(module, rules),
            })
        })
    }
}
