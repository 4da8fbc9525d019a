//! Module files and a store in, facts out: of what is as it was from the store, of the others from
//! the files, read on all processors.

use std::convert::Infallible;
use std::fs;
use std::sync::Arc;
use std::time::SystemTime;

use kmodule::Reader;
use modtree::{AllFacts, Facts, Kept, Listing, Source, Stamp, Store, map_with, store_of};
use rayon::prelude::*;

use crate::module_file::ModuleFile;

/// Facts of modules, in the order of the files.
pub(crate) struct Read {
    pub(crate) facts: AllFacts,
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
            let kept = file.is_as_it_was.then(|| store.stamp(file.shown()));
            kept.flatten().or_else(|| asked(file))
        };
        Self {
            started: SystemTime::now(),
            stamps: files.par_iter().map(stamp).collect(),
        }
    }

    /// Whether a store has every module as it is, and no others.
    pub(crate) fn are_in(&self, store: &Store, files: &[ModuleFile]) -> bool {
        let knows = |(file, stamp): (&ModuleFile, &Option<Stamp>)| {
            stamp.is_some_and(|stamp| store.find(file.shown(), &stamp).is_some())
        };
        store.len() == files.len() && files.iter().zip(&self.stamps).all(knows)
    }
}

impl Read {
    /// Reads every module that the store does not know; of a damaged one what can be read, with a
    /// message, each time.
    pub(crate) fn all(
        files: &[ModuleFile],
        listings: &[(Vec<u8>, Arc<Listing>)],
        stamps: &Stamps,
        details: bool,
        store: &Store,
    ) -> Self {
        let kept = store.facts();
        let known = |(file, stamp): (&ModuleFile, &Option<Stamp>)| {
            kept.as_ref()?;
            store.find(file.shown(), stamp.as_ref()?)
        };
        let known: Vec<_> = files.iter().zip(&stamps.stamps).map(known).collect();
        let unknown = |(file, known): (_, &Option<Kept>)| known.is_none().then_some(file);
        let missing: Vec<&ModuleFile> = files.iter().zip(&known).filter_map(unknown).collect();
        let read = map_with(&missing, Reader::new, |reader, file| {
            Ok::<_, Infallible>(Facts::read(file.path(), reader, details))
        });
        let Ok(read) = read;
        let anew = read.len();
        let mut read = read.into_iter();
        let mut sources = Vec::with_capacity(files.len());
        let mut read_from = Vec::with_capacity(files.len());
        for (known, stamp) in known.into_iter().zip(&stamps.stamps) {
            let (source, error) = match known {
                Some(kept) => (Source::Kept(kept), None),
                None => {
                    let (facts, error) = read.next().unwrap_or_default();
                    (Source::Read(facts), error)
                }
            };
            sources.push(source);
            read_from.push(stamp.filter(|_| error.is_none() && !details));
            if let Some(error) = error {
                log::error!("failed to load symbols from {error}");
            }
        }
        Self {
            facts: AllFacts::new(kept.unwrap_or_default(), sources),
            stamps: read_from,
            started: stamps.started,
            anew,
            some_gone: files.len() - anew < store.len(),
            elsewhere: !store.has_listings(listings),
            digest: store.digest().to_vec(),
        }
    }

    /// A store for the next run, of all that will be known by its stamp; `None` where nothing has
    /// changed since the last.
    pub(crate) fn store(
        &self,
        files: &[ModuleFile],
        listings: &[(Vec<u8>, Arc<Listing>)],
        digest: &[u8],
    ) -> Option<[Vec<u8>; 2]> {
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
        let modules = files.iter().zip(stamps).zip(self.facts.iter());
        let kept = modules.filter_map(|((file, stamp), said)| Some((file.shown(), stamp?, said)));
        store_of(digest, listings, &kept.collect::<Vec<_>>())
    }
}
