//! A path in, what the file system says of the file there out: another one after each change.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The device is left out, for some file systems have another number after each boot.
pub(super) fn stamp(path: &Path) -> String {
    let Ok(meta) = path.metadata() else {
        return "-".to_owned();
    };
    let (size, inode) = (meta.size(), meta.ino());
    let (modified, changed) = (meta.mtime(), meta.ctime());
    let (modified_nsec, changed_nsec) = (meta.mtime_nsec(), meta.ctime_nsec());
    format!("{size} {inode} {modified}.{modified_nsec:09} {changed}.{changed_nsec:09}")
}
