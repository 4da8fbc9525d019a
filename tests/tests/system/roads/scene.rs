//! Turns directories of a kernel into a tree with all their modules need, and builds of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use kmpkit_tests::kmod_tools::depmod;
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpmbuild::{Built, Rpm};
use kmpkit_tests::{Kernel, cache_dir, modular};
use tempfile::TempDir;

/// A tree, and a directory for what is built of it, which every rpm sees.
pub(super) struct Scene {
    directory: TempDir,
    /// The tree.
    pub(super) kernel: Kernel,
}

impl Scene {
    /// Bookworm's modules in `parts`, such as `kernel/drivers/usb/`, and what depmod says they need.
    pub(super) fn new(parts: &[&str]) -> Result<Scene> {
        let whole = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
        let directory = tempfile::tempdir()?;
        let depmod = depmod(&whole)?;
        let mut paths = BTreeSet::new();
        for part in parts {
            let wanted = depmod
                .closure
                .iter()
                .filter(|(path, _)| path.starts_with(part));
            let before = paths.len();
            for (path, needs) in wanted {
                paths.insert(path.as_str());
                paths.extend(needs.iter().map(String::as_str));
            }
            anyhow::ensure!(paths.len() > before, "no module in {part}");
        }
        let paths: Vec<&str> = paths.into_iter().collect();
        let kernel = modular::part(&whole, &directory.path().join("tree"), &paths)?;
        Ok(Scene { directory, kernel })
    }

    /// Writes a file beside the tree; gives its path.
    pub(super) fn file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path.display().to_string())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Builds the packages by the example below `top`.
    pub(super) fn build(&self, rpm: &Rpm, top: &str, defines: &[(&str, &str)]) -> Result<Built> {
        let spec = fs::read_to_string(modular::example())?;
        self.build_spec(rpm, &spec, top, defines)
    }

    /// Builds the packages by a spec of the test's own.
    pub(super) fn build_spec(
        &self,
        rpm: &Rpm,
        spec: &str,
        top: &str,
        defines: &[(&str, &str)],
    ) -> Result<Built> {
        let spec = PathBuf::from(self.file("kernel.spec", spec)?);
        let tree = self.kernel.root.display().to_string();
        let own = [
            ("kernel_tree", tree.as_str()),
            ("_binary_payload", "w1.zstdio"),
        ];
        rpm.build(&spec, &self.path(top), &[&own, defines].concat(), &[])
    }

    /// What rpmbuild says of a build that must fail.
    pub(super) fn refusal(&self, rpm: &Rpm, defines: &[(&str, &str)]) -> Result<String> {
        match self.build(rpm, "refused", defines) {
            Ok(_) => anyhow::bail!("{} built it with {defines:?}", rpm.version()?),
            Err(error) => Ok(format!("{error:#}")),
        }
    }
}

/// What the host's rpm shows of the packages of a build.
pub(super) fn packages(built: &Built) -> Result<Vec<Shown>> {
    Ok(shown(&built.rpms)?.into_values().collect())
}
