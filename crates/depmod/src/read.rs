//! Module files and a store in, facts out: of what is as it was from the store, of the others from
//! the files, read on all processors.

use std::convert::Infallible;
use std::fs;
use std::time::SystemTime;

use kmodule::Reader;
use modtree::{Facts, Listing, Stamp, Store, map_with, store_of};
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
    /// The store has other directories.
    elsewhere: bool,
    /// What the last run said.
    digest: Vec<u8>,
}

/// What the file system said of files before they were read.
pub(crate) struct Stamps {
    started: SystemTime,
    stamps: Vec<Option<Stamp>>,
}

impl Stamps {
    /// Asks for the stamps of files, but for those that are as the store has them.
    pub(crate) fn of(files: &[ModuleFile], store: &Store) -> Self {
        let asked =
            |file: &ModuleFile| fs::metadata(file.path()).ok().map(|meta| Stamp::new(&meta));
        let stamp = |file: &ModuleFile| {
            let kept = store.stamp(file.shown()).filter(|_| file.is_as_it_was);
            kept.or_else(|| asked(file))
        };
        Self {
            started: SystemTime::now(),
            stamps: files.par_iter().map(stamp).collect(),
        }
    }

    /// Whether a store has every module as it is, and no others.
    pub(crate) fn are_in(&self, store: &Store, files: &[ModuleFile]) -> bool {
        let knows = |(file, stamp): (&ModuleFile, &Option<Stamp>)| {
            stamp.is_some_and(|stamp| store.knows(file.shown(), &stamp))
        };
        store.len() == files.len() && files.iter().zip(&self.stamps).all(knows)
    }
}

impl Read {
    /// Reads every module that the store does not know; of a damaged one what can be read, with a
    /// message, each time.
    pub(crate) fn all(
        files: &[ModuleFile],
        listings: &[(Vec<u8>, Listing)],
        stamps: &Stamps,
        details: bool,
        mut store: Store,
    ) -> Self {
        let known: Vec<_> = files
            .iter()
            .zip(&stamps.stamps)
            .map(|(file, stamp)| store.take(file.shown(), stamp.as_ref()?))
            .collect();
        let unknown = |(file, known): (_, &Option<Facts>)| known.is_none().then_some(file);
        let missing: Vec<&ModuleFile> = files.iter().zip(&known).filter_map(unknown).collect();
        let read = map_with(&missing, Reader::new, |reader, file| {
            Ok::<_, Infallible>(Facts::read(file.path(), reader, details))
        });
        let Ok(read) = read;
        let anew = read.len();
        let mut read = read.into_iter();
        let read: Vec<_> = known
            .into_iter()
            .map(|known| match known {
                Some(facts) => (facts, None),
                None => read.next().unwrap_or_default(),
            })
            .collect();
        let mut facts = Vec::with_capacity(read.len());
        let mut kept = Vec::with_capacity(read.len());
        for ((known, error), stamp) in read.into_iter().zip(&stamps.stamps) {
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
            started: stamps.started,
            anew,
            some_gone: !store.is_empty(),
            elsewhere: !store.has_listings(listings),
            digest: store.digest().to_vec(),
        }
    }

    /// A store for the next run, of all that will be known by its stamp; `None` where nothing has
    /// changed since the last.
    pub(crate) fn store(
        &self,
        files: &[ModuleFile],
        listings: &[(Vec<u8>, Listing)],
        digest: &[u8],
    ) -> Option<Vec<u8>> {
        let settled = |stamp: &Option<Stamp>| stamp.filter(|stamp| stamp.is_settled(self.started));
        let stamps: Vec<_> = self.stamps.iter().map(settled).collect();
        // A digest of more than the store has would fit a tree where just that is gone.
        let digest = match stamps.iter().all(Option::is_some) {
            true => digest,
            false => &[],
        };
        if self.anew == 0 && !self.some_gone && !self.elsewhere && self.digest == digest {
            return None;
        }
        let modules = files.iter().zip(stamps).zip(&self.facts);
        let kept = modules.filter_map(|((file, stamp), facts)| Some((file.shown(), stamp?, facts)));
        Some(store_of(digest, listings, kept))
    }
}
