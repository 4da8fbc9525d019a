//! Brings the indexes of a release up to date, with the facts of the last run and what has changed
//! since.

use std::path::Path;

use facts::{Store, StoreFile};

use crate::dependencies::Dependency;
use crate::error::Error;
use crate::found_modules::FoundModules;
use crate::indexes::Indexes;
use crate::locked_directory::LockedDirectory;
use crate::read_modules::ReadModules;
use crate::settings::Settings;
use crate::temporaries::is_unfinished;

/// A run over all modules of a release.
pub struct Update<'u> {
    /// What indexes are made of; `changed` in it spares looking at what has not changed.
    pub settings: &'u Settings,
    /// The directory they go to.
    pub output: &'u Path,
    /// Read every module, whatever the last run knew.
    pub full: bool,
    /// Make the indexes even if they are known to be right, for the messages that come with it.
    pub tell: bool,
}

/// What a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The indexes were right.
    Unchanged,
    /// They were made anew, and this many modules read for it.
    Made {
        /// How many.
        read: usize,
    },
}

impl Update<'_> {
    /// Makes the indexes and puts them in place; other runs for that directory wait.
    ///
    /// # Errors
    /// Those of [`LockedDirectory::lock`], [`FoundModules::all`], [`Indexes::of`],
    /// [`Indexes::outputs`] and [`LockedDirectory::publish`].
    pub fn run(&self, each: &mut dyn FnMut(Dependency<'_>)) -> Result<Updated, Error> {
        let directory = LockedDirectory::lock(self.output)?;
        let store = match self.full {
            true => StoreFile::default(),
            false => directory.store(),
        };
        self.run_in(directory, store, each)
    }

    /// As [`Update::run`], in a directory that is locked, from its store.
    ///
    /// # Errors
    /// As for [`Update::run`], but for the lock.
    pub fn run_in(
        &self,
        directory: LockedDirectory<'_>,
        store: StoreFile,
        each: &mut dyn FnMut(Dependency<'_>),
    ) -> Result<Updated, Error> {
        // The note is taken back before another run begins.
        let _held = directory.held();
        let is_unfinished = is_unfinished(self.output);
        let is_noted = directory.begin();
        let result = store.with(|store| match is_unfinished || !is_noted {
            false => self.work(self.settings, directory, store, is_unfinished, each),
            // What another run was told of changes is lost with it.
            true => {
                let settings = Settings {
                    changed: None,
                    ..self.settings.clone()
                };
                self.work(&settings, directory, store, is_unfinished, each)
            }
        });
        LockedDirectory::end(self.output, result.is_err());
        result
    }

    fn work(
        &self,
        settings: &Settings,
        directory: LockedDirectory<'_>,
        store: Store<'_>,
        is_unfinished: bool,
        each: &mut dyn FnMut(Dependency<'_>),
    ) -> Result<Updated, Error> {
        let found = FoundModules::since(settings, store)?;
        if !self.tell && !is_unfinished && found.are_indexed(self.output) {
            directory.confirm();
            return Ok(Updated::Unchanged);
        }
        let modules = ReadModules::read(found);
        let outputs = Indexes::of(&modules, each)?.outputs()?;
        directory.publish(&outputs, settings.compat, || modules.store(&outputs))?;
        Ok(Updated::Made {
            read: modules.read_anew(),
        })
    }
}
