//! A path in, an opened module out, or nothing where the file is none.

use std::path::Path;

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
    if is_link(path) || !matches!(file_kind(path), FileKind::Module { .. }) {
        log::debug!("{}: no module, no tags", path.display());
        return Ok(TagSet::default());
    }
    let arena = Arena::new();
    let image = Image::open(path)?;
    let tags = tags(&Module::parse(&image, &arena)?)?;
    log::debug!("{}: {} tags", path.display(), tags.len());
    Ok(tags)
}

/// A link gets no tags: its target carries them, in whichever package it is.
pub(crate) fn is_link(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|meta| meta.file_type().is_symlink())
}
