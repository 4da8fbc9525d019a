//! A path in, who speaks for the file behind it out.

use std::path::{Path, PathBuf};

use kmodule::{FileKind, file_kind};

/// Whether a path is a symbolic link, and who speaks for its target.
pub(crate) enum Link {
    /// No link.
    None,
    /// A link to a file of this package that rpm asks no generator about, for
    /// it lies outside lib/modules.
    ToHidden(PathBuf),
    /// A link to a file that gets tags of its own, or that another package has.
    Elsewhere,
}

impl Link {
    /// Tells what lies at `path`, below a buildroot if there is one.
    pub(crate) fn of(path: &Path, build_root: Option<&Path>) -> Self {
        let Ok(target) = path.read_link() else {
            return Self::None;
        };
        let target = match (target.strip_prefix("/"), build_root) {
            (Ok(below_root), Some(build_root)) => build_root.join(below_root),
            _ => path.parent().unwrap_or(path).join(target),
        };
        let is_ours = |target: &Path| {
            let root = build_root.map(Path::canonicalize);
            root.is_none_or(|root| root.is_ok_and(|root| target.starts_with(root)))
        };
        match target.canonicalize() {
            Ok(target) if is_ours(&target) && !lies_in_modules(&target) => Self::ToHidden(target),
            _ => Self::Elsewhere,
        }
    }
}

fn lies_in_modules(path: &Path) -> bool {
    let names: Vec<_> = path.iter().collect();
    matches!(file_kind(path), FileKind::Module { .. })
        && names.windows(2).any(|pair| pair == ["lib", "modules"])
}
