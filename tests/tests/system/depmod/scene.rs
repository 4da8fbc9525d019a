//! What the tests of small trees have in common.

use anyhow::Result;
use kmpkit_tests::modules_tree::ModulesTree;
use kmpkit_tests::{Kernel, cache_dir};

/// Modules of every kind: some need each other, some have devices, soft dependencies, aliases.
pub const MODULES: [&str; 14] = [
    "e1000e",
    "xhci-pci",
    "xhci-hcd",
    "usbcore",
    "usb-common",
    "snd-timer",
    "snd-pcm",
    "snd",
    "soundcore",
    "fuse",
    "tun",
    "btrfs",
    "raid6_pq",
    "loop",
];

/// A tree without modules.
pub fn empty() -> Result<ModulesTree> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    ModulesTree::empty(&kernel)
}

/// A tree with some modules and without lists.
pub fn small() -> Result<ModulesTree> {
    let tree = empty()?;
    tree.usual(&MODULES)?;
    Ok(tree)
}
