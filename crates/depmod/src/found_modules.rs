//! Finds the modules of a release and puts them in the order of its indexes. None has been read yet.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use facts::{FileStamp, ListedDirectory, ReadBuffer, Store, StoreHead};
use id_table::Table;
use kmod_conf::DepmodConfig;
use kmod_index::IndexFile;
use parallel::map_with;
use rayon::prelude::*;

use crate::arrange::arrange;
use crate::checksum::FileChecksum;
use crate::error::Error;
use crate::index_state::is_as_published;
use crate::input_digest::{InputDigest, of_indexes};
use crate::kernel_symbols::{self, KernelSymbol};
use crate::module::{FoundModule, InStore, ModuleNumber};
use crate::module_path::ModulePath;
use crate::settings::{Compat, Settings};
use crate::walk::{FoundFile, Walked, find};

/// The modules of a release and what else its indexes are made of, with the store they were looked up
/// in.
pub struct FoundModules<'s> {
    pub(crate) settings: Settings,
    pub(crate) kernel: Vec<KernelSymbol>,
    pub(crate) modules: Table<ModuleNumber, FoundModule<'s>>,
    pub(crate) directories: Vec<ListedDirectory>,
    /// When the stamps of the modules were taken.
    pub(crate) started: SystemTime,
    pub(crate) inputs: InputDigest,
    pub(crate) store: Store<'s>,
}

impl FoundModules<'static> {
    /// Finds all modules.
    ///
    /// # Errors
    /// The directory or a file with the kernel's symbols cannot be read, or there are more modules
    /// than indexes have numbers for.
    pub fn all(settings: &Settings) -> Result<Self, Error> {
        Self::since(settings, Store::none())
    }

    /// Takes these files for the only modules.
    ///
    /// # Errors
    /// As for [`FoundModules::all`]. Also if a path is relative, if it leads nowhere, or if two
    /// modules have one name.
    pub fn named(settings: &Settings, paths: &[PathBuf]) -> Result<Self, Error> {
        let directory = settings.directory.as_os_str().as_bytes();
        let mut files: Vec<FoundFile<'static>> = Vec::new();
        for path in paths {
            let bad = |reason: String| Error::Module {
                path: path.clone(),
                reason,
            };
            if !path.is_absolute() {
                return Err(bad("not absolute path".into()));
            }
            path.metadata().map_err(|error| bad(error.to_string()))?;
            let file = ModulePath::new(path.as_os_str().as_bytes().to_vec(), directory);
            if files.iter().any(|(other, _)| other.name() == file.name()) {
                return Err(bad("a module of this name was added before".into()));
            }
            files.push((file, InStore::No));
        }
        let walked = Walked {
            files,
            directories: Vec::new(),
        };
        Self::new(settings, &DepmodConfig::default(), walked, Store::none())
    }
}

impl<'s> FoundModules<'s> {
    /// Finds all modules. If the settings name what has changed, nothing else that the store knows is
    /// looked at.
    ///
    /// # Errors
    /// As for [`FoundModules::all`].
    pub fn since(settings: &Settings, store: Store<'s>) -> Result<Self, Error> {
        let config = DepmodConfig::load(settings.config.as_deref(), &settings.release);
        let changed = settings.changed.as_deref();
        let find = || find(&settings.directory, &config, store.head(), changed);
        let read_ahead = || {
            // Whoever names changes has some that must be read.
            if changed.is_some_and(|changed| !changed.is_empty()) {
                store.read_ahead();
            }
        };
        let (walked, ()) = rayon::join(find, read_ahead);
        Self::new(settings, &config, walked?, store)
    }

    fn new(
        settings: &Settings,
        config: &DepmodConfig,
        walked: Walked<'s>,
        store: Store<'s>,
    ) -> Result<Self, Error> {
        let Walked { files, directories } = walked;
        if files.len() >= usize::from(u16::MAX) {
            return Err(Error::TooMany(files.len()));
        }
        let inputs = InputDigest::new(settings, config);
        let directory = &settings.directory;
        let files = arrange(files, |(path, _)| path, directory, settings.compat);
        let kernel = kernel_symbols::load(settings)?;
        Ok(Self {
            kernel,
            started: SystemTime::now(),
            modules: stamped(files, directory, &store),
            settings: settings.clone(),
            directories,
            inputs,
            store,
        })
    }

    /// Whether a run would leave the indexes in `directory` as they are, provided the last run came
    /// to its end.
    pub(crate) fn are_indexed(&self, directory: &Path) -> bool {
        let head = self.store.head();
        let is_known = |module: &FoundModule<'s>| module.known(head).is_some();
        // A copy that was added and does not count matters to a run that only looks at changes.
        let is_same = self.inputs.is_settled()
            && head.len() == self.modules.len()
            && self.modules.values().all(is_known)
            && head.has_listings(&self.directories);
        if !is_same {
            return false;
        }
        let there = checksums(directory, self.settings.compat);
        let is_same = there.is_ok_and(|there| self.inputs.with(&there) == head.digest());
        if is_same {
            InputDigest::warn_of_missing(&self.settings.directory);
        }
        is_same
    }
}

/// Whether the indexes in a directory are those that the last run left, whatever they were made of.
pub(crate) fn are_of_last_run(directory: &Path, compat: Compat, head: &StoreHead<'_>) -> bool {
    checksums(directory, compat).is_ok_and(|there| head.digest().ends_with(&of_indexes(&there)))
}

/// The checksums of indexes.
///
/// # Errors
/// One cannot be read, or others could not read it.
fn checksums(directory: &Path, compat: Compat) -> io::Result<Vec<(IndexFile, FileChecksum)>> {
    let files: Vec<_> = compat.files().collect();
    map_with(&files, ReadBuffer::default, |buffer, file| {
        let path = directory.join(file.name());
        if !is_as_published(&path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok((*file, FileChecksum::of_file(&path, buffer)?))
    })
}

/// Takes the stamps of files, but for those that have not changed since the store had them.
fn stamped<'s>(
    files: Vec<FoundFile<'s>>,
    directory: &Path,
    store: &Store<'s>,
) -> Table<ModuleNumber, FoundModule<'s>> {
    let directory = File::open(directory).ok();
    let taken = |path: &ModulePath| {
        let whole = || Some(FileStamp::from(&fs::metadata(path.path()).ok()?));
        // So the path of the directory is followed once for all.
        let below = directory
            .as_ref()
            .and_then(|directory| FileStamp::at(directory.as_fd(), path.in_indexes()).ok());
        below.or_else(whole)
    };
    let module = |(path, in_store): FoundFile<'s>| FoundModule {
        stamp: match in_store {
            InStore::Unchanged(id) => store.head().stamp(id),
            InStore::MayHaveChanged(_) | InStore::No => taken(&path),
        },
        path,
        in_store,
    };
    let modules: Vec<_> = files.into_par_iter().map(module).collect();
    modules.into()
}
