//! Has the options that all generators share.

use std::path::PathBuf;

use deptag::{Dialect, Flavor, Kabi, Protocol, TagRules};
use tagging::TagInputs;

/// The paragraph about errors in every manual page.
pub(crate) const ERRORS: &str = "\
rpm ignores the exit status of a generator. So for a file that cannot be read the generator prints, \
instead of tags, one line that rpm refuses; with a wrong option or policy it prints that line and \
nothing else. Standard error has the file and the reason, and the exit status is 1.

RUST_LOG=debug reports how many tags each file has and which files have none, RUST_LOG=info kernels \
without modversions.";

/// Options of every generator.
#[derive(clap::Args, Debug)]
pub(crate) struct CommonOptions {
    /// The grammar of the tags: suse or redhat. rpmbuild passes that of the distribution
    #[arg(long, value_name = "NAME", default_value = "suse")]
    dialect: Dialect,

    /// The flavor in the tags, instead of what follows the last dash of the kernelrelease that a
    /// file was built for
    #[arg(long, value_name = "NAME")]
    flavor: Option<Flavor>,

    /// The kABI. kmod() tags have it as their version, and hardware tags of the suse dialect apply
    /// only to kernels of this kABI. Leave it out for modules that are to fit stock kernels
    #[arg(long, value_name = "VERSION")]
    kabi: Option<Kabi>,

    /// rpm takes versions with two dashes: %_wrong_version_format_terminate_build is 0. Then a module
    /// without modversions requires kernel-uname-r as stock kernels of openSUSE provide it
    #[arg(long)]
    two_dashes: bool,

    /// Module.symvers of the kernel, compressed or not. It has the exports of a kernel image and, in
    /// the redhat dialect, the symbols that are kernel() rather than ksym(). By default it is
    /// searched beside the image and among the installed kernel headers
    #[arg(long, value_name = "FILE")]
    symvers: Option<PathBuf>,

    /// What the softdeps of a kernel's modules lead to, as kmp-split lists writes it. If there is no
    /// such file, nothing is known of the kernel's other modules
    #[arg(long, value_name = "FILE")]
    softdeps: Option<PathBuf>,

    /// A policy file that overrides tags, kmp-policy(5). May be repeated: files are applied in order,
    /// after those of the system. Generators that no policy concerns do not read it
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,

    /// The directory of the system's policy files. It need not exist
    #[arg(long, value_name = "DIRECTORY", default_value = policy::SYSTEM)]
    system_policy: PathBuf,

    /// Speak rpm's multifile protocol: print ";PATH" before the tags of each file
    #[arg(long)]
    multifile: bool,
}

impl CommonOptions {
    /// What tags are made from, in a build below `build_root`.
    pub(crate) fn inputs(&self, build_root: Option<PathBuf>) -> TagInputs {
        TagInputs {
            rules: TagRules {
                dialect: self.dialect,
                flavor: self.flavor.clone(),
                kabi: self.kabi.clone(),
                two_dashes: self.two_dashes,
            },
            symvers: self.symvers.clone(),
            softdeps: self.softdeps.clone(),
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
