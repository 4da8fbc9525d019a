//! A file's metadata in, what rpm's Lua can see of them out: by that it tells whether tags that were
//! kept are still those of the file.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Size, time of change and of status change in whole seconds, and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    mtime: i64,
    pub(crate) ctime: i64,
    inode: u64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            mtime: metadata.mtime(),
            ctime: metadata.ctime(),
            inode: metadata.ino(),
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            size,
            mtime,
            ctime,
            inode,
        } = self;
        // Lua has the inode as a floating-point number.
        write!(f, "{size} {mtime} {ctime} {:.0}", *inode as f64)
    }
}
