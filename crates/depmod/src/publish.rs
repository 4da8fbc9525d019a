//! Indexes in, files in place of the old ones out; at every moment modprobe can work with what is
//! there, and whoever stops us leaves either what was or something the next run mends.
//!
//! Everything is written and synced beside the old files before the first is replaced, so a full
//! or read-only file system changes nothing.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use facts::Store;
use rayon::prelude::*;
use rustix::fs::{FlockOperation, flock};
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::outputs::Output;
use crate::replacement::{DEP, stages};
use crate::settings::Compat;

/// What names of temporaries have behind that of the file they will be.
const UNFINISHED: &str = ".kmp-depmod-";

/// Facts of modules, beside the indexes.
pub(crate) const STORE: &str = "modules.kmpkit-facts";

/// There while a run is at work that began with the store: what it was told of changes is lost if
/// it is killed.
const AT_WORK: &str = ".modules.kmpkit-facts.kmp-depmod-run";

/// A directory indexes are in or will be, locked against other runs.
pub struct Place<'p> {
    pub(crate) directory: &'p Path,
    handle: Option<File>,
}

impl<'p> Place<'p> {
    /// Waits until no other run is at work there. What is to be published must be read after
    /// this, or an older picture could replace a newer one.
    ///
    /// # Errors
    /// The directory cannot be opened; it need not be there.
    pub fn lock(directory: &'p Path) -> Result<Self, Error> {
        let handle = match File::open(directory) {
            Ok(handle) => Some(handle),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::write(directory)(error)),
        };
        if let Some(Err(error)) = handle.as_ref().map(lock_exclusively) {
            // Some network file systems cannot; runs must not overlap there.
            log::debug!("no lock on {}: {error}", directory.display());
        }
        Ok(Self { directory, handle })
    }

    /// The facts an earlier run left here.
    pub fn store(&self) -> Store {
        Store::load(&self.directory.join(STORE))
    }

    /// What keeps the place locked after it has been published.
    pub(crate) fn held(&self) -> Option<File> {
        self.handle.as_ref()?.try_clone().ok()
    }

    /// Notes that a run has begun; whether that could be noted.
    pub(crate) fn begin(&self) -> bool {
        File::create(self.directory.join(AT_WORK)).is_ok()
    }

    /// Takes the note back. After a failure the store is gone, too: a later list of changes
    /// would lack those this run was about.
    pub(crate) fn end(directory: &Path, failed: bool) {
        let names = [STORE, AT_WORK];
        for name in names.iter().skip(usize::from(!failed)) {
            match fs::remove_file(directory.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::debug!("{name}: {error}");
                }
                _ => {}
            }
        }
    }

    /// Tells `depmod -A` that the indexes are those of the modules that are there.
    pub fn confirm(self) {
        touch(&self.directory.join(DEP));
    }

    /// Replaces the indexes by these; files that would not change are left alone. A store, if there
    /// is a new one, is made meanwhile, comes last and may fail: without it the next run reads more.
    ///
    /// # Errors
    /// Something cannot be written; nothing has been replaced then, unless renaming itself fails.
    pub fn publish<'s>(
        self,
        outputs: &[Output],
        compat: Compat,
        store: impl FnOnce() -> Option<[Cow<'s, [u8]>; 3]> + Send,
    ) -> Result<(), Error> {
        let directory = self.directory;
        let handle = match self.handle {
            Some(handle) => handle,
            None => {
                fs::create_dir_all(directory).map_err(Error::write(directory))?;
                File::open(directory).map_err(Error::write(directory))?
            }
        };
        remove_unfinished(directory);
        let old = |name: &str| fs::read(directory.join(name)).ok();
        let is_old = |name: &str, bytes: &[u8]| is_in_file(&directory.join(name), bytes);
        let stages: Vec<_> = stages(old, is_old, outputs, compat.layout())
            .into_par_iter()
            .map(|(name, bytes)| Ok((name, stage(directory, name, &bytes)?)))
            .collect::<Result<_, Error>>()?;
        // Together, so that the file system can put them into one transaction.
        let sync_all = || {
            stages.par_iter().try_for_each(|(name, staged)| {
                let synced = staged.as_file().sync_all();
                synced.map_err(Error::write(&directory.join(name)))
            })
        };
        let store = || store().and_then(|parts| stage_store(directory, &parts));
        let (synced, store) = rayon::join(sync_all, store);
        synced?;
        let is_new = stages.iter().any(|(name, _)| *name == DEP);
        for (name, staged) in stages {
            let path = directory.join(name);
            staged
                .persist(&path)
                .map_err(|error| Error::write(&path)(error.error))?;
        }
        if !is_new {
            touch(&directory.join(DEP));
        }
        sync(&handle).map_err(Error::write(directory))?;
        if let Some(store) = store {
            keep(directory, store);
        }
        Ok(())
    }
}

/// Whether a file has just these bytes; it is read only if it is as long.
fn is_in_file(path: &Path, bytes: &[u8]) -> bool {
    let length = fs::metadata(path).map(|meta| meta.len());
    length.is_ok_and(|length| length == bytes.len() as u64)
        && fs::read(path).is_ok_and(|there| there == bytes)
}

fn stage(directory: &Path, name: &str, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    temporary(directory, name, &[bytes]).map_err(Error::write(&directory.join(name)))
}

fn temporary(directory: &Path, name: &str, parts: &[&[u8]]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(&format!(".{name}{UNFINISHED}"))
        .permissions(readable_by_all())
        .tempfile_in(directory)?;
    for part in parts {
        file.write_all(part)?;
    }
    Ok(file)
}

/// Half a store is noticed when it is read, so it need not be synced.
fn stage_store(directory: &Path, parts: &[Cow<'_, [u8]>]) -> Option<NamedTempFile> {
    let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
    let staged = temporary(directory, STORE, &parts);
    let told = |error: &io::Error| log::debug!("{STORE}: {error}");
    staged.inspect_err(told).ok()
}

fn keep(directory: &Path, store: NamedTempFile) {
    let path = directory.join(STORE);
    // Some file systems wait for the data of what replaces a file.
    drop(fs::remove_file(&path));
    if let Err(error) = store.persist(&path) {
        log::debug!("{}: {}", path.display(), error.error);
    }
}

fn readable_by_all() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(0o644)
}

/// `depmod -A` compares modules with modules.dep, which was written by an earlier run.
fn touch(dep: &Path) {
    let touched = File::options()
        .write(true)
        .open(dep)
        .and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        log::debug!("{}: {error}", dep.display());
    }
}

fn sync(directory: &File) -> io::Result<()> {
    match directory.sync_all() {
        // Not every file system knows how to sync a directory.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// Whether a run was stopped before it had replaced all files.
pub(crate) fn is_unfinished(directory: &Path) -> bool {
    !unfinished(directory).is_empty()
}

fn remove_unfinished(directory: &Path) {
    let others = unfinished(directory).into_iter();
    for path in others.filter(|path| !path.ends_with(AT_WORK)) {
        if let Err(error) = fs::remove_file(&path) {
            log::debug!("{}: {error}", path.display());
        }
    }
}

/// Whether a name is that of a file that has not taken its place yet.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.contains(UNFINISHED)
}

fn unfinished(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_temporary))
        .map(|entry| entry.path())
        .collect()
}

/// Waits for the lock of a directory; the kernel takes it back when the handle is closed.
fn lock_exclusively(directory: &File) -> io::Result<()> {
    Ok(flock(directory, FlockOperation::LockExclusive)?)
}
