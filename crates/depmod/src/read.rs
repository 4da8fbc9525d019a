//! Module files and a store in, facts out: of what is as it was from the store, of the others from
//! the files, read on all processors.

use std::fs;
use std::time::SystemTime;

use kmodule::Arena;
use modtree::{Facts, Stamp, Store, store_of};
use rayon::prelude::*;

use crate::module_file::ModuleFile;

/// Facts of modules, in the order of the files.
pub(crate) struct Read {
    pub(crate) facts: Vec<Facts>,
    /// What the facts were read from; `None` where they are not to be kept.
    stamps: Vec<Option<Stamp>>,
    started: SystemTime,
    /// How many were read from their files.
    pub(crate) anew: usize,
    /// The store had modules that are no more.
    some_gone: bool,
}

impl Read {
    /// Reads every module that the store does not know; of a damaged one what can be read, with a
    /// message, each time.
    pub(crate) fn all(files: &[ModuleFile], details: bool, mut store: Store) -> Self {
        let started = SystemTime::now();
        let stamps: Vec<_> = files
            .par_iter()
            .map(|file| fs::metadata(file.path()).ok().map(|meta| Stamp::new(&meta)))
            .collect();
        let known: Vec<_> = files
            .iter()
            .zip(&stamps)
            .map(|(file, stamp)| store.take(file.shown(), stamp.as_ref()?))
            .collect();
        let anew = known.iter().filter(|known| known.is_none()).count();
        let read: Vec<_> = files
            .par_iter()
            .zip(known)
            .map_init(Arena::new, |arena, (file, known)| match known {
                Some(facts) => (facts, None),
                None => {
                    arena.reset();
                    Facts::read(file.path(), arena, details)
                }
            })
            .collect();
        let mut facts = Vec::with_capacity(read.len());
        let mut kept = Vec::with_capacity(read.len());
        for ((known, error), stamp) in read.into_iter().zip(stamps) {
            let stamp = stamp.filter(|_| error.is_none() && !details);
            if let Some(error) = error {
                log::error!("failed to load symbols from {error}");
            }
            facts.push(known);
            kept.push(stamp);
        }
        Self {
            facts,
            stamps: kept,
            started,
            anew,
            some_gone: !store.is_empty(),
        }
    }

    /// A store for the next run, of all that will be known by its stamp; `None` where nothing has
    /// changed since the last.
    pub(crate) fn store(&self, files: &[ModuleFile]) -> Option<Vec<u8>> {
        if self.anew == 0 && !self.some_gone {
            return None;
        }
        let settled = |stamp: &Option<Stamp>| stamp.filter(|stamp| stamp.is_settled(self.started));
        let modules = files.iter().zip(&self.stamps).zip(&self.facts);
        Some(store_of(modules.filter_map(|((file, stamp), facts)| {
            Some((file.shown(), settled(stamp)?, facts))
        })))
    }
}
