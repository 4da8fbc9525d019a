//! Turns a suite and a package list into a directory to `chroot` into, made once.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt::mirror;
use crate::once::once;
use crate::tools::{need, need_mounts, run, tool};

/// Mounts /proc and the bound directories, then gives way to the command inside.
///
/// The root is a mount point, for rpm since 4.20 runs scriptlets in mount namespaces of their own.
/// It runs in a mount namespace of its own, so all mounts end with it, also when it is killed.
const ENTER: &str = r#"set -e
root=$1; shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    shift 2
done
shift
exec chroot "$root" "$@""#;

/// A minimal Debian of one suite: trixie for rpm 4.20, sid for rpm 6.
#[derive(Debug, Clone)]
pub struct Chroot {
    root: PathBuf,
    binds: Vec<(PathBuf, PathBuf)>,
}

impl Chroot {
    /// The chroot `<cache>/chroot-<suite>-<packages>`, made by mmdebstrap if it is not there.
    pub fn get(suite: &str, packages: &[&str], cache: &Path) -> Result<Chroot> {
        need(&["mmdebstrap", "unshare", "chroot"])?;
        need_mounts("a chroot")?;
        let mut packages = packages.to_vec();
        packages.sort_unstable();
        packages.dedup();
        let root = cache.join(format!("chroot-{suite}-{}", packages.join("+")));
        once(&root, |partial| {
            let mut command = tool("mmdebstrap")?;
            command.args([
                "--mode=root",
                "--format=directory",
                "--variant=minbase",
                "--quiet",
            ]);
            command.arg("--aptopt=Acquire::Check-Valid-Until \"false\"");
            command.arg("--dpkgopt=path-exclude=/usr/share/man/*");
            command.arg("--dpkgopt=path-exclude=/usr/share/locale/*");
            if !packages.is_empty() {
                command.arg(format!("--include={}", packages.join(",")));
            }
            run(command.arg(suite).arg(partial).arg(mirror()?)).map(drop)
        })?;
        let root = root
            .canonicalize()
            .with_context(|| format!("chroot {}", root.display()))?;
        Ok(Chroot {
            root,
            binds: Vec::new(),
        })
    }

    /// The same chroot with a directory of the host visible inside, at `inside`, for each command.
    pub fn with_bind(mut self, outside: &Path, inside: &Path) -> Chroot {
        self.binds.push((outside.to_owned(), inside.to_owned()));
        self
    }

    /// A copy, for a test that changes more than a directory of it.
    pub fn copy(&self, to: &Path) -> Result<Chroot> {
        run(Command::new("cp")
            .args(["-a", "-T"])
            .arg(&self.root)
            .arg(to))?;
        Ok(Chroot {
            root: to.to_owned(),
            binds: self.binds.clone(),
        })
    }

    /// The chroot's own root directory, as the host sees it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A directory of its own for one test, inside; its path holds on the host.
    ///
    /// [`Chroot::inside`] turns it into the path to pass to commands.
    pub fn tempdir(&self) -> Result<tempfile::TempDir> {
        let base = self.root.join("tmp");
        tempfile::tempdir_in(&base)
            .with_context(|| format!("temporary directory in {}", base.display()))
    }

    /// The path a command inside knows a file of the chroot by.
    pub fn inside(&self, path: &Path) -> Result<PathBuf> {
        let below = path
            .strip_prefix(&self.root)
            .with_context(|| format!("{} is not in {}", path.display(), self.root.display()))?;
        Ok(Path::new("/").join(below))
    }

    /// Copies a file or directory of the host to a place inside.
    pub fn copy_in(&self, from: &Path, inside: &Path) -> Result<()> {
        let to = self.root.join(inside.strip_prefix("/").unwrap_or(inside));
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("create {}", parent.display()))?;
        }
        run(Command::new("cp").args(["-a", "-T"]).arg(from).arg(to)).map(drop)
    }

    /// A command that runs inside, with nothing of the host's environment but a plain PATH.
    pub fn command(&self, program: &str) -> Result<Command> {
        let mut command = tool("unshare")?;
        command
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                ENTER,
                "enter",
            ])
            .arg(&self.root);
        for (outside, inside) in &self.binds {
            command.arg(outside).arg(inside);
        }
        command.args(["--", program]);
        command.env_clear();
        command.envs([
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ),
            ("LC_ALL", "C.UTF-8"),
            ("HOME", "/root"),
        ]);
        Ok(command)
    }

    /// Runs a shell script inside and gives its output.
    pub fn run(&self, script: &str) -> Result<String> {
        run(self.command("sh")?.args(["-e", "-c", script]))
            .with_context(|| format!("in the chroot {}", self.root.display()))
    }
}
