//! The path of a kernel image or symvers file in, the kernel's tags out.

use std::path::{Path, PathBuf};

use deptag::{Kernel, TagBuffer, TagRules};
use kmodule::{Crc, FileKind, KernelImage, Kernelrelease, Problem, Symvers, file_kind};
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
    let release = image_release(path, &packaged)?;
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

fn image_release(path: &Path, packaged: &PackagedKernel) -> Result<Kernelrelease, Error> {
    Ok(match &packaged.release {
        Some(release) => release.clone(),
        None => KernelImage::open(path)?.kernelrelease()?,
    })
}

/// The files beside a kernel image or symvers file that have a say in its tags, there or not.
///
/// # Errors
/// Neither path nor image names a release.
pub(crate) fn consulted(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let packaged = PackagedKernel::around(path);
    let release = match (file_kind(path), &packaged.release) {
        (FileKind::KernelImage { .. }, _) => image_release(path, &packaged)?,
        (FileKind::Symvers(_), Some(release)) => release.clone(),
        _ => return Ok(Vec::new()),
    };
    Ok(packaged.consulted(&release))
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
    exports: &[(&[u8], Option<Crc>)],
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
