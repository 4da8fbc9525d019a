//! Turns the checkout into an installed kmpkit that leaves the machine's own rpm alone.
//!
//! `make install` fills a directory; beside it lies a copy of rpm's configuration with ours in it,
//! which `RPM_CONFIGDIR` shows to rpmbuild.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

use crate::directories::{build_dir, project};
use crate::once::lock;
use crate::tools::{run, tool};

/// What `make install` made of the checkout, and rpm's configuration with it.
#[derive(Debug, Clone)]
pub struct Stage {
    root: PathBuf,
    rpm_config: PathBuf,
}

impl Stage {
    /// Builds and installs the checkout, once for each process.
    pub fn get() -> Result<&'static Stage> {
        static STAGE: OnceLock<std::result::Result<Stage, String>> = OnceLock::new();
        STAGE
            .get_or_init(|| Stage::make().map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow!("{error}"))
    }

    fn make() -> Result<Stage> {
        let target = build_dir();
        let stage = Stage {
            root: target.join("stage"),
            rpm_config: target.join("rpm-config"),
        };
        fs::create_dir_all(&target).with_context(|| format!("create {}", target.display()))?;
        let _locked = lock(&stage.root)?;
        stage.install(&stage.root)?;
        let own = PathBuf::from(run(tool("rpm")?.args(["--eval", "%{_rpmconfigdir}"]))?.trim());
        fs::create_dir_all(&stage.rpm_config)?;
        for from in [
            own.clone(),
            stage.root.join(own.strip_prefix("/").unwrap_or(&own)),
        ] {
            run(Command::new("cp")
                .args(["-a", "--remove-destination"])
                .arg(from.join("."))
                .arg(&stage.rpm_config))?;
        }
        Ok(stage)
    }

    /// Installs into another root, such as a chroot.
    pub fn install(&self, root: &Path) -> Result<()> {
        let mut make = tool("make")?;
        make.args(["--silent", "-C"]).arg(project());
        make.args(["all", "install"]);
        make.arg(format!("DESTDIR={}", root.display()));
        make.arg(format!("TARGET={}", build_dir().display()));
        // The test runner's settings are not the build's.
        for variable in ["MAKEFLAGS", "MAKELEVEL", "RPM_CONFIGDIR"] {
            make.env_remove(variable);
        }
        run(&mut make).map(drop)
    }

    /// The root that `make install` filled.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// rpm's configuration with kmpkit in it, for `RPM_CONFIGDIR`.
    pub fn rpm_config(&self) -> &Path {
        &self.rpm_config
    }

    /// A command for an installed tool of the administrator's.
    pub fn system_tool(&self, name: &str) -> Command {
        Command::new(self.root.join("usr/sbin").join(name))
    }

    /// A command for an installed generator or for kmp-split.
    pub fn tool(&self, name: &str) -> Command {
        Command::new(self.rpm_config.join(name))
    }
}
