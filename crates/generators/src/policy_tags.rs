//! Module's path in, the tags a policy adds out.

use policy::TagKind;
use tagging::Part;

use crate::options::ERRORS;
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
}

impl Generator for PolicyTags {
    fn options(&self) -> &Options {
        &self.options
    }

    fn part(&self) -> Part {
        Part::Policy(self.kind)
    }
}
