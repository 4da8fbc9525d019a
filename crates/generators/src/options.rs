//! The options all generators share, and the rules they amount to.

use std::path::PathBuf;

use deptag::{Dialect, Flavor, Kabi, Protocol, TagRules};
use tagging::Sources;

/// What every manual page says of errors.
pub(crate) const ERRORS: &str = "\
For a file that cannot be read no tag is printed but a line that rpm refuses, since rpm does not \
look at the exit status of a generator; for a wrong option or policy that line is all it prints. \
File and reason are told on standard error, and the exit \
status is 1. RUST_LOG=debug tells how many tags each file got and which files were passed over, \
RUST_LOG=info of kernels without modversions.";

/// Options of every generator.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Whose tag grammar to speak: suse or redhat (rpmbuild passes that of the
    /// distribution)
    #[arg(long, value_name = "NAME", default_value = "suse")]
    dialect: Dialect,

    /// Flavor the tags name, instead of what follows the last dash of the
    /// kernelrelease a file was built for
    #[arg(long, value_name = "NAME")]
    flavor: Option<Flavor>,

    /// Name of the kABI: kmod() tags carry it as their version, and hardware
    /// tags of the suse dialect hold only for a kernel of this kABI. Leave it
    /// out for modules that are to fit stock kernels
    #[arg(long, value_name = "VERSION")]
    kabi: Option<Kabi>,

    /// Module.symvers of the kernel, plain, gzip, xz or zstd: the exports of
    /// a kernel image, and in the redhat dialect the symbols that are
    /// kernel() rather than ksym(). By default it is looked for beside the
    /// image and among the installed kernel headers
    #[arg(long, value_name = "FILE")]
    symvers: Option<PathBuf>,

    /// A policy file that overrides tags, applied after those before it and
    /// after those of the system: kmp-policy(5); may be repeated. modalias-supplements and policy-tags
    /// read them
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,

    /// The directory of the system's policy files; it need not be there
    #[arg(long, value_name = "DIRECTORY", default_value = policy::SYSTEM)]
    system_policy: PathBuf,

    /// Speak rpm's multifile protocol: print ";PATH" before the tags of each
    /// file
    #[arg(long)]
    multifile: bool,
}

impl Options {
    /// What tags are made from, in a build below `build_root`.
    pub(crate) fn sources(&self, build_root: Option<PathBuf>) -> Sources {
        Sources {
            rules: TagRules {
                dialect: self.dialect,
                flavor: self.flavor.clone(),
                kabi: self.kabi.clone(),
            },
            symvers: self.symvers.clone(),
            system_policy: self.system_policy.clone(),
            policy: self.policy.clone(),
            build_root,
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        match self.multifile {
            true => Protocol::Multifile,
            false => Protocol::Singlefile,
        }
    }
}
