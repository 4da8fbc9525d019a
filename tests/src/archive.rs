//! Turns a suite and an architecture into the kernel trees the Debian archive has now.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::apt::Apt;
use crate::kernel::Kernel;
use crate::once::once;

/// Debian architecture and the suffix of its kernel metapackage.
const FLAVORS: &[(&str, &str)] = &[
    ("amd64", "amd64"),
    ("arm64", "arm64"),
    ("armhf", "armmp"),
    ("i386", "686-pae"),
    ("ppc64el", "powerpc64le"),
    ("s390x", "s390x"),
];

impl Kernel {
    /// The suite's current kernel, image and headers, in `<cache>/<suite>-<arch>/root`.
    ///
    /// What is there already is taken as it is.
    pub fn from_archive(suite: &str, arch: &str, cache: &Path) -> Result<Kernel> {
        let flavor = flavor(arch)?;
        let dir = cache.join(format!("{suite}-{arch}"));
        let root = dir.join("root");
        once(&root, |partial| {
            let apt_dir = dir.join("apt-root");
            let apt = Apt::new(&apt_dir, suite, arch)?;
            let image = format!("linux-image-{flavor}");
            let headers = format!("linux-headers-{flavor}");
            apt.unpack(&apt.release_closure(&[image, headers])?, partial)?;
            remove(&apt_dir)
        })?;
        Kernel::from_tree(&root)?.with_arch(arch)
    }

    /// Every build of this flavor the suite carries, oldest first; the current one is the last.
    ///
    /// Each lies in `<cache>/<suite>-<arch>/builds/<release>`.
    pub fn all_in_archive(suite: &str, arch: &str, cache: &Path) -> Result<Vec<Kernel>> {
        let flavor = flavor(arch)?;
        let dir = cache.join(format!("{suite}-{arch}"));
        let builds = dir.join("builds");
        once(&builds, |partial| {
            let apt_dir = dir.join("apt-builds");
            let apt = Apt::new(&apt_dir, suite, arch)?;
            let images = images(&apt.names("linux-image-")?, flavor);
            if images.is_empty() {
                bail!("{suite}/{arch} has no linux-image-<release>-{flavor}");
            }
            for release in &images {
                let root = partial.join(release);
                fs::create_dir_all(&root).with_context(|| format!("create {}", root.display()))?;
                let packages = [
                    format!("linux-image-{release}"),
                    format!("linux-headers-{release}"),
                ];
                apt.unpack(&apt.release_closure(&packages)?, &root)?;
            }
            remove(&apt_dir)
        })?;
        let mut names: Vec<String> = fs::read_dir(&builds)
            .with_context(|| format!("read {}", builds.display()))?
            .map(|e| Ok(e?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        names.sort_by_key(|name| numbers(name));
        names
            .iter()
            .map(|name| Kernel::from_tree(&builds.join(name))?.with_arch(arch))
            .collect()
    }
}

fn flavor(arch: &str) -> Result<&'static str> {
    FLAVORS
        .iter()
        .find(|(name, _)| *name == arch)
        .map(|(_, flavor)| *flavor)
        .with_context(|| format!("no kernel metapackage known for architecture {arch}"))
}

/// The releases behind `linux-image-<release>`, where release is `<numbers>-<flavor>` and no
/// variant such as cloud or rt.
fn images(names: &[String], flavor: &str) -> Vec<String> {
    let mut releases: Vec<String> = names
        .iter()
        .filter_map(|name| name.strip_prefix("linux-image-"))
        .filter(|release| {
            release
                .strip_suffix(flavor)
                .and_then(|r| r.strip_suffix('-'))
                .is_some_and(|version| {
                    version
                        .split('-')
                        .all(|part| part.starts_with(|c: char| c.is_ascii_digit()))
                })
        })
        .map(str::to_owned)
        .collect();
    releases.sort_by_key(|name| numbers(name));
    releases
}

/// The numbers in a release, which order builds as versions do.
fn numbers(release: &str) -> Vec<u64> {
    release
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .collect()
}

fn remove(dir: &Path) -> Result<()> {
    fs::remove_dir_all(dir).with_context(|| format!("remove {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_and_unsigned_images_are_no_builds() {
        let names: Vec<String> = [
            "9.1.0-8-amd64",
            "9.1.0-10-amd64",
            "9.1.0-10-cloud-amd64",
            "9.1.0-10-amd64-dbg",
            "amd64",
        ]
        .iter()
        .map(|n| format!("linux-image-{n}"))
        .collect();
        assert_eq!(images(&names, "amd64"), ["9.1.0-8-amd64", "9.1.0-10-amd64"]);
    }
}
