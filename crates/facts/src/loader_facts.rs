//! Gathers what the kernel's loader asks of modules: from a store for files that have not changed,
//! else from the files, read on all processors.

use std::convert::Infallible;
use std::path::Path;
use std::time::SystemTime;

use kmodule::{MODULE_SUFFIX, Reader};
use loader::{ModuleFacts, Reading};
use parallel::map_with;

use crate::content_hash::{ContentHash, ReadBuffer};
use crate::loader_store::{LoaderStore, loader_store_of};
use crate::stamp::FileStamp;
use crate::store::head::FileOrigin;

/// A module that the facts are asked of.
#[derive(Clone, Copy, Debug)]
pub struct LoaderFile<'f> {
    /// Its file.
    pub path: &'f Path,
    /// The path by which the store knows it: that below the release's directory.
    pub in_store: &'f [u8],
}

/// The facts of modules, in the order of their files.
#[derive(Debug)]
pub struct LoaderFacts<'f> {
    files: &'f [LoaderFile<'f>],
    /// The facts of each module, or what is wrong with its file.
    pub modules: Vec<Result<ModuleFacts, kmodule::Error>>,
    /// How many files were read.
    pub read_anew: usize,
    /// What tells that a file is the one facts were read from; `None` if they are not to be kept.
    origins: Vec<Option<FileOrigin>>,
    /// Whether the next store would be the one there is.
    is_stored: bool,
}

/// Memory of a thread.
#[derive(Default)]
struct Memory {
    reader: Reader,
    buffer: ReadBuffer,
}

/// What was found out about a file.
struct Gathered {
    facts: Result<ModuleFacts, kmodule::Error>,
    origin: Option<FileOrigin>,
    is_read: bool,
}

impl<'f> LoaderFacts<'f> {
    /// Gathers the facts of modules that do not depend on a kernel ([`Reading::default`]).
    pub fn gather(store: &LoaderStore, files: &'f [LoaderFile<'f>]) -> Self {
        let started = SystemTime::now();
        let Ok(gathered) = map_with(files, Memory::default, |memory, file| {
            Ok::<_, Infallible>(file.gather(store, started, memory))
        });
        let read_anew = gathered.iter().filter(|one| one.is_read).count();
        let mut all = Self {
            is_stored: read_anew == 0 && files.len() == store.len(),
            read_anew,
            files,
            modules: Vec::with_capacity(files.len()),
            origins: Vec::with_capacity(files.len()),
        };
        for one in gathered {
            all.modules.push(one.facts);
            all.origins.push(one.origin);
        }
        all
    }

    /// The bytes of a store for the next run. `None` if it would be the store there is.
    pub fn store(&self) -> Option<Vec<u8>> {
        if self.is_stored {
            return None;
        }
        let modules = self.files.iter().zip(&self.modules).zip(&self.origins);
        let kept = modules.filter_map(|((file, facts), origin)| {
            Some((file.in_store, (*origin)?, facts.as_ref().ok()?))
        });
        loader_store_of(kept)
    }
}

impl LoaderFile<'_> {
    /// The stamp is taken before the file is read, and its hash too. If the file changes meanwhile,
    /// they fit no facts but its own.
    fn gather(&self, store: &LoaderStore, started: SystemTime, memory: &mut Memory) -> Gathered {
        let stamp = FileStamp::of(self.path).ok();
        let unchanged = stamp.and_then(|stamp| {
            let (facts, hash) = store.unchanged(self.in_store, &stamp)?;
            Some((facts, FileOrigin { stamp, hash }))
        });
        if let Some((facts, origin)) = unchanged {
            return Gathered {
                facts: Ok(facts),
                origin: Some(origin),
                is_read: false,
            };
        }
        let hash = match self.in_store.ends_with(MODULE_SUFFIX.as_bytes()) {
            true => None,
            false => ContentHash::of_file(self.path, &mut memory.buffer).ok(),
        };
        let settled = stamp.filter(|stamp| stamp.is_settled(started));
        let origin = settled.map(|stamp| FileOrigin { stamp, hash });
        if let Some(facts) = stamp.and_then(|stamp| self.copied(store, &stamp, hash)) {
            return Gathered {
                facts: Ok(facts),
                origin,
                is_read: true,
            };
        }
        let read = memory.reader.module(self.path, |module| {
            ModuleFacts::read(module, self.path, Reading::default())
        });
        Gathered {
            facts: read.and_then(|facts| facts),
            origin,
            is_read: true,
        }
    }

    /// The facts that the store has of this very content.
    fn copied(
        &self,
        store: &LoaderStore,
        stamp: &FileStamp,
        hash: Option<ContentHash>,
    ) -> Option<ModuleFacts> {
        let original = store.hash_of_original(self.in_store, stamp)?;
        (hash == Some(original)).then(|| store.of_original(self.in_store))?
    }
}
