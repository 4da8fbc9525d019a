//! Turns the packages of a whole kernel by the default policy into what rpmlint says of them.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use kmpkit_tests::directories::project;
use kmpkit_tests::kernel::walk;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::{Kernel, cache_dir, modular, worlds};

use crate::rpmlint::{Known, findings, gone};

/// Warnings that stay; errors that are none are in `kernel.toml`.
const KNOWN: &Known = &[
    (
        "ghost-files-without-postin",
        "depmod writes the indexes of modules, run by a trigger of the distribution or by hand",
    ),
    ("postin-without-ghost-file-creation", "the same"),
    (
        "invalid-license",
        "Debian's rpmlint has an empty list of licences; GPL-2.0-only is SPDX",
    ),
    (
        "no-documentation",
        "the kernel's documentation is not part of the built tree",
    ),
    (
        "requires-on-release",
        "a pattern, as the metapackage, is for the image of its own build",
    ),
    (
        "summary-not-capitalized",
        "a module's own description is left as its author has it",
    ),
    (
        "unstripped-binary-or-object",
        "the kernel resolves a module's symbols when it loads it",
    ),
];

/// The image, packages of modules, patterns and the metapackage.
#[test]
fn packages_of_a_small_tree() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let parts = [
        "kernel/drivers/usb/core",
        "kernel/drivers/usb/common",
        "kernel/fs/nls",
    ];
    let part = modular::part(&kernel, &directory.path().join("tree"), &parts)?;
    let built = modular::packages(&Rpm::host()?, &part, &directory.path().join("top"), &[])?;
    for begin in [
        "kernel-amd64-image-",
        "kernel-amd64-6",
        "patterns-kernel-usb-",
        "usb",
    ] {
        let names = built
            .rpms
            .iter()
            .filter_map(|path| path.file_name()?.to_str());
        let count = names.filter(|name| name.starts_with(begin)).count();
        ensure!(count > 0, "no {begin} among {:?}", built.rpms);
    }
    findings(&built.rpms, Some(&config()), KNOWN).map(drop)
}

/// All packages, so that each known warning is there.
#[test]
#[ignore = "test-all"]
fn packages_of_a_whole_kernel() -> Result<()> {
    let mut rpms = Vec::new();
    walk(&worlds::top("bookworm")?.join("RPMS"), &mut rpms)?;
    rpms.retain(|path| path.extension().is_some_and(|end| end == "rpm"));
    let found = findings(&rpms, Some(&config()), KNOWN)?;
    gone(&found, KNOWN)
}

fn config() -> PathBuf {
    project().join("tests/tests/system/rpmlint/kernel.toml")
}
