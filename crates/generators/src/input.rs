//! A path in, the module it speaks for out, or nothing where it speaks for none.

use std::borrow::Cow;
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
    let Some(module) = ModuleFile::at(path) else {
        return Ok(TagSet::default());
    };
    let arena = Arena::new();
    let image = Image::open(&module.target)?;
    let tags = tags(&Module::parse(&image, &arena)?)?;
    log::debug!("{}: {} tags", path.display(), tags.len());
    Ok(tags)
}

/// A path that speaks for a module; whether the file is one was not looked at.
pub(crate) struct ModuleFile<'p> {
    /// Basename without `.ko`, as in the path.
    pub(crate) name: &'p [u8],
    /// The file to read.
    target: Cow<'p, Path>,
}

impl<'p> ModuleFile<'p> {
    pub(crate) fn at(path: &'p Path) -> Option<Self> {
        let FileKind::Module { name } = file_kind(path) else {
            log::debug!("{}: no module, no tags", path.display());
            return None;
        };
        let target = match Link::of(path) {
            Link::None => path.into(),
            Link::ToHidden(target) => target.into(),
            Link::Elsewhere => {
                log::debug!("{}: its target carries the tags", path.display());
                return None;
            }
        };
        Some(Self { name, target })
    }
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
        let build_root = build_root();
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

/// What goes before the paths a package will have, if rpm asks.
pub(crate) fn build_root() -> Option<PathBuf> {
    std::env::var_os("RPM_BUILD_ROOT").map(PathBuf::from)
}

fn lies_in_modules(path: &Path) -> bool {
    let names: Vec<_> = path.iter().collect();
    matches!(file_kind(path), FileKind::Module { .. })
        && names.windows(2).any(|pair| pair == ["lib", "modules"])
}
