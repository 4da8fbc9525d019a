//! Makes the tags of a kernel image or symvers file.

use std::path::{Path, PathBuf};

use deptag::{KernelFacts, TagBuffer, TagRules};
use kmodule::{FileKind, KernelImage, Kernelrelease, Problem, Symvers, file_kind};
use loader::{KernelExportFiles, KernelExports};
use modtree::PackagedKernel;

use crate::Error;
use crate::generator::OtherFile;

/// Adds the Provides of the kernel at a path.
///
/// The exports of an image come from the symvers file that an option names, else from that of its
/// tree, else from the image itself.
///
/// # Errors
/// The file is damaged or cannot be read, or neither path nor content names a release.
pub(crate) fn kernel_tags(file: &OtherFile<'_>, out: &mut TagBuffer) -> Result<(), Error> {
    let OtherFile {
        path,
        rules,
        symvers,
    } = *file;
    let packaged = PackagedKernel::around(path);
    if let FileKind::Symvers(_) = file_kind(path) {
        let release = packaged
            .release
            .as_ref()
            .ok_or_else(|| kmodule::Error::new(path, Problem::NoRelease))?;
        let exports = KernelExports::of_symvers(&Symvers::open(path)?);
        return add_tags(Some(&exports), &packaged, release, rules, out);
    }
    let mut image = None;
    let release = match &packaged.release {
        Some(release) => release.clone(),
        None => image.insert(KernelImage::open(path)?).kernelrelease()?,
    };
    let beside = packaged.symvers(&release);
    let symvers = symvers.given().or(beside.as_deref());
    let exports = match (symvers, image) {
        // A compressed image is unpacked when it is opened, so it is opened once.
        (None, Some(image)) => Some(KernelExports::of_image(&image)?),
        // System.map has names alone, and tags have CRCs.
        (symvers, _) => KernelExports::read(&KernelExportFiles {
            symvers,
            image: Some(path),
            system_map: None,
        })?,
    };
    add_tags(exports.as_ref(), &packaged, &release, rules, out)
}

fn image_release(path: &Path, packaged: &PackagedKernel) -> Result<Kernelrelease, Error> {
    Ok(match &packaged.release {
        Some(release) => release.clone(),
        None => KernelImage::open(path)?.kernelrelease()?,
    })
}

/// The files beside a kernel image or symvers file that its tags depend on, whether they exist or
/// not.
///
/// # Errors
/// Neither path nor image names a release.
pub(crate) fn files_beside(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let packaged = PackagedKernel::around(path);
    let release = match (file_kind(path), &packaged.release) {
        (FileKind::KernelImage { .. }, _) => image_release(path, &packaged)?,
        (FileKind::Symvers(_), Some(release)) => release.clone(),
        _ => return Ok(Vec::new()),
    };
    Ok(packaged.consulted(&release))
}

fn add_tags(
    exports: Option<&KernelExports>,
    packaged: &PackagedKernel,
    release: &Kernelrelease,
    rules: &TagRules,
    out: &mut TagBuffer,
) -> Result<(), Error> {
    let exports = exports.filter(|exports| exports.has_modversions());
    let exports = exports.into_iter().flat_map(KernelExports::iter);
    let exports: Vec<_> = exports.map(|(name, export)| (name, export.crc)).collect();
    if exports.is_empty() {
        log::info!("{release}: no modversions, so no symbol tags");
    }
    let unreadable = |source| Error::Builtin {
        release: release.clone(),
        source,
    };
    let builtin = packaged.builtin(release).map_err(unreadable)?;
    let builtin_aliases = packaged.builtin_aliases(release).map_err(unreadable)?;
    let kernel = KernelFacts {
        release,
        exports: &exports,
        builtin: &builtin,
        builtin_aliases: &builtin_aliases,
    };
    deptag::kernel(&kernel, rules, out);
    Ok(())
}
