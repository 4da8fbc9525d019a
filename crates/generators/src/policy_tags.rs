//! Module's path in, the tags a policy adds out.

use std::path::Path;

use anyhow::Result;
use deptag::{TagRules, TagSet};
use policy::{Override, TagKind};

use crate::input::ModuleFile;
use crate::options::ERRORS;
use crate::overrides::Overrides;
use crate::{Generator, Options};

/// Print the tags a policy adds to a kernel module
///
/// Reads paths on stdin, one a line. For each module it prints the tags of one
/// type that the policy, kmp-policy(5), has for it; with --type provides also
/// kmod-initrd() if initrd is true there. It does not open the modules.
#[derive(clap::Parser, Debug)]
#[command(name = "policy-tags", version, after_long_help = ERRORS)]
pub struct PolicyTags {
    #[command(flatten)]
    options: Options,

    /// Which tags: provides, requires, recommends, suggests, supplements,
    /// enhances, conflicts, obsoletes or orderwithrequires
    #[arg(long = "type", value_name = "TYPE")]
    kind: TagKind,

    #[arg(skip)]
    overrides: Overrides,
}

impl Generator for PolicyTags {
    fn options(&self) -> &Options {
        &self.options
    }

    fn prepare(&mut self) -> Result<()> {
        self.overrides = self.options.overrides()?;
        Ok(())
    }

    fn tags(&self, rules: &TagRules, path: &Path) -> Result<TagSet> {
        let Some(module) = ModuleFile::at(path) else {
            return Ok(TagSet::default());
        };
        let says = self.overrides.of(path);
        let mut tags = added(&says, self.kind);
        if let (TagKind::Provides, Some((true, _))) = (self.kind, says.initrd) {
            tags = tags.merge(deptag::initrd(module.name, rules));
        }
        log::debug!("{}: {} tags", path.display(), tags.len());
        Ok(tags)
    }
}

fn added(says: &Override<'_>, kind: TagKind) -> TagSet {
    let tags = says.tags.get(&kind).map_or(&[][..], |(tags, _)| tags);
    tags.iter().cloned().collect()
}
