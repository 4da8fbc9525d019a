//! Locks the directory of indexes, so that one run at a time works there.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use facts::{STORE_NAME, StoreFile};
use kmod_index::IndexFile;
use rustix::fs::{FlockOperation, flock};

use crate::error::Error;
use crate::temporaries::RUN_NOTE;

/// A directory where indexes are or will be, locked against other runs.
pub struct LockedDirectory<'p> {
    pub(crate) path: &'p Path,
    /// `None` if the directory is not there.
    pub(crate) handle: Option<File>,
}

impl<'p> LockedDirectory<'p> {
    /// Waits until no other run is at work there. What is to be published must be read after this,
    /// or an older picture could replace a newer one. The directory need not be there.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn lock(path: &'p Path) -> Result<Self, Error> {
        let handle = match File::open(path) {
            Ok(handle) => Some(handle),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::write(path)(error)),
        };
        if let Some(Err(error)) = handle.as_ref().map(lock_exclusively) {
            // Some network file systems cannot lock; runs must not overlap there.
            log::debug!("no lock on {}: {error}", path.display());
        }
        Ok(Self { path, handle })
    }

    /// The facts an earlier run left here.
    pub fn store(&self) -> StoreFile {
        StoreFile::load(&self.path.join(STORE_NAME))
    }

    /// What keeps the directory locked after indexes have been published.
    pub(crate) fn held(&self) -> Option<File> {
        self.handle.as_ref()?.try_clone().ok()
    }

    /// Notes that a run has begun, and says whether it could.
    pub(crate) fn begin(&self) -> bool {
        File::create(self.path.join(RUN_NOTE)).is_ok()
    }

    /// Takes the note back. After a failure the store goes, too: a later list of changes would lack
    /// those this run was about.
    pub(crate) fn end(path: &Path, failed: bool) {
        let names = [STORE_NAME, RUN_NOTE];
        for name in names.iter().skip(usize::from(!failed)) {
            match fs::remove_file(path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::debug!("{name}: {error}");
                }
                _ => {}
            }
        }
    }

    /// Tells `depmod -A` that the indexes are those of the modules that are there.
    pub(crate) fn confirm(self) {
        touch_dep(self.path);
    }
}

/// Makes modules.dep as new as this run. `depmod -A` compares modules with it, and it may have been
/// written by an earlier run.
pub(crate) fn touch_dep(directory: &Path) {
    let dep = directory.join(IndexFile::Dep.name());
    let touched = File::options()
        .write(true)
        .open(&dep)
        .and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        log::debug!("{}: {error}", dep.display());
    }
}

/// Waits for the lock of a directory; the kernel takes it back when the handle is closed.
fn lock_exclusively(directory: &File) -> io::Result<()> {
    Ok(flock(directory, FlockOperation::LockExclusive)?)
}
