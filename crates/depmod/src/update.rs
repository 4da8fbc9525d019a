//! Brings the indexes of a release up to date, with the facts of the last run and what has changed
//! since.

use std::path::Path;

use facts::{FactsHome, Store, StoreFile, StoreHead};

use crate::dependencies::Dependency;
use crate::error::Error;
use crate::found_modules::{FoundModules, are_of_last_run};
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
    /// Where facts are kept between runs, if they are.
    pub home: Option<&'u FactsHome>,
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
        let directory = LockedDirectory::lock(self.output, self.home)?;
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
        let note = directory.begin();
        let is_told = !is_unfinished && note.is_list_complete();
        let result = store.with(|store| match is_told && self.is_told_all(store.head()) {
            true => self.work(self.settings, directory, store, is_unfinished, each),
            // What another run was told of changes is lost with it.
            false => {
                let settings = Settings {
                    changed: None,
                    ..self.settings.clone()
                };
                self.work(&settings, directory, store, is_unfinished, each)
            }
        });
        note.end(result.is_err());
        result
    }

    /// Whether a list of changes, if there is one, is about the indexes that are there. They are others
    /// where the directory went back to an earlier state and what is kept of it did not.
    fn is_told_all(&self, head: &StoreHead<'_>) -> bool {
        let Settings {
            changed, compat, ..
        } = self.settings;
        changed.is_none() || are_of_last_run(self.output, *compat, head)
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
