//! Finds the initrds of a kernel, and tells by their times what they were made of.
//!
//! Exit statuses do not tell whether an initrd was made: the script of suse-module-tools has that of
//! its last kernel, and also succeeds where it makes none.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use facts::{FileStamp, Time};

use super::boot_files::{self, StampedFiles};
use super::kernel::BootableKernel;

/// What initrds beside the modules are called, by dracut where nothing is in /boot and by rpm-ostree.
const BESIDE: [&str; 2] = ["initrd", "initramfs.img"];
/// What is in the names of initrds that are for something else.
const OTHERS: [&str; 3] = ["kdump", "rescue", "fallback"];

/// The initrds of a kernel at a moment, unified kernel images among them.
#[derive(Debug)]
pub(super) struct InitrdFiles(StampedFiles);

impl InitrdFiles {
    pub(super) fn of(root: &Path, kernel: &BootableKernel) -> Self {
        let mut files = boot_files::files(root, &kernel.release);
        for name in BESIDE {
            let path = kernel.directory.join(name);
            if let Ok(stamp) = FileStamp::of(&path) {
                files.insert(path, Some(stamp));
            }
        }
        files.retain(|path, _| is_initrd(path));
        Self(files)
    }

    /// Whether one is here that was not there before, or was another file.
    pub(super) fn has_new(&self, before: &Self) -> bool {
        let is_new =
            |(path, stamp): (&PathBuf, &Option<FileStamp>)| before.0.get(path) != Some(stamp);
        self.0.iter().any(is_new)
    }

    /// Whether there are initrds, and all of them were made after a time. Of some another tool may
    /// have charge, so one that is older shows that not all was done.
    pub(super) fn are_newer(&self, than: Time) -> bool {
        let now = now();
        // A time that has not come yet tells nothing.
        let is_newer =
            |stamp: &FileStamp| stamp.size > 0 && stamp.modified > than && stamp.modified <= now;
        let mut stamps = self.0.values().map(Option::as_ref);
        !self.0.is_empty() && stamps.all(|stamp| stamp.is_some_and(is_newer))
    }
}

fn is_initrd(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_initrd = name.contains("initr") || name.ends_with(".efi");
    is_initrd && !OTHERS.iter().any(|other| name.contains(other))
}

fn now() -> Time {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time {
        seconds: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        nanoseconds: now.subsec_nanos().into(),
    }
}
