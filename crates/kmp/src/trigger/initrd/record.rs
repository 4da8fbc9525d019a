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
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use facts::{FactsHome, FileStamp, INITRD_RECORD_NAME};
use kmod_index::IndexFile;

use super::kernel::BootableKernel;
use super::marked::{marked, read, wanted_files};

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
    /// `None` if nothing has changed.
    ///
    /// # Errors
    /// A list, modules.dep or the record cannot be read.
    pub(super) fn of(root: &Path, kernel: BootableKernel) -> Result<Option<Self>> {
        let marked = marked(root, &kernel.directory)?;
        let record = match marked.is_empty() {
            true => String::new(),
            false => {
                let dep = read(&kernel.directory.join(IndexFile::Dep.name()))?;
                record(&kernel.directory, &wanted_files(&dep, &marked))
            }
        };
        let place = FactsHome::of_system(root).place_of(&kernel.directory);
        let place = place.with_context(|| format!("{}: no path", kernel.directory.display()))?;
        let path = place.join(INITRD_RECORD_NAME);
        let is_due = record.as_bytes() != read(&path)?;
        Ok(is_due.then_some(Self {
            kernel,
            record,
            path,
        }))
    }

    /// Records that there is an initrd of these modules now. If only half of it is written, it differs
    /// from the next one, and an initrd is made once more.
    ///
    /// # Errors
    /// The record cannot be written.
    pub(super) fn done(&self) -> Result<()> {
        let write = |place: &Path| {
            fs::create_dir_all(place)?;
            fs::write(&self.path, &self.record)
        };
        let done = match (self.record.is_empty(), self.path.parent()) {
            (false, Some(place)) => write(place),
            _ => fs::remove_file(&self.path),
        };
        done.with_context(|| self.path.display().to_string())
    }
}

/// The stamps of files, a line for each.
fn record(directory: &Path, paths: &BTreeSet<&[u8]>) -> String {
    let mut record = String::new();
    for path in paths {
        let path = Path::new(OsStr::from_bytes(path));
        let stamp = FileStamp::of(&directory.join(path)).ok();
        let stamp = stamp.map_or_else(|| "-".to_owned(), |stamp| recorded(&stamp));
        // Writing to a String does not fail.
        let _ = writeln!(record, "{} {stamp}", path.display());
    }
    record
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
