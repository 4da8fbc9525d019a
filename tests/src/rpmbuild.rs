//! Turns a spec and defines into rpms, by the rpm of the host or of a chroot with kmpkit in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow, ensure};

use crate::chroot::Chroot;
use crate::directories::cache_dir;
use crate::kernel::walk;
use crate::place::Place;
use crate::stage::Stage;
use crate::tools::{need, run, tool};

/// An rpm that finds kmpkit where `make install` put it.
#[derive(Debug, Clone)]
pub struct Rpm {
    place: Place,
    /// Where to tell what a build executes.
    trace: Option<PathBuf>,
    /// Its configuration, where that is not the one kmpkit is installed in.
    config: Option<PathBuf>,
}

/// Installs kmpkit into a chroot, once for each process: tests run side by side in it.
fn install_once(suite: &str, root: &Path) -> Result<()> {
    static INSTALLED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut installed = INSTALLED
        .lock()
        .map_err(|_| anyhow!("an installation failed"))?;
    if !installed.contains(suite) {
        Stage::get()?.install(root)?;
        installed.insert(suite.to_owned());
    }
    Ok(())
}

/// The command below strace, which says what it executes.
fn traced(command: &Command, log: &Path) -> Result<Command> {
    let mut strace = tool("strace")?;
    strace.args(["-f", "-qq", "--seccomp-bpf", "-e", "trace=execve", "-o"]);
    strace
        .arg(log)
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    Ok(strace)
}

/// What a build left.
#[derive(Debug)]
pub struct Built {
    /// All binary packages, sorted.
    pub rpms: Vec<PathBuf>,
    /// What rpmbuild printed.
    pub log: String,
}

impl Rpm {
    /// The host's rpm.
    pub fn host() -> Result<Rpm> {
        need(&["rpm", "rpmbuild"])?;
        Ok(Rpm {
            place: Place::Host,
            trace: None,
            config: None,
        })
    }

    /// The rpm of another suite: trixie has 4.20, sid 6.1.
    pub fn suite(suite: &str) -> Result<Rpm> {
        let chroot = Chroot::get(
            suite,
            &["binutils", "kmod", "rpm", "xz-utils"],
            &cache_dir(),
        )?;
        install_once(suite, chroot.root())?;
        Ok(Rpm {
            place: Place::Chroot(chroot),
            trace: None,
            config: None,
        })
    }

    /// The same rpm with a copy of its configuration, made in `directory`, that a test may change.
    pub fn with_copied_config(&self, directory: &Path) -> Result<Rpm> {
        let original = match &self.place {
            Place::Host => Stage::get()?.rpm_config().to_owned(),
            Place::Chroot(chroot) => chroot.root().join("usr/lib/rpm"),
        };
        run(Command::new("cp")
            .args(["-a", "-T"])
            .arg(original)
            .arg(directory))?;
        Ok(Rpm {
            config: Some(directory.to_owned()),
            ..self.clone()
        })
    }

    /// The same rpm, which leaves a line in `log` for each program a build executes.
    pub fn traced(&self, log: &Path) -> Rpm {
        Rpm {
            trace: Some(log.to_owned()),
            ..self.clone()
        }
    }

    /// `rpm --version` there.
    pub fn version(&self) -> Result<String> {
        let text = run(self.place.command("rpm", &[])?.arg("--version"))?;
        Ok(text.trim().to_owned())
    }

    /// Builds the binary packages of a spec file below `top`; `sees` are directories it reads.
    ///
    /// # Errors
    /// rpmbuild fails; the error has what it printed.
    pub fn build(
        &self,
        spec: &Path,
        top: &Path,
        defines: &[(&str, &str)],
        sees: &[&Path],
    ) -> Result<Built> {
        fs::create_dir_all(top).with_context(|| format!("create {}", top.display()))?;
        let directory = spec.parent().context("a spec without directory")?;
        let mut dirs = vec![top, directory];
        dirs.extend(sees);
        dirs.extend(self.config.as_deref());
        let mut command = self.place.command("rpmbuild", &dirs)?;
        if let Some(log) = &self.trace {
            command = traced(&command, log)?;
        }
        match (&self.config, &self.place) {
            (Some(config), _) => drop(command.env("RPM_CONFIGDIR", config)),
            (None, Place::Host) => drop(command.env("RPM_CONFIGDIR", Stage::get()?.rpm_config())),
            (None, Place::Chroot(_)) => {}
        }
        command
            // rpm since 4.20 removes what a build leaves for tests to look at.
            .args(["-bb", "--noclean"])
            .args(["--define", &format!("_topdir {}", top.display())]);
        for (name, value) in defines {
            command.args(["--define", &format!("{name} {value}")]);
        }
        let log = top.join("rpmbuild.log");
        let output = fs::File::create(&log).with_context(|| format!("create {}", log.display()))?;
        command.arg(spec).stdout(output.try_clone()?).stderr(output);
        let status = command.status().context("rpmbuild")?;
        let log = fs::read_to_string(&log)?;
        ensure!(
            status.success(),
            "rpmbuild of {} failed:\n{log}",
            spec.display()
        );
        let mut rpms = Vec::new();
        walk(&top.join("RPMS"), &mut rpms)?;
        rpms.sort();
        Ok(Built { rpms, log })
    }

    /// What `rpm -qp` says of a package, in a query format.
    pub fn query(&self, rpm: &Path, format: &str) -> Result<String> {
        let directory = rpm.parent().context("an rpm without directory")?;
        let mut command = self.place.command("rpm", &[directory])?;
        run(command
            .args(["-qp", "--nosignature", "--qf", format])
            .arg(rpm))
    }

    /// Dependencies of one type, one a line as rpm prints them, its own `rpmlib()` ones left out.
    pub fn dependencies(&self, rpm: &Path, kind: &str) -> Result<Vec<String>> {
        let format = format!("[%{{{kind}NAME}} %{{{kind}FLAGS:depflags}} %{{{kind}VERSION}}\\n]");
        let text = self.query(rpm, &format)?;
        let tags = text
            .lines()
            .map(str::trim)
            .filter(|tag| !tag.starts_with("rpmlib("));
        Ok(tags.map(str::to_owned).collect())
    }
}
