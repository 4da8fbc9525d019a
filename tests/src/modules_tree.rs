//! Turns modules of a real kernel into a tree of our own: all of them or a few, in odd places.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::directories::build_dir;
use crate::kernel::Kernel;
use crate::tools::{run, tool};

/// A root with the modules of one release in lib/modules.
pub struct ModulesTree {
    root: TempDir,
    /// Its kernelrelease.
    pub release: String,
    modules: BTreeMap<String, PathBuf>,
}

impl ModulesTree {
    /// A tree without modules, with those of `kernel` at hand.
    pub fn empty(kernel: &Kernel) -> Result<ModulesTree> {
        let root = tempfile::tempdir_in(build_dir())?;
        let name = |path: &Path| {
            let name = path.file_name()?.to_str()?.split(".ko").next()?;
            Some(name.to_owned())
        };
        let modules = kernel.modules()?.into_iter();
        let tree = ModulesTree {
            root,
            release: kernel.release.clone(),
            modules: modules
                .filter_map(|path| Some((name(&path)?, path)))
                .collect(),
        };
        fs::create_dir_all(tree.directory())?;
        Ok(tree)
    }

    /// All of a kernel's modules and lists.
    pub fn whole(kernel: &Kernel) -> Result<ModulesTree> {
        let tree = ModulesTree::empty(kernel)?;
        run(Command::new("cp")
            .args(["-al", "-T"])
            .arg(&kernel.modules_dir)
            .arg(tree.directory()))?;
        Ok(tree)
    }

    /// The root directory.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// `lib/modules/<release>`.
    pub fn directory(&self) -> PathBuf {
        self.root().join("lib/modules").join(&self.release)
    }

    /// A path below the directory; its own directory is made.
    pub fn path(&self, below: &str) -> Result<PathBuf> {
        let path = self.directory().join(below);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        }
        Ok(path)
    }

    /// Puts a copy of a module at a path below the directory, or at an absolute one.
    pub fn copy(&self, module: &str, below: &str) -> Result<PathBuf> {
        let from = self.module(module)?;
        let to = self.path(below)?;
        fs::copy(from, &to).with_context(|| to.display().to_string())?;
        Ok(to)
    }

    /// Where a module of the kernel is.
    pub fn module(&self, name: &str) -> Result<&Path> {
        let path = self.modules.get(name).map(PathBuf::as_path);
        path.with_context(|| format!("the kernel has no {name}"))
    }

    /// Puts some modules where `kernel/` has them.
    pub fn usual(&self, modules: &[&str]) -> Result<()> {
        for module in modules {
            self.copy(module, &format!("kernel/{module}.ko"))?;
        }
        Ok(())
    }

    /// Puts a compressed copy of a module at a path.
    pub fn packed(&self, module: &str, with: &str, below: &str) -> Result<()> {
        let out = fs::File::create(self.path(below)?)?;
        let from = self.module(module)?;
        let status = tool(with)?.arg("-c").arg(from).stdout(out).status()?;
        anyhow::ensure!(status.success(), "{with} {}", from.display());
        Ok(())
    }

    /// Writes a file.
    pub fn write(&self, below: &str, text: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path(below)?;
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, below: &str) -> Result<()> {
        let path = self.path(below)?;
        match path.exists() {
            true => fs::remove_file(&path).with_context(|| path.display().to_string()),
            false => Ok(()),
        }
    }

    /// Makes a symbolic link.
    pub fn link(&self, to: &str, below: &str) -> Result<()> {
        symlink(to, self.path(below)?).with_context(|| below.to_owned())
    }

    /// Changes the bytes of a file.
    pub fn edit(&self, below: &str, change: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        let path = self.path(below)?;
        let mut bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        change(&mut bytes);
        self.write(below, bytes).map(drop)
    }
}
