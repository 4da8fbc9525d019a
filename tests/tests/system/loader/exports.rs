//! symvers, image and System.map of one kernel say the same of its exports.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::{Kernel, cache_dir, differ};
use loader::{KernelExport, KernelExportFiles, KernelExportSource, KernelExports};

use super::compiled::Kernels;

#[test]
fn bookworm() -> Result<()> {
    image_is_like_symvers(&Kernel::from_archive("bookworm", "amd64", &cache_dir())?)
}

#[test]
#[ignore = "test-all"]
fn trixie() -> Result<()> {
    image_is_like_symvers(&Kernel::from_archive("trixie", "amd64", &cache_dir())?)
}

/// Its flags are in `__kflagstab`.
#[test]
#[ignore = "test-all"]
fn sid() -> Result<()> {
    image_is_like_symvers(&Kernel::from_archive("sid", "amd64", &cache_dir())?)
}

/// Debian installs a System.map without symbols, so it takes a compiled kernel.
#[test]
#[ignore = "test-all"]
fn system_map_has_the_names() -> Result<()> {
    let kernel = Kernels::get()?.first;
    image_is_like_symvers(&kernel)?;
    let system_map = Some(&*kernel.system_map);
    let (by_map, source) = exports(&KernelExportFiles {
        system_map,
        ..KernelExportFiles::default()
    })?;
    ensure!(source == KernelExportSource::SystemMap);
    let symvers = kernel.symvers.as_deref();
    let (by_symvers, _) = exports(&KernelExportFiles {
        symvers,
        system_map,
        ..KernelExportFiles::default()
    })?;
    let names = |exports: &BTreeMap<String, KernelExport>| exports.keys().cloned().collect();
    differ::sets("names in System.map", &names(&by_map), &names(&by_symvers))
}

fn image_is_like_symvers(kernel: &Kernel) -> Result<()> {
    let symvers = kernel.symvers.as_deref().context("no symvers")?;
    let (by_symvers, first) = exports(&KernelExportFiles {
        symvers: Some(symvers),
        image: Some(&kernel.vmlinuz),
        system_map: Some(&kernel.system_map),
    })?;
    let (by_image, second) = exports(&KernelExportFiles {
        symvers: None,
        image: Some(&kernel.vmlinuz),
        system_map: Some(&kernel.system_map),
    })?;
    ensure!((first, second) == (KernelExportSource::Symvers, KernelExportSource::Image));
    println!("{}: {} exports", kernel.release, by_image.len());
    for (name, export) in &by_symvers {
        let other = by_image.get(name);
        ensure!(other == Some(export), "{name}: {export:?}, {other:?}");
    }
    ensure!(by_image.len() == by_symvers.len(), "more in the image");
    Ok(())
}

fn exports(
    files: &KernelExportFiles<'_>,
) -> Result<(BTreeMap<String, KernelExport>, KernelExportSource)> {
    let exports = KernelExports::read(files)?.context("no exports")?;
    let named = exports.iter().map(|(name, export)| {
        let name = String::from_utf8_lossy(name).into_owned();
        (name, export.clone())
    });
    Ok((named.collect(), exports.source()))
}
