//! Tells by what the file system says of a file whether the file has changed.

use std::fs::Metadata;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, StatxFlags, StatxTimestamp, makedev, statx};

/// A time of the file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds beside these.
    pub nanoseconds: i64,
}

/// What the file system says of a file, and what changes when the file does.
///
/// Size, time of modification and inode are not enough: file systems use an inode again at once,
/// and builds clamp times. The time of change is the file system's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileStamp {
    /// The device the file lies on. Some file systems have another number after each boot.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When its bytes were written last (mtime), or what somebody set for that.
    pub modified: Time,
    /// When its bytes or its inode were changed last (ctime).
    pub changed: Time,
}

impl FileStamp {
    /// The stamp of the file a path leads to. It must be taken before the file is read.
    ///
    /// # Errors
    /// There is no such file.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&path.metadata()?))
    }

    /// The stamp of the file a path below a directory leads to.
    ///
    /// # Errors
    /// There is no such file, or the kernel is older than statx(2).
    pub fn at(directory: BorrowedFd<'_>, path: &[u8]) -> io::Result<Self> {
        let of = statx(directory, path, AtFlags::empty(), StatxFlags::BASIC_STATS)?;
        let time = |time: StatxTimestamp| Time {
            seconds: time.tv_sec,
            nanoseconds: time.tv_nsec.into(),
        };
        Ok(Self {
            device: makedev(of.stx_dev_major, of.stx_dev_minor),
            inode: of.stx_ino,
            size: of.stx_size,
            modified: time(of.stx_mtime),
            changed: time(of.stx_ctime),
        })
    }

    /// Whether a file with this stamp may be a copy of a file with the other: it has the same length
    /// and time of modification, as files of a copied tree have.
    pub fn may_be_copy_of(&self, other: &Self) -> bool {
        (self.size, self.modified) == (other.size, other.modified)
    }

    /// Whether whatever is written to the file after `time` gives it another stamp.
    ///
    /// The kernel's clock for files advances with its timer, and some file systems round to
    /// seconds: so the stamp must be older than that.
    pub fn is_settled(&self, time: SystemTime) -> bool {
        let grain = match self.changed.nanoseconds {
            0 => Duration::from_secs(2),
            _ => Duration::from_millis(20),
        };
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let limit = since(time).saturating_sub(grain);
        let limit = Time {
            seconds: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: limit.subsec_nanos().into(),
        };
        self.changed < limit && self.modified < limit
    }
}

impl From<&Metadata> for FileStamp {
    fn from(meta: &Metadata) -> Self {
        let time = |seconds, nanoseconds| Time {
            seconds,
            nanoseconds,
        };
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: time(meta.mtime(), meta.mtime_nsec()),
            changed: time(meta.ctime(), meta.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_a_stamp_lead_to_the_same() {
        use std::os::fd::AsFd;
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), "text").unwrap();
        let stamp = FileStamp::of(&directory.path().join("a")).unwrap();
        let opened = std::fs::File::open(directory.path()).unwrap();
        assert_eq!(FileStamp::at(opened.as_fd(), b"a").unwrap(), stamp);
        assert_eq!(stamp.size, 4);
    }

    #[test]
    fn stamps_settle_when_the_clock_has_moved_on() {
        let at = |milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds);
        let stamp = |seconds, nanoseconds| {
            let time = Time {
                seconds,
                nanoseconds,
            };
            FileStamp {
                modified: time,
                changed: time,
                ..FileStamp::default()
            }
        };
        let fine = stamp(100, 1);
        assert!(!fine.is_settled(at(100_019)) && fine.is_settled(at(100_021)));
        let coarse = stamp(100, 0);
        assert!(!coarse.is_settled(at(102_000)) && coarse.is_settled(at(102_001)));
    }
}
