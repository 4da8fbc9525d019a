//! Finds the kernel of a release: its modules and its image.

use std::path::{Path, PathBuf};

use kmodule::IMAGE_NAMES;

/// A kernel that can be booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BootableKernel {
    pub(super) release: String,
    /// Where its modules are.
    pub(super) directory: PathBuf,
    pub(super) image: PathBuf,
}

impl BootableKernel {
    /// `None` if there are only modules: they may come before their kernel, and stay longer.
    pub(super) fn find(root: &Path, directory: PathBuf, release: &str) -> Option<Self> {
        let beside = IMAGE_NAMES.iter().map(|name| directory.join(name));
        let boot = image_in_boot(root, release).map(|(_, path)| path);
        let image = beside.chain(boot).find(|path| path.is_file())?;
        Some(Self {
            release: release.to_owned(),
            directory,
            image,
        })
    }
}

/// The image in /boot: its name without the release, and its path.
pub(super) fn image_in_boot(root: &Path, release: &str) -> Option<(&'static str, PathBuf)> {
    IMAGE_NAMES
        .iter()
        .map(|name| (*name, root.join("boot").join(format!("{name}-{release}"))))
        .find(|(_, path)| path.is_file())
}
