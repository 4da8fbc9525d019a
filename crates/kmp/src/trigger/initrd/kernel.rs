//! A release in, its kernel out: where its modules and its image are.

use std::path::{Path, PathBuf};

/// What kernel images are called, with the release behind it in /boot.
const IMAGES: [&str; 8] = [
    "vmlinuz", "vmlinux", "Image", "bzImage", "image", "linux", "zImage", "uImage",
];

/// A kernel that can be booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kernel {
    pub(super) release: String,
    /// Where its modules are.
    pub(super) directory: PathBuf,
    pub(super) image: PathBuf,
}

impl Kernel {
    /// `None` where there are only modules: they may come before their kernel, and stay longer.
    pub(super) fn find(root: &Path, directory: PathBuf, release: &str) -> Option<Self> {
        let beside = IMAGES.iter().map(|name| directory.join(name));
        let boot = in_boot(root, release).map(|(_, path)| path);
        let image = beside.chain(boot).find(|path| path.is_file())?;
        Some(Self {
            release: release.to_owned(),
            directory,
            image,
        })
    }
}

/// The image in /boot: what it is called without the release, and its path.
pub(super) fn in_boot(root: &Path, release: &str) -> Option<(&'static str, PathBuf)> {
    IMAGES
        .iter()
        .map(|name| (*name, root.join("boot").join(format!("{name}-{release}"))))
        .find(|(_, path)| path.is_file())
}
