//! Decides whether a symbolic link or its target gets the tags of a file.

use std::path::{Path, PathBuf};

use kmodule::module_name;

/// What lies at a path, and which path the tags of a link's target belong to.
pub(crate) enum LinkTarget {
    /// No link.
    None,
    /// A link to a file of this package outside lib/modules. rpm asks no generator about the
    /// target, so the link gets its tags.
    ToUntagged(PathBuf),
    /// A link to a directory or to what else is no file.
    ToNoFile,
    /// A link to a file that gets tags itself, or that is not in this package.
    ToTagged,
}

impl LinkTarget {
    /// Looks at `path`, which is below the buildroot if there is one.
    pub(crate) fn of(path: &Path, build_root: Option<&Path>) -> Self {
        let Ok(target) = path.read_link() else {
            return Self::None;
        };
        let target = match (target.strip_prefix("/"), build_root) {
            (Ok(below_root), Some(build_root)) => build_root.join(below_root),
            _ => path.parent().unwrap_or(path).join(target),
        };
        let is_in_package = |target: &Path| {
            let root = build_root.map(Path::canonicalize);
            root.is_none_or(|root| root.is_ok_and(|root| target.starts_with(root)))
        };
        match target.canonicalize() {
            Ok(target) if !target.is_file() => Self::ToNoFile,
            Ok(target) if is_in_package(&target) && !is_tagged(&target) => Self::ToUntagged(target),
            _ => Self::ToTagged,
        }
    }
}

fn is_tagged(path: &Path) -> bool {
    let names: Vec<_> = path.iter().collect();
    module_name(path).is_some() && names.windows(2).any(|pair| pair == ["lib", "modules"])
}
