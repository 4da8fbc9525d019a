//! Stamps files with what rpm's Lua can see of their metadata, so that Lua can tell whether cached
//! tags still are those of a file.

use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use facts::FileStamp;

/// The part of a file's stamp that Lua sees: size, mtime and ctime in whole seconds, and inode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LuaStamp(FileStamp);

impl LuaStamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self(FileStamp::from(metadata))
    }

    /// The stamp of the file at `path`. For a link it is that of the link. `None` if there is no file.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let metadata = path.symlink_metadata().ok()?;
        Some(Self::of(&metadata))
    }

    /// The second in which the file was last changed.
    pub(crate) fn second(self) -> i64 {
        self.0.changed.seconds
    }
}

impl fmt::Display for LuaStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FileStamp {
            size,
            modified,
            changed,
            inode,
            ..
        } = self.0;
        let (mtime, ctime) = (modified.seconds, changed.seconds);
        // Lua has the inode as a floating-point number.
        write!(f, "{size} {mtime} {ctime} {:.0}", inode as f64)
    }
}

/// A stamp as the index has it: `-` if there is no file, or if its stamp means nothing.
pub(crate) fn stamp_text(stamp: Option<LuaStamp>) -> String {
    stamp.map_or_else(|| "-".to_owned(), |stamp| stamp.to_string())
}

/// A file that tags depend on, with its stamp when they were made.
pub(crate) struct StampedFile {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Option<LuaStamp>,
}

/// Stamps files. A link is stamped itself, and so is what it leads to.
pub(crate) fn stamped(files: Vec<PathBuf>) -> Vec<StampedFile> {
    let with_target = |path: PathBuf| {
        let target = path.canonicalize().ok().filter(|target| *target != path);
        [Some(path), target].into_iter().flatten()
    };
    let all = files.into_iter().flat_map(with_target);
    all.map(|path| {
        let stamp = LuaStamp::read(&path);
        StampedFile { path, stamp }
    })
    .collect()
}

/// Waits until `second` is over, so that a later change of a file gives it another stamp.
///
/// The clock of a file system lags behind by a tick (linux/fs/inode.c, `current_time`), so the wait
/// takes a little longer.
pub(crate) fn wait_until_after(second: i64) {
    const TICK: Duration = Duration::from_millis(20);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let (Ok(now), Ok(second)) = (now, u64::try_from(second)) else {
        return;
    };
    let wait = (Duration::from_secs(second + 1) + TICK).saturating_sub(now);
    // For a time in the future no wait helps.
    sleep(wait.min(Duration::from_secs(1) + TICK));
}
