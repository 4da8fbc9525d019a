//! Tells whether a file is one that we would publish: indexes are for all to read, whatever umask or
//! user an earlier run had.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// The mode of indexes.
pub(crate) const MODE: u32 = 0o644;

/// Whether a path is a regular file of the user we are, with the mode of indexes.
pub(crate) fn is_as_published(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| is_right(&meta))
}

fn is_right(meta: &Metadata) -> bool {
    meta.is_file()
        && meta.permissions().mode() & 0o7777 == MODE
        && meta.uid() == rustix::process::geteuid().as_raw()
}
