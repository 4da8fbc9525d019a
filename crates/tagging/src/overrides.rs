//! Reads policies and finds what they say of the module at a path.

use std::path::{Path, PathBuf};

use kmodule::module_name;
use policy::{Error, ModulePath, Override, Policy};

/// What policies say of modules. Without a policy that is nothing.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    policy: Option<Policy>,
    build_root: Option<PathBuf>,
}

impl Overrides {
    /// Reads the policies of the directory `system`, then `files`.
    ///
    /// # Errors
    /// A policy is wrong or cannot be read.
    pub(crate) fn read(
        system: &Path,
        files: &[PathBuf],
        build_root: Option<&Path>,
    ) -> Result<Self, Error> {
        let layers = policy::layers(Some(system), files)?;
        let policy = match layers.as_slice() {
            // The default policy is the first layer and overrides no module.
            [] | [_] => None,
            [_, layers @ ..] => Some(Policy::from_layers(layers)?),
        };
        Ok(Self {
            policy,
            build_root: build_root.map(Path::to_owned),
        })
    }

    /// What applies to the module at `path`. For a link its own path counts.
    pub(crate) fn of(&self, path: &Path) -> Override<'_> {
        let Some(policy) = &self.policy else {
            return Override::default();
        };
        if module_name(path).is_none() {
            return Override::default();
        }
        let path = below_release(path, self.build_root.as_deref());
        policy.overrides(ModulePath::new(&path.to_string_lossy()))
    }
}

/// The path below `lib/modules/<kernelrelease>/`, or the whole path elsewhere. The buildroot is
/// removed first, because it may lie below such a directory itself.
pub(crate) fn below_release<'p>(path: &'p Path, build_root: Option<&Path>) -> &'p Path {
    let path = build_root
        .and_then(|root| path.strip_prefix(root).ok())
        .unwrap_or(path);
    let mut rest = path.iter();
    loop {
        if let Ok(below) = rest.as_path().strip_prefix("lib/modules") {
            let mut below = below.iter();
            below.next();
            return below.as_path();
        }
        if rest.next().is_none() {
            return path;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below<'p>(path: &'p str, build_root: Option<&str>) -> &'p str {
        let path = below_release(Path::new(path), build_root.map(Path::new));
        path.to_str().unwrap()
    }

    #[test]
    fn paths_are_those_below_a_kernelrelease() {
        for path in [
            "/lib/modules/6.1/updates/a.ko",
            "/usr/lib/modules/6.1/updates/a.ko",
            "lib/modules/6.1/updates/a.ko",
            "/b/lib//modules/6.1/updates/a.ko",
        ] {
            assert_eq!(below(path, None), "updates/a.ko", "{path}");
        }
        assert_eq!(below("/lib/modules/6.1/a.ko", None), "a.ko");
        for path in ["/opt/lib/a.ko", "/xlib/modules/6.1/a.ko", "a.ko"] {
            assert_eq!(below(path, None), path);
        }
    }

    #[test]
    fn a_buildroot_below_lib_modules_is_no_tree() {
        let build_root = Some("/var/lib/modules/build");
        let path = "/var/lib/modules/build/usr/lib/modules/6.1/extra/a.ko.xz";
        assert_eq!(below(path, build_root), "extra/a.ko.xz");
        assert_eq!(below("/lib/modules/6.1/a.ko", build_root), "a.ko");
    }
}
