//! Reads what is known of a kernel below a root directory: its exports, its configuration, and the
//! BTF of its image where that decides which modules load.

use std::path::Path;

use kmodule::{Config, KernelImage, Kernelrelease};
use loader::{BtfBase, Kernel, KernelExportFiles, KernelExports};

use crate::kernel_files::{config, image, symvers, system_map};
use crate::{Error, ReleaseDir};

/// The kernel of `release`. What is not there, or cannot be read from an image, is not known.
///
/// # Errors
/// Its symvers or configuration is damaged.
pub fn read_kernel(
    root: &Path,
    modules: &ReleaseDir,
    release: &Kernelrelease,
) -> Result<Kernel, Error> {
    let symvers = symvers(root, modules, release);
    let image = image(root, modules, release);
    let system_map = system_map(root, modules, release);
    let exports = KernelExports::read(&KernelExportFiles {
        symvers: symvers.as_deref(),
        image: image.as_deref(),
        system_map: system_map.as_deref(),
    });
    let mut kernel = Kernel::new(release.clone());
    kernel.exports = match exports {
        Err(error) if symvers.is_some() => return Err(error.into()),
        exports => told(exports).flatten(),
    };
    let config = config(root, modules, release);
    kernel.config = config.as_deref().map(Config::open).transpose()?;
    if kernel.forbids_btf_mismatch() {
        let image = image.and_then(|path| told(KernelImage::open(&path)));
        kernel.btf = image.and_then(|image| told(image.btf()).flatten().and_then(BtfBase::parse));
    }
    Ok(kernel)
}

fn told<T>(result: Result<T, kmodule::Error>) -> Option<T> {
    let told = |error| log::info!("the kernel image is not looked at: {error}");
    result.map_err(told).ok()
}
