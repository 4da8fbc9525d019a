//! The command line of kmp-split. The help texts are its manual page, too.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use deptag::{Dialect, Flavor, Kabi, TagRules};
use kmodule::Kernelrelease;
use tagging::TagInputs;

use crate::identity::Identity;
use crate::plan_inputs::PlanInputs;
use crate::planned::PlannedKernel;
use crate::tree_macros::evr;

/// Split a kernel's modules into packages
///
/// Reads the modules of a kernel and a policy, and plans which package has each module. The modules
/// are in a directory with lib/modules/KERNELRELEASE or usr/lib/modules/KERNELRELEASE. The policy
/// is described in kmp-policy(5). The subcommands plan, explain and report show what would be
/// packaged. The macros of kmpkit-macros(7) run tree, spec and lists.
#[derive(Parser, Debug)]
#[command(name = "kmp-split", version)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show the packages
    Plan(PlanArgs),
    /// Explain why a module is in its package, what installs it and what it installs
    Explain(ExplainArgs),
    /// Write a page that shows the plan: sizes, dependencies, machines, warnings
    Report(ReportArgs),
    /// Print the macros for the kernel's files, a name and a value on each line
    Tree(TreeArgs),
    /// Print the subpackages of a spec file
    Spec(SpecArgs),
    /// Prepare a buildroot, and write the lists of files of all packages
    ///
    /// Changes the buildroot: removes modules that the policy excludes, writes the list of modules for
    /// initrds (kmpkit-initrd.list), and makes empty files in place of the indexes that depmod(8) and
    /// kmp-depmod(1) will make, which the image package has as %ghost. This is refused, and nothing is
    /// changed, unless rpmbuild runs on the buildroot (RPM_BUILD_ROOT) or --force is given, and always
    /// if the modules are those of the system.
    Lists(ListsArgs),
    /// Keep the dependency tags of a buildroot for rpmbuild
    ///
    /// Computes all tags that the generators would print for the modules and kernel images of a
    /// buildroot, and stores them. rpmbuild then reads the tags from there and does not run the
    /// generators.
    Tags(TagsArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) kernel: KernelArgs,
    /// Print the plan as JSON; see kmp-plan(5)
    #[arg(long)]
    pub(crate) json: bool,
    /// A list of modaliases: show what a machine with this hardware installs; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(crate) machine: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) kernel: KernelArgs,
    /// The module's name, or its path below lib/modules/KERNELRELEASE
    pub(crate) module: String,
}

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) kernel: KernelArgs,
    /// The file for the page, - for stdout; the page needs no other file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: PathBuf,
    /// A list of modaliases: show what a machine with this hardware installs; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) machine: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct TreeArgs {
    /// The kernel tree; image, System.map and config are beside the modules, in boot/ or in the
    /// directory itself
    #[arg(value_name = "DIRECTORY")]
    pub(crate) root: PathBuf,
    /// The kernel, if the tree has several
    #[arg(long, value_name = "KERNELRELEASE")]
    pub(crate) release: Option<Release>,
}

#[derive(Args, Debug)]
pub(crate) struct SpecArgs {
    #[command(flatten)]
    pub(crate) kernel: KernelArgs,
    /// The directory that will have the lists of files
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) lists: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ListsArgs {
    #[command(flatten)]
    pub(crate) kernel: KernelArgs,
    /// The directory for the lists
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) lists: PathBuf,
    /// The files to package; modules have the same paths as in the tree, up to .ko
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) buildroot: PathBuf,
    /// Change a buildroot on which no rpmbuild runs, such as a copy of one
    #[arg(long)]
    pub(crate) force: bool,
    /// Give the image package all files of the buildroot that no other package has, not only those
    /// beside the modules
    #[arg(long)]
    pub(crate) everything: bool,
    /// Also write the subpackages, as a spec part
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: Option<PathBuf>,
    /// Also write the plan, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Also keep the tags of all files in this directory, computed while the modules are read for
    /// the plan; see tags
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) tags: Option<PathBuf>,
    /// Also write what the softdeps of the modules lead to, for the tags and for generators
    #[arg(long, value_name = "FILE")]
    pub(crate) softdeps: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) symvers: SymversArgs,
}

#[derive(Args, Debug)]
pub(crate) struct TagsArgs {
    /// The buildroot
    #[arg(value_name = "DIRECTORY")]
    pub(crate) buildroot: PathBuf,
    /// The directory for the tags: a file for each dependency type, and their index
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) into: PathBuf,
    /// What the softdeps of the modules lead to, as lists writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) softdeps: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) symvers: SymversArgs,
}

/// The kernel to plan, and the names of its packages.
#[derive(Args, Debug)]
pub(crate) struct KernelArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
}

#[derive(Args, Debug)]
pub(crate) struct InputArgs {
    /// A directory with the kernel's modules
    #[arg(value_name = "DIRECTORY")]
    root: PathBuf,
    /// The kernel, if there are several
    #[arg(long, value_name = "KERNELRELEASE")]
    release: Option<Release>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// The JSON of an earlier plan: modules stay in their packages, unless a rule or a circle
    /// forbids it
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    /// A policy file; the system's files and earlier ones count less; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// The directory of the system's policy files
    #[arg(long, value_name = "DIRECTORY", default_value = policy::SYSTEM)]
    system_policy: PathBuf,
}

/// What decides the form of tags and names.
#[derive(Args, Debug)]
pub(crate) struct FormArgs {
    /// The distribution whose tags and package conventions to follow: suse or redhat
    #[arg(long, value_name = "NAME", default_value = "suse")]
    dialect: Dialect,
    /// The flavor in tags and names of packages, instead of what follows the last dash of the
    /// kernelrelease
    #[arg(long, value_name = "NAME")]
    flavor: Option<Flavor>,
    /// The name of the kABI; packages use the kernelrelease with _ for each - if it is left out
    #[arg(long, value_name = "VERSION")]
    kabi: Option<Kabi>,
    /// rpm takes versions with two dashes: %_wrong_version_format_terminate_build is 0
    #[arg(long)]
    two_dashes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SymversArgs {
    /// Module.symvers of the kernel, instead of the one beside the image or among the installed
    /// kernel headers
    #[arg(long, value_name = "FILE")]
    symvers: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct IdentityArgs {
    #[command(flatten)]
    pub(crate) form: FormArgs,
    /// The version of the packages, as [EPOCH:]VERSION-RELEASE, instead of the one in the
    /// kernelrelease
    #[arg(long, value_name = "EVR")]
    evr: Option<String>,
    /// The name of the image package, instead of kernel-FLAVOR-image
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Release(pub(crate) Kernelrelease);

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let release = Kernelrelease::try_from(text.as_bytes());
        release.map(Self).map_err(|problem| problem.to_string())
    }
}

impl InputArgs {
    /// The files that a plan is made from. With a buildroot, the modules are read there.
    pub(crate) fn plan_inputs<'s>(&'s self, build_root: Option<&'s Path>) -> PlanInputs<'s> {
        PlanInputs {
            root: &self.root,
            release: self.release.as_ref().map(|release| &release.0),
            build_root,
            system_policy: &self.policy.system_policy,
            policy: &self.policy.policy,
            previous: self.previous.as_deref(),
        }
    }
}

impl FormArgs {
    /// What the tags of a buildroot are made from.
    pub(crate) fn tag_inputs(
        &self,
        policy: &PolicyArgs,
        symvers: &SymversArgs,
        softdeps: Option<&Path>,
        buildroot: &Path,
    ) -> TagInputs {
        TagInputs {
            rules: TagRules {
                dialect: self.dialect,
                flavor: self.flavor.clone(),
                kabi: self.kabi.clone(),
                two_dashes: self.two_dashes,
            },
            symvers: symvers.symvers.clone(),
            softdeps: softdeps.map(Path::to_owned),
            system_policy: policy.system_policy.clone(),
            policy: policy.policy.clone(),
            build_root: Some(buildroot.to_owned()),
        }
    }
}

impl IdentityArgs {
    /// The names and versions of the packages of a plan.
    pub(crate) fn identity(&self, planned: &PlannedKernel) -> Result<Identity> {
        let release = &planned.tree.release;
        let flavor = match &self.form.flavor {
            Some(flavor) => flavor.clone(),
            None => (release.flavor().parse())
                .with_context(|| format!("flavor of {release}: give --flavor"))?,
        };
        let kabi = match &self.form.kabi {
            Some(kabi) => kabi.clone(),
            None => (release.as_str().replace('-', "_").parse())
                .with_context(|| format!("kABI of {release}: give --kabi"))?,
        };
        let image = self.image.clone();
        let identity = Identity {
            dialect: self.form.dialect,
            two_dashes: self.form.two_dashes,
            image: image.unwrap_or_else(|| format!("kernel-{}-image", flavor.as_str())),
            flavor,
            kabi,
            evr: self.evr.clone().unwrap_or_else(|| evr(release)),
            naming: planned.policy.naming.clone(),
        };
        identity.check(&planned.plan)?;
        Ok(identity)
    }
}
