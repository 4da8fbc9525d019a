//! Writes the tags that name one kernelrelease.

use kmodule::Kernelrelease;

/// `kernel-release(<rel>)`, which every kernel provides.
pub(crate) fn kernel_release(release: &Kernelrelease) -> String {
    format!("kernel-release({release})")
}

/// `kernel-uname-r = <rel>`, which stock kernels provide too. `None` if rpm refuses the release as a
/// version: it reads `a-b` as version and release, and two dashes are an error.
pub(crate) fn kernel_uname_r(release: &Kernelrelease) -> Option<String> {
    let parts: Vec<_> = release.as_str().split('-').collect();
    let is_version = parts.len() <= 2 && parts.iter().all(|part| !part.is_empty());
    is_version.then(|| format!("kernel-uname-r = {release}"))
}

/// The requirement that only a kernel of exactly this release meets.
pub(crate) fn exact_release(release: &Kernelrelease) -> String {
    kernel_uname_r(release).unwrap_or_else(|| kernel_release(release))
}
