//! The command line of kmp-split. The help texts are its manual page, too.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli_inputs::{FormArgs, IdentityArgs, KernelArgs, PolicyArgs, Release, SymversArgs};

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
    /// Explain why modules are in their packages, what installs them and what they install
    Explain(ExplainArgs),
    /// Compare two plans: packages and modules that are new, gone, changed or elsewhere
    Diff(DiffArgs),
    /// Print the modaliases of this machine's devices, as a list for --machine
    Machine(MachineArgs),
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
    /// A list of modaliases: show which packages a machine with this hardware installs, and why; may
    /// be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) machine: Vec<PathBuf>,
    /// The order of the packages in the table
    #[arg(long, value_name = "KEY", default_value = "name")]
    pub(crate) sort: SortKey,
}

/// What decides the order of packages in a table.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SortKey {
    /// The name
    Name,
    /// The size of the modules, the largest first
    Size,
    /// The number of modules, the most first
    Modules,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) kernel: KernelArgs,
    /// What to explain: the name or the path of a module, the name of a package or pattern, a directory
    /// of modules, a modalias, or another alias
    #[arg(value_name = "WHAT", required = true)]
    pub(crate) what: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// A plan as JSON, or a directory with a kernel's modules, which is planned as plan does
    pub(crate) old: PathBuf,
    /// What to compare it with
    pub(crate) new: PathBuf,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
}

#[derive(Args, Debug)]
pub(crate) struct MachineArgs {
    /// The sysfs to read, with files devices/**/modalias
    #[arg(value_name = "DIRECTORY", default_value = "/sys")]
    pub(crate) sysfs: PathBuf,
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
