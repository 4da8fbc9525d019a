//! Settings in, the indexes of a release made and put in place, from the facts of the last run and
//! what has changed since.

use std::path::Path;

use facts::Store;

use crate::dependencies::Need;
use crate::error::Error;
use crate::found::Found;
use crate::indexes::{Indexes, Tree};
use crate::publish::{Place, is_unfinished};
use crate::settings::Settings;

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
    /// Those of [`Place::lock`], [`Found::all`], [`Indexes::of`], [`Indexes::outputs`] and
    /// [`Place::publish`].
    pub fn run(&self, told: &mut dyn FnMut(Need<'_>)) -> Result<Updated, Error> {
        let place = Place::lock(self.output)?;
        let store = match self.full {
            true => Store::default(),
            false => place.store(),
        };
        self.run_in(place, store, told)
    }

    /// As [`Update::run`], in a place that is locked, from this store of it.
    ///
    /// # Errors
    /// As for [`Update::run`], but for the lock.
    pub fn run_in(
        &self,
        place: Place<'_>,
        store: Store,
        told: &mut dyn FnMut(Need<'_>),
    ) -> Result<Updated, Error> {
        // The note is taken back before another run begins.
        let _held = place.held();
        let unfinished = is_unfinished(self.output);
        let is_noted = place.begin();
        let result = match unfinished || !is_noted {
            false => self.work(self.settings, place, store, unfinished, told),
            // What another run was told is lost with it.
            true => {
                let settings = Settings {
                    changed: None,
                    ..self.settings.clone()
                };
                self.work(&settings, place, store, unfinished, told)
            }
        };
        Place::end(self.output, result.is_err());
        result
    }

    fn work(
        &self,
        settings: &Settings,
        place: Place<'_>,
        store: Store,
        unfinished: bool,
        told: &mut dyn FnMut(Need<'_>),
    ) -> Result<Updated, Error> {
        let ahead = || {
            // Who tells of changes wants them read.
            if settings.changed.as_ref().is_some_and(|all| !all.is_empty()) {
                store.read_ahead();
            }
        };
        let (found, ()) = rayon::join(|| Found::since(settings, &store), ahead);
        let found = found?;
        if !self.tell && !unfinished && found.is_same(&store, self.output) {
            place.confirm();
            return Ok(Updated::Unchanged);
        }
        let tree = Tree::read(found, store);
        let outputs = Indexes::of(&tree, told)?.outputs()?;
        place.publish(&outputs, settings.compat, || tree.store(&outputs))?;
        let read = tree.read_anew();
        Ok(Updated::Made { read })
    }
}
