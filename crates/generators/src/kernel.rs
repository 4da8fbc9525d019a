//! The path of a kernel image or symvers file in, the kernel's tags out.

use std::path::Path;

use anyhow::{Context, Result};
use deptag::{Kernel, TagRules, TagSet};
use kmodule::{Crc, Error, KernelImage, Kernelrelease, Problem, Symvers};
use modtree::PackagedKernel;

/// The kernel a symvers file belongs to.
///
/// # Errors
/// Neither path nor content names a release, or a file cannot be read.
pub(crate) fn symvers_tags(path: &Path, rules: &TagRules) -> Result<TagSet> {
    let packaged = PackagedKernel::around(path);
    let release = packaged
        .release
        .as_ref()
        .ok_or_else(|| Error::new(path, Problem::NoRelease))?;
    from_symvers(&Symvers::open(path)?, &packaged, release, rules)
}

/// The kernel in an image; its exports come from `symvers`, else from the
/// symvers of its tree, else from the image itself.
///
/// # Errors
/// The image is none, or a file cannot be read.
pub(crate) fn image_tags(path: &Path, symvers: Option<&Path>, rules: &TagRules) -> Result<TagSet> {
    let packaged = PackagedKernel::around(path);
    let release = match &packaged.release {
        Some(release) => release.clone(),
        None => KernelImage::open(path)?.kernelrelease()?,
    };
    let beside = packaged.symvers(&release);
    if let Some(symvers) = symvers.or(beside.as_deref()) {
        log::debug!("{}: exports from {}", path.display(), symvers.display());
        return from_symvers(&Symvers::open(symvers)?, &packaged, &release, rules);
    }
    let image = KernelImage::open(path)?;
    image.exports(|exports| {
        let exports: Vec<_> = exports
            .iter()
            .map(|export| (export.name, export.crc))
            .collect();
        tags(&exports, &packaged, &release, rules)
    })?
}

fn from_symvers(
    symvers: &Symvers,
    packaged: &PackagedKernel,
    release: &Kernelrelease,
    rules: &TagRules,
) -> Result<TagSet> {
    let exports: Vec<_> = match symvers.has_modversions() {
        true => symvers
            .kernel_entries()
            .map(|entry| (entry.name, entry.crc))
            .collect(),
        false => Vec::new(),
    };
    tags(&exports, packaged, release, rules)
}

fn tags(
    exports: &[(&[u8], Crc)],
    packaged: &PackagedKernel,
    release: &Kernelrelease,
    rules: &TagRules,
) -> Result<TagSet> {
    if exports.is_empty() {
        log::info!("{release}: no modversions, so no symbol tags");
    }
    let builtin = packaged
        .builtin(release)
        .with_context(|| format!("builtin modules of {release}"))?;
    let kernel = Kernel {
        release,
        exports,
        builtin: &builtin,
    };
    Ok(deptag::kernel(&kernel, rules))
}
