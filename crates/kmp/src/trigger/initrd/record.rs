//! Tells whether an initrd is due: whether its marked modules are those the last one was made of.
//!
//! What has changed is not taken from rpm here either. A record beside the facts that depmod keeps has the files that
//! the last initrd was made of, with their stamps. So the next run makes up for a transaction that was
//! killed, for a tool that failed, and for a kernel that came after its modules.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Display, Path, PathBuf};

use anyhow::{Context, Error, Result};
use facts::{FactsHome, FileStamp, INITRD_RECORD_NAME, Time};
use kmod_index::IndexFile;

use super::initrd_files::InitrdFiles;
use super::kernel::BootableKernel;
use super::marked::{marked, wanted_files};
use crate::trigger::fixed_names::{read, replace};
use crate::trigger::outcome::Outcome;

/// A kernel whose marked modules are not those its initrd was made of.
#[derive(Debug)]
pub(super) struct DueInitrd {
    pub(super) kernel: BootableKernel,
    /// What is recorded when there is an initrd of them.
    record: String,
    /// Where it is recorded.
    path: PathBuf,
}

impl DueInitrd {
    /// `None` if nothing has changed, or if somebody has made an initrd since: scriptlets of packages do,
    /// in the same transaction. The indexes have been what they are since a time.
    ///
    /// # Errors
    /// modules.dep cannot be read.
    pub(super) fn of(root: &Path, kernel: BootableKernel, since: Time) -> Result<Option<Self>> {
        let marked = marked(root, &kernel.directory);
        let mut record = Record::default();
        if !marked.is_empty() {
            let path = kernel.directory.join(IndexFile::Dep.name());
            let dep = read(&path).with_context(|| path.display().to_string())?;
            let dep = dep.unwrap_or_default();
            record.add(&kernel.directory, &wanted_files(&dep, &marked));
        }
        let place = FactsHome::of_system(root).place_of(&kernel.directory);
        let place = place.with_context(|| format!("{}: no path", kernel.directory.display()))?;
        let path = place.join(INITRD_RECORD_NAME);
        // What cannot be read is no record, and is replaced.
        let last = read(&path).unwrap_or_default().unwrap_or_default();
        if record.text.as_bytes() == last {
            return Ok(None);
        }
        let since = since.max(record.newest);
        let is_made = InitrdFiles::of(root, &kernel).are_newer(since);
        let due = Self {
            kernel,
            record: record.text,
            path,
        };
        if is_made {
            log::info!("{}: somebody has made an initrd", due.name());
            due.done()?;
            return Ok(None);
        }
        Ok(Some(due))
    }

    /// The directory of its modules, for messages.
    pub(super) fn name(&self) -> Display<'_> {
        self.kernel.directory.display()
    }

    /// Records that an initrd is made.
    pub(super) fn recorded(&self) -> Outcome {
        match self.done() {
            Ok(()) => Outcome::Right,
            Err(error) => self.failed(&error),
        }
    }

    /// Logs why no initrd is made.
    pub(super) fn failed(&self, error: &Error) -> Outcome {
        log::error!("{}: no new initrd: {error:#}", self.name());
        Outcome::Failed
    }

    /// Records that there is an initrd of these modules now.
    ///
    /// # Errors
    /// The record cannot be written.
    fn done(&self) -> Result<()> {
        let write = |place: &Path| {
            fs::create_dir_all(place)?;
            replace(&self.path, self.record.as_bytes())
        };
        let done = match (self.record.is_empty(), self.path.parent()) {
            (false, Some(place)) => write(place),
            _ => fs::remove_file(&self.path),
        };
        done.with_context(|| self.path.display().to_string())
    }
}

/// The files that an initrd is to be made of.
#[derive(Default)]
struct Record {
    /// Their stamps, a line for each.
    text: String,
    /// When the last of them changed.
    newest: Time,
}

impl Record {
    fn add(&mut self, directory: &Path, paths: &BTreeSet<&[u8]>) {
        for path in paths {
            let path = Path::new(OsStr::from_bytes(path));
            let stamp = FileStamp::of(&directory.join(path)).ok();
            self.newest = self.newest.max(stamp.unwrap_or_default().changed);
            let stamp = stamp.map_or_else(|| "-".to_owned(), |stamp| recorded(&stamp));
            // Writing to a String does not fail.
            let _ = writeln!(self.text, "{} {stamp}", path.display());
        }
    }
}

/// A stamp as it is recorded. The device is left out, for some file systems have another number after
/// each boot.
fn recorded(stamp: &FileStamp) -> String {
    let FileStamp {
        size,
        inode,
        modified,
        changed,
        ..
    } = stamp;
    format!(
        "{size} {inode} {}.{:09} {}.{:09}",
        modified.seconds, modified.nanoseconds, changed.seconds, changed.nanoseconds
    )
}
