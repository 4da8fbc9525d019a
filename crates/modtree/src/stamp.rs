//! What the file system says of a file in, whether its content is what it was out.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time of the file system.
pub(crate) type Time = (i64, i64);

/// What changes when a file's content does.
///
/// Size, time of modification and inode are not enough: file systems reuse inodes at once, and
/// builds clamp times. The time of change is the file system's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) modified: Time,
    pub(crate) changed: Time,
}

impl Stamp {
    /// The stamp of a file, taken before it is read.
    pub fn new(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Whether a file with this stamp may be a copy of one with the other, as copied trees are made:
    /// as long, and said to be as old.
    pub fn may_be_copy_of(&self, other: &Self) -> bool {
        (self.size, self.modified) == (other.size, other.modified)
    }

    /// Whether the file had this stamp well before `time`: what is written later has another.
    ///
    /// The kernel's clock for files advances with its timer, and some file systems round to
    /// seconds.
    pub fn is_settled(&self, time: SystemTime) -> bool {
        let (_, fraction) = self.changed;
        let grain = match fraction {
            0 => Duration::from_secs(2),
            _ => Duration::from_millis(20),
        };
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let limit = since(time).saturating_sub(grain);
        let limit = (
            i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            i64::from(limit.subsec_nanos()),
        );
        self.changed < limit && self.modified < limit
    }
}
