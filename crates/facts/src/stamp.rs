//! What the file system says of a file in, whether its content is what it was out.

use std::fs::Metadata;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, StatxFlags, StatxTimestamp, makedev, statx};

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

    /// The stamp of the file a path below a directory leads to.
    ///
    /// # Errors
    /// There is none, or the kernel is older than statx(2).
    pub fn at(directory: BorrowedFd<'_>, path: &[u8]) -> io::Result<Self> {
        let of = statx(directory, path, AtFlags::empty(), StatxFlags::BASIC_STATS)?;
        let time = |time: StatxTimestamp| (time.tv_sec, i64::from(time.tv_nsec));
        Ok(Self {
            device: makedev(of.stx_dev_major, of.stx_dev_minor),
            inode: of.stx_ino,
            size: of.stx_size,
            modified: time(of.stx_mtime),
            changed: time(of.stx_ctime),
        })
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
