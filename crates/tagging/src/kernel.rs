//! The path of a kernel image or symvers file in, the kernel's tags out.

use std::path::Path;

use deptag::{Kernel, TagBuffer, TagRules};
use kmodule::{Crc, KernelImage, Kernelrelease, Problem, Symvers};
use modtree::PackagedKernel;

use crate::Error;

/// The kernel a symvers file belongs to.
///
/// # Errors
/// Neither path nor content names a release, or a file cannot be read.
pub(crate) fn symvers_tags(
    path: &Path,
    rules: &TagRules,
    out: &mut TagBuffer,
) -> Result<(), Error> {
    let packaged = PackagedKernel::around(path);
    let release = packaged
        .release
        .as_ref()
        .ok_or_else(|| kmodule::Error::new(path, Problem::NoRelease))?;
    from_symvers(&Symvers::open(path)?, &packaged, release, rules, out)
}

/// The kernel in an image; its exports come from `symvers`, else from the
/// symvers of its tree, else from the image itself.
///
/// # Errors
/// The image is none, or a file cannot be read.
pub(crate) fn image_tags(
    path: &Path,
    symvers: Option<&Path>,
    rules: &TagRules,
    out: &mut TagBuffer,
) -> Result<(), Error> {
    let packaged = PackagedKernel::around(path);
    let release = match &packaged.release {
        Some(release) => release.clone(),
        None => KernelImage::open(path)?.kernelrelease()?,
    };
    let beside = packaged.symvers(&release);
    if let Some(symvers) = symvers.or(beside.as_deref()) {
        log::debug!("{}: exports from {}", path.display(), symvers.display());
        return from_symvers(&Symvers::open(symvers)?, &packaged, &release, rules, out);
    }
    let image = KernelImage::open(path)?;
    image.exports(|exports| {
        let exports: Vec<_> = exports
            .iter()
            .map(|export| (export.name, export.crc))
            .collect();
        tags(&exports, &packaged, &release, rules, out)
    })?
}

fn from_symvers(
    symvers: &Symvers,
    packaged: &PackagedKernel,
    release: &Kernelrelease,
    rules: &TagRules,
    out: &mut TagBuffer,
) -> Result<(), Error> {
    let exports: Vec<_> = match symvers.has_modversions() {
        true => symvers
            .kernel_entries()
            .map(|entry| (entry.name, entry.crc))
            .collect(),
        false => Vec::new(),
    };
    tags(&exports, packaged, release, rules, out)
}

fn tags(
    exports: &[(&[u8], Crc)],
    packaged: &PackagedKernel,
    release: &Kernelrelease,
    rules: &TagRules,
    out: &mut TagBuffer,
) -> Result<(), Error> {
    if exports.is_empty() {
        log::info!("{release}: no modversions, so no symbol tags");
    }
    let builtin = packaged.builtin(release).map_err(|source| Error::Builtin {
        release: release.clone(),
        source,
    })?;
    let kernel = Kernel {
        release,
        exports,
        builtin: &builtin,
    };
    deptag::kernel(&kernel, rules, out);
    Ok(())
}
