//! An rpm root with nothing in it but what packages bring, and what is asked about it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::depmod::FILES;
use crate::directories::{build_dir, cache_dir};
use crate::kmod::{Kmod, answer};
use crate::kmps::{self, Kmp};
use crate::place::Place;
use crate::trace::Trace;
use crate::{Kernel, index_differ, run, system};

/// A root, packages beside it, and the rpm that brings one into the other.
pub struct Scene {
    work: tempfile::TempDir,
    place: Place,
    /// Whose modules the packages have.
    pub kernel: Kernel,
}

/// What a transaction did.
#[derive(Debug)]
pub struct Transaction {
    /// How often depmod's work was done for each directory of a release.
    pub runs: BTreeMap<String, usize>,
    /// Seconds all triggers took, and how many there were.
    pub triggers: (f64, usize),
    /// What it said.
    pub said: String,
}

impl Scene {
    /// An empty root for the host's rpm.
    pub fn new() -> Result<Scene> {
        Scene::with(Place::Host)
    }

    /// One for the rpm of a place.
    pub fn with(place: Place) -> Result<Scene> {
        Scene::of(
            place,
            Kernel::from_archive("bookworm", "amd64", &cache_dir())?,
        )
    }

    /// One with packages of another kernel than bookworm's.
    pub fn of(place: Place, kernel: Kernel) -> Result<Scene> {
        let scene = Scene {
            work: tempfile::tempdir_in(build_dir())?,
            place,
            kernel,
        };
        fs::create_dir(scene.root())?;
        fs::create_dir(scene.packages())?;
        Ok(scene)
    }

    /// The root.
    pub fn root(&self) -> PathBuf {
        self.work.path().join("root")
    }

    /// Where packages are.
    pub fn packages(&self) -> PathBuf {
        self.work.path().join("packages")
    }

    /// The package under test, where the place's rpm sees it.
    pub fn system(&self) -> Result<PathBuf> {
        let to = self.packages().join("kmpkit.rpm");
        fs::copy(system::package()?, &to)?;
        Ok(to)
    }

    /// A module of the kernel.
    pub fn module(&self, name: &str) -> Result<PathBuf> {
        let modules = self.kernel.modules()?;
        let mut of_name = modules.into_iter().filter(|path| {
            let file = path.file_name().and_then(|file| file.to_str());
            file.and_then(|file| file.split('.').next()) == Some(name)
        });
        of_name.next().with_context(|| format!("no {name}"))
    }

    /// A package of a module, as that of another if it is to differ.
    pub fn kmp(&self, release_directory: &str, module: &str, version: u32) -> Result<Kmp> {
        let content = match version {
            1 => module,
            _ => "loop",
        };
        Ok(Kmp::new(
            &format!("{module}-kmp-{}", release_directory.replace('/', "-")),
            version,
            &format!("/{release_directory}/kernel/{module}.ko"),
            &self.module(content)?,
        ))
    }

    /// The lists that a kernel has beside its modules, for a package of it.
    pub fn lists(&self, release_directory: &str) -> Vec<(String, PathBuf)> {
        let names = [
            "modules.order",
            "modules.builtin",
            "modules.builtin.modinfo",
        ];
        let list = |name: &str| {
            let path = format!("/{release_directory}/{name}");
            (path, self.kernel.modules_dir.join(name))
        };
        names.map(list).into()
    }

    /// Packages, where the place's rpm sees them.
    pub fn build(&self, kmps: &[Kmp]) -> Result<Vec<PathBuf>> {
        kmps::build(kmps, &self.packages())
    }

    /// One transaction of plain rpm, which must succeed.
    pub fn rpm(&self, mode: &str, what: &[impl AsRef<Path>]) -> Result<Transaction> {
        self.traced(&self.rpm_command(mode, what)?)
    }

    /// One transaction of plain rpm, to be run.
    pub fn rpm_command(&self, mode: &str, what: &[impl AsRef<Path>]) -> Result<Command> {
        let (root, packages) = (self.root(), self.packages());
        let mut command = self.place.command("rpm", &[&root, &packages])?;
        command.env("RUST_LOG", "info");
        command
            .arg("--root")
            .arg(&root)
            .args(["--nosignature", mode]);
        command.args(what.iter().map(|what| what.as_ref()));
        Ok(command)
    }

    /// Runs a command that must succeed, and counts.
    pub fn traced(&self, command: &Command) -> Result<Transaction> {
        let trace = Trace::new(command)?;
        let output = answer(&mut trace.command()?)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{}: {said}", output.status);
        Ok(Transaction {
            triggers: trace.seconds_of("/usr/sbin/kmp-trigger")?,
            runs: trace.locks()?,
            said,
        })
    }

    /// Fails unless the indexes of a release are those kmod 34 makes of its tree.
    pub fn is_right(&self, release_directory: &str) -> Result<()> {
        let directory = self.root().join(release_directory);
        let read = || -> BTreeMap<&str, Vec<u8>> {
            let read = |name| Some((name, fs::read(directory.join(name)).ok()?));
            FILES.into_iter().filter_map(read).collect()
        };
        let ours = read();
        ensure!(
            ours.len() == FILES.len(),
            "{release_directory}: {:?}",
            ours.keys()
        );
        let kmod = Kmod::all()?.into_iter().next_back().context("kmod")?;
        let (above, release) = release_directory.rsplit_once('/').context("no release")?;
        let mut depmod = kmod.tool("depmod", &self.root())?;
        depmod
            .arg("-b")
            .arg(self.root())
            .args(["-m", &format!("/{above}")]);
        depmod.arg("-C").arg(self.root().join("no-configuration"));
        run(depmod.arg(release))?;
        let theirs = read();
        for (name, bytes) in &ours {
            // What comes next is to find what we left.
            fs::write(directory.join(name), bytes)?;
            let theirs = theirs.get(name).map(Vec::as_slice).unwrap_or_default();
            index_differ::same(name, bytes, theirs).context(release_directory.to_owned())?;
        }
        Ok(())
    }

    /// Everything in the root below a directory.
    pub fn exists(&self, path: &str) -> bool {
        self.root().join(path).symlink_metadata().is_ok()
    }

    /// A text of the root.
    pub fn text(&self, path: &str) -> Result<String> {
        let path = self.root().join(path);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}

/// Fails unless depmod's work was done so often.
pub fn runs(transaction: &Transaction, wanted: &[(&str, usize)]) -> Result<()> {
    let wanted: BTreeMap<String, usize> = wanted
        .iter()
        .map(|&(directory, count)| (directory.to_owned(), count))
        .collect();
    ensure!(
        transaction.runs == wanted,
        "runs are {:?} and not {wanted:?}\n{}",
        transaction.runs,
        transaction.said
    );
    Ok(())
}
