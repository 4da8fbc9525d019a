//! A path in, an opened module out, or nothing where the file is none.

use std::path::{Path, PathBuf};

use anyhow::Result;
use deptag::TagSet;
use kmodule::{Arena, FileKind, Image, Module, file_kind};

/// Calls `tags` with the module at `path`; no tags for anything else.
///
/// # Errors
/// The file is named like a module but is no sound one, or `tags` fails.
pub(crate) fn module_tags(
    path: &Path,
    tags: impl FnOnce(&Module<'_>) -> Result<TagSet>,
) -> Result<TagSet> {
    if !matches!(file_kind(path), FileKind::Module { .. }) {
        log::debug!("{}: no module, no tags", path.display());
        return Ok(TagSet::default());
    }
    let target = match Link::of(path) {
        Link::None => path.to_owned(),
        Link::ToHidden(target) => target,
        Link::Elsewhere => {
            log::debug!("{}: its target carries the tags", path.display());
            return Ok(TagSet::default());
        }
    };
    let arena = Arena::new();
    let image = Image::open(&target)?;
    let tags = tags(&Module::parse(&image, &arena)?)?;
    log::debug!("{}: {} tags", path.display(), tags.len());
    Ok(tags)
}

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
    pub(crate) fn of(path: &Path) -> Self {
        let Ok(target) = path.read_link() else {
            return Self::None;
        };
        let build_root = std::env::var_os("RPM_BUILD_ROOT").map(PathBuf::from);
        let target = match (target.strip_prefix("/"), &build_root) {
            (Ok(below_root), Some(build_root)) => build_root.join(below_root),
            _ => path.parent().unwrap_or(path).join(target),
        };
        let is_ours = |target: &Path| {
            let root = build_root.as_ref().map(|root| root.canonicalize());
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
