//! Puts indexes in the places of the old ones. At every moment modprobe can work with what is there,
//! and whoever stops a run leaves either the old indexes or something the next run repairs.
//!
//! Everything is written and synced beside the old files before the first is replaced. So a full or
//! read-only file system changes nothing.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use facts::STORE_NAME;
use kmod_index::IndexFile;
use rayon::prelude::*;
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::index_files::output::Output;
use crate::index_state::{MODE, is_as_published};
use crate::locked_directory::{LockedDirectory, touch_dep};
use crate::replacement::stages;
use crate::settings::Compat;
use crate::temporaries::{prefix, remove_unfinished};

impl LockedDirectory<'_> {
    /// Replaces the indexes by these; files that would not change are left alone. A store, if there
    /// is a new one, is made meanwhile and comes last. It may fail: then the next run reads more.
    ///
    /// # Errors
    /// Something cannot be written. Nothing has been replaced then, unless renaming itself fails.
    pub fn publish<'s>(
        self,
        outputs: &[Output],
        compat: Compat,
        store: impl FnOnce() -> Option<[Cow<'s, [u8]>; 3]> + Send,
    ) -> Result<(), Error> {
        let directory = self.path;
        if self.handle.is_none() {
            fs::create_dir_all(directory).map_err(Error::write(directory))?;
        }
        let place = self.place();
        let handle = match self.handle {
            Some(handle) => handle,
            None => File::open(directory).map_err(Error::write(directory))?,
        };
        remove_unfinished(directory);
        let old = |file: IndexFile| fs::read(directory.join(file.name())).ok();
        let is_old =
            |file: IndexFile, bytes: &[u8]| is_in_file(&directory.join(file.name()), bytes);
        let stages: Vec<_> = stages(old, is_old, outputs, compat.layout())
            .into_par_iter()
            .map(|(file, bytes)| Ok((file, stage(directory, file, &bytes)?)))
            .collect::<Result<_, Error>>()?;
        // Together, so that the file system can put them into one transaction.
        let sync_all = || {
            stages.par_iter().try_for_each(|(file, staged)| {
                let synced = staged.as_file().sync_all();
                synced.map_err(Error::write(&directory.join(file.name())))
            })
        };
        let store = || stage_store(place.as_deref()?, &store()?);
        let (synced, store) = rayon::join(sync_all, store);
        synced?;
        let is_new = stages.iter().any(|(file, _)| *file == IndexFile::Dep);
        for (file, staged) in stages {
            let path = directory.join(file.name());
            staged
                .persist(&path)
                .map_err(|error| Error::write(&path)(error.error))?;
        }
        if !is_new {
            touch_dep(directory);
        }
        sync(&handle).map_err(Error::write(directory))?;
        if let (Some(store), Some(place)) = (store, &place) {
            keep(place, store);
        }
        Ok(())
    }
}

/// Whether an index has just these bytes and is as we publish it. It is read only if it is as long.
fn is_in_file(path: &Path, bytes: &[u8]) -> bool {
    let length = fs::metadata(path).map(|meta| meta.len());
    length.is_ok_and(|length| length == bytes.len() as u64)
        && is_as_published(path)
        && fs::read(path).is_ok_and(|there| there == bytes)
}

fn stage(directory: &Path, file: IndexFile, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    let name = file.name();
    let staged = || {
        let staged = temporary(directory, name, &[bytes])?;
        // The umask is none of modprobe's business.
        let mode = fs::Permissions::from_mode(MODE);
        staged.as_file().set_permissions(mode).map(|()| staged)
    };
    staged().map_err(Error::write(&directory.join(name)))
}

fn temporary(directory: &Path, name: &str, parts: &[&[u8]]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(&prefix(name))
        .permissions(fs::Permissions::from_mode(MODE))
        .tempfile_in(directory)?;
    for part in parts {
        file.write_all(part)?;
    }
    Ok(file)
}

/// Writes a store beside the one there is. It need not be synced: half a store is noticed when it is
/// read.
fn stage_store(place: &Path, parts: &[Cow<'_, [u8]>]) -> Option<NamedTempFile> {
    let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
    let staged = fs::create_dir_all(place).and_then(|()| temporary(place, STORE_NAME, &parts));
    staged
        .inspect_err(|error| log::debug!("{STORE_NAME}: {error}"))
        .ok()
}

fn keep(place: &Path, store: NamedTempFile) {
    let path = place.join(STORE_NAME);
    // Some file systems wait for the data of a file that replaces another.
    drop(fs::remove_file(&path));
    if let Err(error) = store.persist(&path) {
        log::debug!("{}: {}", path.display(), error.error);
    }
}

fn sync(directory: &File) -> io::Result<()> {
    match directory.sync_all() {
        // Not every file system knows how to sync a directory.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}
