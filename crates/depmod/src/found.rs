//! Settings in, the modules of a release out: in the order of its indexes, not yet read.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facts::{Listing, Piece, Store};
use parallel::map_with;

use crate::arrange::arrange;
use crate::error::Error;
use crate::kernel_symbols::{self, KernelSymbol};
use crate::module_file::ModuleFile;
use crate::outputs;
use crate::publish::is_unfinished;
use crate::settings::Settings;
use crate::stamps::Stamps;
use crate::state::State;
use crate::sum::Sum;
use crate::walk::{Walked, find};
use kmod_conf::DepmodConfig;

/// The modules of a release, and what else its indexes are made of.
pub struct Found {
    pub(crate) settings: Settings,
    pub(crate) kernel: Vec<KernelSymbol>,
    pub(crate) files: Vec<ModuleFile>,
    pub(crate) listings: Vec<(Vec<u8>, Arc<Listing>)>,
    pub(crate) stamps: Stamps,
    pub(crate) state: State,
}

impl Found {
    /// Finds all modules.
    ///
    /// # Errors
    /// The directory or a file with the kernel's symbols cannot be read, or there are more modules
    /// than indexes have numbers for.
    pub fn all(settings: &Settings) -> Result<Self, Error> {
        Self::since(settings, &Store::default())
    }

    /// Finds all modules; where the settings name what has changed, by looking at nothing else that
    /// the store knows.
    ///
    /// # Errors
    /// As for [`Found::all`].
    pub fn since(settings: &Settings, store: &Store) -> Result<Self, Error> {
        let config = DepmodConfig::load(settings.config.as_deref(), &settings.release);
        let changed = settings.changed.as_deref();
        let walked = find(&settings.directory, &config, store, changed)?;
        Self::new(settings, &config, walked, store)
    }

    /// Takes the modules of these files alone.
    ///
    /// # Errors
    /// As for [`Found::all`], and a path is relative, leads nowhere or to a module of a name that
    /// is already there.
    pub fn named(settings: &Settings, paths: &[PathBuf]) -> Result<Self, Error> {
        let directory = settings.directory.as_os_str().as_bytes();
        let mut files: Vec<ModuleFile> = Vec::new();
        for path in paths {
            let bad = |reason: String| Error::Module {
                path: path.clone(),
                reason,
            };
            if !path.is_absolute() {
                return Err(bad("not absolute path".into()));
            }
            path.metadata().map_err(|error| bad(error.to_string()))?;
            let file = ModuleFile::new(path.as_os_str().as_bytes().to_vec(), directory);
            if files.iter().any(|other| other.name() == file.name()) {
                return Err(bad("a module of this name was added before".into()));
            }
            files.push(file);
        }
        let walked = Walked {
            files,
            listings: Vec::new(),
        };
        Self::new(
            settings,
            &DepmodConfig::default(),
            walked,
            &Store::default(),
        )
    }

    fn new(
        settings: &Settings,
        config: &DepmodConfig,
        walked: Walked,
        store: &Store,
    ) -> Result<Self, Error> {
        let Walked { files, listings } = walked;
        if files.len() >= usize::from(u16::MAX) {
            return Err(Error::TooMany(files.len()));
        }
        let state = State::new(settings, config);
        let files = arrange(files, &settings.directory, settings.compat);
        Ok(Self {
            kernel: kernel_symbols::load(settings)?,
            stamps: Stamps::of(&files, &settings.directory, store),
            settings: settings.clone(),
            files,
            listings,
            state,
        })
    }

    /// Whether a run would leave the indexes in `directory` as they are, by what the last run said
    /// in its store.
    pub fn is_unchanged(&self, store: &Store, directory: &Path) -> bool {
        !is_unfinished(directory) && self.is_same(store, directory)
    }

    /// As [`Found::is_unchanged`], where the last run came to its end.
    pub(crate) fn is_same(&self, store: &Store, directory: &Path) -> bool {
        // A copy that has come and does not count matters to a run that only looks at changes.
        let is_known = self.stamps.are_in(store, &self.files) && store.has_listings(&self.listings);
        if store.digest().is_empty() || !is_known {
            return false;
        }
        let names: Vec<_> = outputs::names(self.settings.compat).collect();
        let there = map_with(&names, Piece::default, |piece, name| {
            Sum::of_file(&directory.join(name), piece).map(|sum| (*name, sum))
        });
        let is_same = there.is_ok_and(|there| self.state.with(there.into_iter()) == store.digest());
        if is_same {
            self.state.warn_of_absent(&self.settings.directory);
        }
        is_same
    }
}
