//! Turns an empty directory and repositories into an installed rpm root, by zypper or by dnf.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::once::beside;
use crate::place::Place;
use crate::tools::run;

/// A package in an rpm root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed {
    /// Name.
    pub name: String,
    /// Version and release, joined by a dash.
    pub version: String,
}

/// What a scenario asks of a package manager; each call gives what it printed.
pub trait Solver {
    /// Says what hardware there is, instead of what was said before.
    fn hardware(&mut self, modaliases: &[String]) -> Result<()>;
    /// Installs by name or by provides.
    fn install(&mut self, what: &[&str]) -> Result<String>;
    /// Removes packages.
    fn remove(&mut self, what: &[&str]) -> Result<String>;
    /// Updates all packages.
    fn update(&mut self) -> Result<String>;
    /// Installs what new hardware asks for.
    fn new_hardware(&mut self) -> Result<String>;
    /// Everything installed now.
    fn installed(&self) -> Result<BTreeSet<Installed>>;
}

/// A root filled by zypper.
#[derive(Debug)]
pub struct Zypp {
    base: Base,
    sysfs: PathBuf,
}

/// A root filled by dnf or dnf5.
#[derive(Debug)]
pub struct Dnf {
    base: Base,
    program: String,
}

#[derive(Debug)]
struct Base {
    place: Place,
    root: PathBuf,
    repos: Vec<(String, PathBuf)>,
}

impl Zypp {
    /// An empty root at `root`, with repositories by name; beside it, `<root>.sys` is its sysfs.
    ///
    /// Kernels install side by side there, as on SUSE; there is no hardware yet.
    pub fn new(root: &Path, repos: &[(&str, &Path)]) -> Result<Zypp> {
        Zypp::new_in(Place::Host, root, repos)
    }

    /// [`Zypp::new`] with the zypper of another release.
    pub fn new_in(place: Place, root: &Path, repos: &[(&str, &Path)]) -> Result<Zypp> {
        let base = Base::new(place, root, repos)?;
        let multiversion = base.root.join("etc/zypp/multiversion.d");
        fs::create_dir_all(&multiversion)
            .with_context(|| format!("create {}", multiversion.display()))?;
        fs::write(
            multiversion.join("kernel.conf"),
            "provides:multiversion(kernel)\n",
        )
        .with_context(|| format!("write to {}", multiversion.display()))?;
        let mut zypp = Zypp {
            sysfs: beside(&base.root, ".sys"),
            base,
        };
        zypp.hardware(&[])?;
        for (name, dir) in zypp.base.repos.clone() {
            let uri = format!("dir://{}", dir.display());
            run(zypp
                .command()?
                .args(["addrepo", "--refresh", "--no-gpgcheck", &uri, &name]))?;
        }
        Ok(zypp)
    }

    /// The root.
    pub fn root(&self) -> &Path {
        &self.base.root
    }

    /// `zypper inr --no-recommends`: what the hardware of now asks for, and nothing else.
    pub fn inr(&mut self) -> Result<String> {
        self.new_hardware()
    }

    /// The names of all installed packages.
    pub fn names(&self) -> Result<BTreeSet<String>> {
        Ok(self.base.installed()?.into_iter().map(|p| p.name).collect())
    }

    /// `rpm -qa` in the root with a query format.
    pub fn query(&self, format: &str) -> Result<String> {
        self.base.query(format)
    }

    /// `zypper --root …`, to which the caller adds what it wants done.
    pub fn command(&self) -> Result<Command> {
        let mut command = self.base.command("zypper", &[&self.sysfs])?;
        command
            .env("ZYPP_MODALIAS_SYSFS", &self.sysfs)
            .arg("--root")
            .arg(&self.base.root);
        command.args(["--non-interactive", "--no-gpg-checks"]);
        Ok(command)
    }
}

impl Solver for Zypp {
    fn hardware(&mut self, modaliases: &[String]) -> Result<()> {
        if self.sysfs.exists() {
            fs::remove_dir_all(&self.sysfs)
                .with_context(|| format!("remove {}", self.sysfs.display()))?;
        }
        let devices = self.sysfs.join("devices");
        fs::create_dir_all(&devices).with_context(|| format!("create {}", devices.display()))?;
        for (number, modalias) in modaliases.iter().enumerate() {
            let dir = devices.join(format!("device{number}"));
            fs::create_dir(&dir).with_context(|| format!("create {}", dir.display()))?;
            let file = dir.join("modalias");
            fs::write(&file, format!("{modalias}\n"))
                .with_context(|| format!("write {}", file.display()))?;
        }
        Ok(())
    }

    fn install(&mut self, what: &[&str]) -> Result<String> {
        run(self.command()?.arg("install").args(what))
    }

    fn remove(&mut self, what: &[&str]) -> Result<String> {
        run(self.command()?.arg("remove").args(what))
    }

    fn update(&mut self) -> Result<String> {
        run(self.command()?.arg("update"))
    }

    fn new_hardware(&mut self) -> Result<String> {
        run(self
            .command()?
            .args(["install-new-recommends", "--no-recommends"]))
    }

    fn installed(&self) -> Result<BTreeSet<Installed>> {
        self.base.installed()
    }
}

impl Dnf {
    /// An empty root at `root`; `program` is `dnf` or `dnf5`.
    pub fn new_in(
        place: Place,
        program: &str,
        root: &Path,
        repos: &[(&str, &Path)],
    ) -> Result<Dnf> {
        Ok(Dnf {
            base: Base::new(place, root, repos)?,
            program: program.to_owned(),
        })
    }

    /// `dnf --installroot=…`, to which the caller adds what it wants done.
    pub fn command(&self) -> Result<Command> {
        let cache = beside(&self.base.root, ".cache");
        fs::create_dir_all(&cache).with_context(|| format!("create {}", cache.display()))?;
        let mut command = self.base.command(&self.program, &[&cache])?;
        command.arg(format!("--installroot={}", self.base.root.display()));
        command.args([
            "-y",
            "--releasever=1",
            "--setopt=reposdir=/nonexistent",
            "--setopt=gpgcheck=0",
        ]);
        command.args([
            "--setopt=pkg_gpgcheck=0",
            "--setopt=clean_requirements_on_remove=0",
        ]);
        command.arg(format!("--setopt=cachedir={}", cache.display()));
        command.arg(format!("--setopt=logdir={}", cache.display()));
        for (name, dir) in &self.base.repos {
            command.arg(format!("--repofrompath={name},file://{}", dir.display()));
        }
        Ok(command)
    }

    fn dnf(&self, verb: &str, what: &[&str]) -> Result<String> {
        run(self.command()?.arg(verb).args(what))
    }
}

impl Solver for Dnf {
    fn hardware(&mut self, modaliases: &[String]) -> Result<()> {
        if !modaliases.is_empty() {
            bail!(
                "{} does not evaluate modalias(): a scenario for it has no machine",
                self.program
            );
        }
        Ok(())
    }

    fn install(&mut self, what: &[&str]) -> Result<String> {
        self.dnf("install", what)
    }

    fn remove(&mut self, what: &[&str]) -> Result<String> {
        self.dnf("remove", what)
    }

    fn update(&mut self) -> Result<String> {
        self.dnf("upgrade", &[])
    }

    fn new_hardware(&mut self) -> Result<String> {
        bail!("{} has no inr", self.program)
    }

    fn installed(&self) -> Result<BTreeSet<Installed>> {
        self.base.installed()
    }
}

impl Base {
    fn new(place: Place, root: &Path, repos: &[(&str, &Path)]) -> Result<Base> {
        fs::create_dir_all(root).with_context(|| format!("create {}", root.display()))?;
        let absolute = |dir: &Path| {
            dir.canonicalize()
                .with_context(|| format!("directory {}", dir.display()))
        };
        let root = absolute(root)?;
        let repos = repos
            .iter()
            .map(|&(name, dir)| {
                let dir = absolute(dir)?;
                if !dir.join("repodata/repomd.xml").is_file() {
                    bail!("{}: no repository (no repodata/repomd.xml)", dir.display());
                }
                Ok((name.to_owned(), dir))
            })
            .collect::<Result<_>>()?;
        Ok(Base { place, root, repos })
    }

    fn command(&self, program: &str, more: &[&Path]) -> Result<Command> {
        let mut dirs: Vec<&Path> = vec![&self.root];
        dirs.extend(self.repos.iter().map(|(_, dir)| dir.as_path()));
        dirs.extend(more);
        self.place.command(program, &dirs)
    }

    fn query(&self, format: &str) -> Result<String> {
        run(self
            .command("rpm", &[])?
            .arg("--root")
            .arg(&self.root)
            .args(["-qa", "--qf", format]))
    }

    fn installed(&self) -> Result<BTreeSet<Installed>> {
        let out = self.query("%{NAME} %{VERSION}-%{RELEASE}\n")?;
        let parse = |line: &str| {
            let (name, version) = line
                .split_once(' ')
                .with_context(|| format!("rpm -qa said {line:?}"))?;
            Ok(Installed {
                name: name.to_owned(),
                version: version.to_owned(),
            })
        };
        out.lines()
            .map(parse)
            .filter(|p| !matches!(p, Ok(p) if p.name == "gpg-pubkey"))
            .collect()
    }
}
