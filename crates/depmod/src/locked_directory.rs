//! Locks the directory of indexes, so that one run at a time works there.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use facts::{FactsHome, STORE_NAME, StoreFile};
use kmod_index::IndexFile;
use rustix::fs::{FlockOperation, OFlags, flock};

use crate::error::Error;

/// The file beside the store that is there while a run is at work that began with the store. If the run
/// is killed, what it was told of changes is lost.
const RUN_NOTE: &str = "running";

/// A directory where indexes are or will be, locked against other runs.
pub struct LockedDirectory<'p> {
    pub(crate) path: &'p Path,
    /// `None` if the directory is not there.
    pub(crate) handle: Option<File>,
    /// Where facts are kept between runs, if they are.
    home: Option<&'p FactsHome>,
}

impl<'p> LockedDirectory<'p> {
    /// Waits until no other run is at work there. What is to be published must be read after this,
    /// or an older picture could replace a newer one. The directory need not be there.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn lock(path: &'p Path, home: Option<&'p FactsHome>) -> Result<Self, Error> {
        let handle = match File::open(path) {
            Ok(handle) => Some(handle),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::write(path)(error)),
        };
        if let Some(Err(error)) = handle.as_ref().map(lock_exclusively) {
            // Some network file systems cannot lock; runs must not overlap there.
            log::debug!("no lock on {}: {error}", path.display());
        }
        Ok(Self { path, handle, home })
    }

    /// The facts an earlier run left here.
    pub fn store(&self) -> StoreFile {
        let place = self.place().map(|place| place.join(STORE_NAME));
        place.map_or_else(StoreFile::default, |path| StoreFile::load(&path))
    }

    /// Where the facts about this directory are kept. `None` if none are kept.
    pub(crate) fn place(&self) -> Option<PathBuf> {
        self.home?.place_of(self.path)
    }

    /// Forgets what is known of this directory, whose place that was.
    pub(crate) fn forget(&self, place: Option<&Path>) {
        if let (Some(home), Some(place)) = (self.home, place) {
            home.remove(place);
        }
    }

    /// What keeps the directory locked after indexes have been published.
    pub(crate) fn held(&self) -> Option<File> {
        self.handle.as_ref()?.try_clone().ok()
    }

    /// Notes that a run has begun with the facts that are kept here.
    pub(crate) fn begin(&self) -> RunNote {
        let Some(home) = self.home else {
            return RunNote::None;
        };
        home.remove_gone();
        let Some(place) = self.place() else {
            return RunNote::None;
        };
        let made = fs::create_dir_all(&place)
            // It may be there, and is not followed if it is a link.
            .and_then(|()| File::create_new(place.join(RUN_NOTE)).map(drop));
        match made {
            Ok(()) => RunNote::Made(place),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => RunNote::WasThere(place),
            Err(error) => {
                log::debug!("{}: {error}", place.display());
                RunNote::None
            }
        }
    }

    /// Tells `depmod -A` that the indexes are those of the modules that are there.
    pub(crate) fn confirm(self) {
        touch_dep(self.path);
    }
}

/// The note that a run is at work.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RunNote {
    /// No facts are kept, so nothing is lost with the run.
    None,
    /// It was made in this place.
    Made(PathBuf),
    /// Another run left it there.
    WasThere(PathBuf),
}

impl RunNote {
    /// Whether a list of changes since the last run is all that has changed since.
    pub(crate) fn is_list_complete(&self) -> bool {
        matches!(self, Self::Made(_))
    }

    /// Takes the note back. After a failure the store goes, too: a later list of changes would lack
    /// those this run was about.
    pub(crate) fn end(self, failed: bool) {
        let (Self::Made(place) | Self::WasThere(place)) = self else {
            return;
        };
        let names = [STORE_NAME, RUN_NOTE];
        for name in names.iter().skip(usize::from(!failed)) {
            match fs::remove_file(place.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::debug!("{name}: {error}");
                }
                _ => {}
            }
        }
    }
}

/// Makes modules.dep as new as this run. `depmod -A` compares modules with it, and it may have been
/// written by an earlier run.
pub(crate) fn touch_dep(directory: &Path) {
    let dep = directory.join(IndexFile::Dep.name());
    let touched = File::options()
        .write(true)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
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
