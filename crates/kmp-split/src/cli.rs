//! The command line in, spec text or macros on stdout out.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use deptag::{Dialect, Flavor};
use kmodule::{Arena, Image, Kernelrelease, Module};
use modtree::KernelFiles;

use crate::plan::{Package, plan};
use crate::spec_text::{Subpackages, subpackages};
use crate::tree_macros::tree_macros;

/// Split a kernel's modules into packages
///
/// Reads a kernel tree: a directory with lib/modules/KERNELRELEASE and, beside
/// the modules, in boot/ or in the directory itself, vmlinuz, System.map,
/// config and perhaps symvers. The macros %kmp_tree and %kmp_subpackages call it while
/// rpmbuild parses a spec file.
#[derive(Parser, Debug)]
#[command(name = "kmp-split", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Print the subpackages of a spec file, one for each module
    Spec {
        #[command(flatten)]
        tree: TreeArgs,
        /// Whose package habits to follow: suse or redhat
        #[arg(long, value_name = "NAME", default_value = "suse")]
        dialect: Dialect,
        /// Version of the packages, as [EPOCH:]VERSION-RELEASE
        #[arg(long, value_name = "EVR")]
        evr: String,
        /// Flavor in the names of the packages
        #[arg(long, value_name = "NAME")]
        flavor: Flavor,
    },
    /// Print the macros that name the kernel's files, a name and a value a line
    Tree {
        #[command(flatten)]
        tree: TreeArgs,
    },
}

#[derive(clap::Args, Debug)]
struct TreeArgs {
    /// The kernel tree
    #[arg(value_name = "DIRECTORY")]
    root: PathBuf,
    /// Which kernel, if the tree has several
    #[arg(long, value_name = "KERNELRELEASE")]
    release: Option<String>,
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
    match cli.command.output() {
        Ok(text) => match io::stdout().write_all(&text) {
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
    /// All of the output, so that none is printed where any of it fails.
    fn output(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Self::Tree { tree } => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._+~/-".contains(c);
                for (name, value) in tree_macros(&tree.find()?) {
                    ensure!(
                        value.chars().all(plain),
                        "{value:?}: characters other than A-Z a-z 0-9 . _ + ~ - / in its path"
                    );
                    writeln!(out, "{name} {value}")?;
                }
            }
            Self::Spec {
                tree,
                dialect,
                evr,
                flavor,
            } => {
                let tree = tree.find()?;
                let packages = described(&tree)?;
                let shared = Subpackages {
                    dialect: *dialect,
                    evr,
                    flavor: flavor.as_str(),
                    modules_dir: tree.modules.below_root(),
                };
                subpackages(&mut out, shared, &packages)?;
            }
        }
        Ok(out)
    }
}

impl TreeArgs {
    fn find(&self) -> Result<KernelFiles> {
        let release = self
            .release
            .as_ref()
            .map(|release| Kernelrelease::try_from(release.as_bytes()).context("--release"))
            .transpose()?;
        Ok(KernelFiles::find(&self.root, release.as_ref())?)
    }
}

fn described(tree: &KernelFiles) -> Result<Vec<(Package, Option<String>)>> {
    let directory = tree.modules.path();
    let mut arena = Arena::new();
    plan(tree.modules.modules()?)?
        .into_iter()
        .map(|package| {
            arena.reset();
            let description = description(&directory.join(&package.module.path), &arena)?;
            Ok((package, description))
        })
        .collect()
}

fn description(path: &Path, arena: &Arena) -> Result<Option<String>> {
    let image = Image::open(path)?;
    let module = Module::parse(&image, arena)?;
    let text = module.modinfo().value("description");
    Ok(text.map(|text| String::from_utf8_lossy(text).into_owned()))
}
