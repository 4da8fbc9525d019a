//! The command line in, what the subcommands print or write out.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use deptag::{Dialect, Flavor, Kabi, TagRules};
use kmodule::Kernelrelease;
use modtree::{KernelFiles, is_plain_path};
use tagging::{TagCacheWriter, TagInputs, tagged_files};

use crate::document::Document;
use crate::explain::explain;
use crate::identity::Identity;
use crate::lists::Lists;
use crate::machine::Machine;
use crate::moves::Moves;
use crate::planned::{Planned, Source};
use crate::spec_text::Subpackages;
use crate::text_table;
use crate::tree_macros::{evr, tree_macros};

/// Split a kernel's modules into packages
///
/// Reads a kernel's modules, a directory with lib/modules/KERNELRELEASE or
/// usr/lib/modules/KERNELRELEASE, and a policy; see kmp-policy(5). plan,
/// explain and report show what would be packaged; tree, spec and lists are
/// what the macros of kmpkit-macros(7) run.
#[derive(Parser, Debug)]
#[command(name = "kmp-split", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Show the packages
    Plan {
        #[command(flatten)]
        kernel: KernelArgs,
        /// Print the plan as JSON; see kmp-plan(5)
        #[arg(long)]
        json: bool,
        /// A list of modaliases: tell what a machine with this hardware installs; may be repeated
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        machine: Vec<PathBuf>,
    },
    /// Tell why a module is in its package, what pulls it in and what it pulls in
    Explain {
        #[command(flatten)]
        kernel: KernelArgs,
        /// Its name, or its path below lib/modules/KERNELRELEASE
        module: String,
    },
    /// Write a page to look at a plan with: sizes, who needs whom, machines, warnings
    Report {
        #[command(flatten)]
        kernel: KernelArgs,
        /// The file for the page, which needs no other
        #[arg(long, value_name = "FILE")]
        html: PathBuf,
        /// A list of modaliases: tell what a machine with this hardware installs; may be repeated
        #[arg(long, value_name = "FILE")]
        machine: Vec<PathBuf>,
    },
    /// Print the macros that name the kernel's files, a name and a value a line
    Tree {
        /// The kernel tree; image, System.map and config lie beside the modules, in boot/ or in it
        #[arg(value_name = "DIRECTORY")]
        root: PathBuf,
        /// Which kernel, if the tree has several
        #[arg(long, value_name = "KERNELRELEASE")]
        release: Option<Release>,
    },
    /// Print the subpackages of a spec file
    Spec {
        #[command(flatten)]
        kernel: KernelArgs,
        /// Where the lists of files will be
        #[arg(long, value_name = "DIRECTORY")]
        lists: PathBuf,
    },
    /// Write the lists of files of all packages
    Lists {
        #[command(flatten)]
        kernel: KernelArgs,
        /// The directory for the lists
        #[arg(long, value_name = "DIRECTORY")]
        lists: PathBuf,
        /// What is packaged; modules have the same paths as in the tree up to .ko
        #[arg(long, value_name = "DIRECTORY")]
        buildroot: PathBuf,
        /// Give the image package all files of the buildroot that no other package has, not only
        /// those beside the modules
        #[arg(long)]
        everything: bool,
        /// Write the subpackages too: a spec part
        #[arg(long, value_name = "FILE")]
        spec: Option<PathBuf>,
        /// Write the plan too, as JSON
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
        /// Keep the tags of all files too, from the same reading of the modules, in this directory;
        /// see tags
        #[arg(long, value_name = "DIRECTORY")]
        tags: Option<PathBuf>,
        #[command(flatten)]
        symvers: SymversArgs,
    },
    /// Keep the dependency tags of a buildroot's modules and kernel images, all that the generators
    /// print, in files from which rpmbuild answers without running them
    Tags {
        /// The buildroot
        #[arg(value_name = "DIRECTORY")]
        buildroot: PathBuf,
        /// The directory for the tags: a file for each dependency type, and their index
        #[arg(long, value_name = "DIRECTORY")]
        into: PathBuf,
        #[command(flatten)]
        form: FormArgs,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        symvers: SymversArgs,
    },
}

/// What there is to plan, and what its packages are called.
#[derive(clap::Args, Debug)]
struct KernelArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    identity: IdentityArgs,
}

#[derive(clap::Args, Debug)]
struct SourceArgs {
    /// A directory with the kernel's modules
    #[arg(value_name = "DIRECTORY")]
    root: PathBuf,
    /// Which kernel, if there are several
    #[arg(long, value_name = "KERNELRELEASE")]
    release: Option<Release>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// An earlier plan as JSON: modules stay in their packages, unless a rule forbids it
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
struct PolicyArgs {
    /// A policy file, applied after the system's and those before it; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// The directory of the system's policy files
    #[arg(long, value_name = "DIRECTORY", default_value = policy::SYSTEM)]
    system_policy: PathBuf,
}

/// What decides the form of tags and names.
#[derive(clap::Args, Debug)]
struct FormArgs {
    /// Whose tags and package habits: suse or redhat
    #[arg(long, value_name = "NAME", default_value = "suse")]
    dialect: Dialect,
    /// Flavor in tags and names of packages, instead of what follows the last dash of the
    /// kernelrelease
    #[arg(long, value_name = "NAME")]
    flavor: Option<Flavor>,
    /// Name of the kABI; packages are named by the kernelrelease, with _ for each -, where it is
    /// left out
    #[arg(long, value_name = "VERSION")]
    kabi: Option<Kabi>,
}

#[derive(clap::Args, Debug)]
struct SymversArgs {
    /// Module.symvers of the kernel, instead of the one that is found beside the image or among the
    /// installed kernel headers
    #[arg(long, value_name = "FILE")]
    symvers: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
struct IdentityArgs {
    #[command(flatten)]
    form: FormArgs,
    /// Version of the packages, as [EPOCH:]VERSION-RELEASE, instead of what the kernelrelease says
    #[arg(long, value_name = "EVR")]
    evr: Option<String>,
    /// Name of the image package, instead of kernel-FLAVOR-image
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
}

#[derive(Clone, Debug)]
struct Release(Kernelrelease);

impl std::str::FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let release = Kernelrelease::try_from(text.as_bytes());
        release.map(Self).map_err(|problem| problem.to_string())
    }
}

/// Runs kmp-split on `args`, the first of which is its own name.
///
/// rpm does not look at the exit status of `%(...)`, so every failure also
/// prints a line that is an error wherever it stands in a spec file: the files
/// of a package that does not exist.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn"))
        .format_timestamp(None)
        .init();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return refuse(error.to_string().trim_end()),
    };
    match cli.command.run() {
        Ok(text) => match io::stdout().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&format!("stdout: {error}")),
        },
        Err(error) => refuse(&format!("{error:#}")),
    }
}

fn refuse(reason: &str) -> ExitCode {
    // Nothing is left to tell it to if both streams are closed.
    let _ = writeln!(io::stderr(), "kmp-split: {reason}");
    let _ = writeln!(
        io::stdout(),
        "%files -n kmp-split-failed-see-the-error-above"
    );
    ExitCode::FAILURE
}

impl Command {
    /// What goes to stdout: all of it, or none where any of it fails.
    fn run(&self) -> Result<String> {
        match self {
            Self::Plan {
                kernel,
                json,
                machine,
            } => {
                let (planned, identity) = kernel.plan()?;
                let machines = machines(machine)?;
                match json {
                    true => planned.document(&identity).json(),
                    false => Ok(text_table::text(
                        &planned.tree,
                        &planned.plan,
                        &identity,
                        &machines,
                    )),
                }
            }
            Self::Explain { kernel, module } => {
                let (planned, identity) = kernel.plan()?;
                explain(&planned, &identity, module)
            }
            Self::Report {
                kernel,
                html,
                machine,
            } => {
                let (planned, identity) = kernel.plan()?;
                let page = crate::report::page(&planned, &identity, &machines(machine)?)?;
                write(html, &page)
            }
            Self::Tree { root, release } => tree(root, release.as_ref().map(|release| &release.0)),
            Self::Spec { kernel, lists } => {
                let (planned, identity) = kernel.plan()?;
                subpackages(&planned, &identity, lists)
            }
            Self::Lists {
                kernel,
                lists,
                buildroot,
                everything,
                spec,
                plan,
                tags,
                symvers,
            } => {
                let cache = tags.as_ref().map(|tags| {
                    let identity = &kernel.identity;
                    let inputs =
                        tag_inputs(&identity.form, &kernel.source.policy, symvers, buildroot);
                    TagCacheWriter::new(inputs, tagged_files(buildroot)?, tags)
                });
                let cache = cache.transpose()?;
                let (planned, identity) = kernel.plan_copied(buildroot, cache.as_ref())?;
                Lists {
                    tree: &planned.tree,
                    plan: &planned.plan,
                    policy: &planned.policy,
                    buildroot,
                    into: lists,
                    everything: *everything,
                }
                .write()?;
                if let Some(path) = spec {
                    write(path, &subpackages(&planned, &identity, lists)?)?;
                }
                if let Some(path) = plan {
                    write(path, &planned.document(&identity).json()?)?;
                }
                if let Some(cache) = cache {
                    cache.finish()?;
                }
                Ok(String::new())
            }
            Self::Tags {
                buildroot,
                into,
                form,
                policy,
                symvers,
            } => {
                let inputs = tag_inputs(form, policy, symvers, buildroot);
                tagging::write_tag_cache(inputs, tagged_files(buildroot)?, into)?;
                Ok(String::new())
            }
        }
    }
}

fn tag_inputs(
    form: &FormArgs,
    policy: &PolicyArgs,
    symvers: &SymversArgs,
    buildroot: &Path,
) -> TagInputs {
    TagInputs {
        rules: TagRules {
            dialect: form.dialect,
            flavor: form.flavor.clone(),
            kabi: form.kabi.clone(),
        },
        symvers: symvers.symvers.clone(),
        system_policy: policy.system_policy.clone(),
        policy: policy.policy.clone(),
        build_root: Some(buildroot.to_owned()),
    }
}

impl KernelArgs {
    fn plan(&self) -> Result<(Planned, Identity)> {
        let planned = self.source.source(None).plan()?;
        let identity = self.identity.of(&planned)?;
        Ok((planned, identity))
    }

    /// The plan of the modules in a buildroot, whose tags are added to the cache.
    fn plan_copied(
        &self,
        buildroot: &Path,
        cache: Option<&TagCacheWriter>,
    ) -> Result<(Planned, Identity)> {
        let source = self.source.source(Some(buildroot));
        let planned = source.plan_with(|path, module| {
            let kept = cache.map(|cache| cache.module(path, module));
            Ok(kept.transpose().map(drop)?)
        })?;
        let identity = self.identity.of(&planned)?;
        Ok((planned, identity))
    }
}

impl SourceArgs {
    fn source<'s>(&'s self, build_root: Option<&'s Path>) -> Source<'s> {
        Source {
            root: &self.root,
            release: self.release.as_ref().map(|release| &release.0),
            build_root,
            system_policy: &self.policy.system_policy,
            policy: &self.policy.policy,
            previous: self.previous.as_deref(),
        }
    }
}

impl IdentityArgs {
    fn of(&self, planned: &Planned) -> Result<Identity> {
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

impl Planned {
    fn document(&self, identity: &Identity) -> Document {
        let grouping = self.policy.grouping.by.as_str();
        Document::new(&self.tree, &self.resolution, &self.plan, identity, grouping)
    }
}

fn subpackages(planned: &Planned, identity: &Identity, lists: &Path) -> Result<String> {
    must_be_plain(&lists.to_string_lossy())?;
    Ok(Subpackages {
        identity,
        tree: &planned.tree,
        resolution: &planned.resolution,
        plan: &planned.plan,
        moves: &Moves::of(&planned.plan, identity),
        lists,
    }
    .text())
}

fn machines(files: &[PathBuf]) -> Result<Vec<Machine>> {
    files.iter().map(|path| Machine::read(path)).collect()
}

fn tree(root: &Path, release: Option<&Kernelrelease>) -> Result<String> {
    let mut out = String::new();
    for (name, value) in tree_macros(&KernelFiles::find(root, release)?) {
        must_be_plain(&value)?;
        out += &format!("{name} {value}\n");
    }
    Ok(out)
}

fn must_be_plain(path: &str) -> Result<()> {
    ensure!(
        is_plain_path(path),
        "{path:?}: characters other than A-Z a-z 0-9 . _ + ~ - / in its path"
    );
    Ok(())
}

/// Puts a text where there was another one or none, but never half of it.
fn write(path: &Path, text: &str) -> Result<String> {
    let shown = || path.display().to_string();
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory).with_context(shown)?;
    file.write_all(text.as_bytes()).with_context(shown)?;
    fs::set_permissions(
        file.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .with_context(shown)?;
    file.persist(path).with_context(shown)?;
    Ok(String::new())
}
