//! Gathers the facts of all modules: from the store for files that have not changed, else from the
//! files, read on all processors.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::SystemTime;

use facts::{
    ContentHash, FactTable, FileStamp, FreshFacts, ListedDirectory, ReadBuffer, StoreHead,
    StoredFacts, StoredFile, StoredModule, StoredOrFresh, write_store,
};
use id_table::Table;
use kmodule::Reader;
use parallel::map_with;
use rayon::prelude::*;

use crate::checksum::FileChecksum;
use crate::found_modules::FoundModules;
use crate::index_files::output::Output;
use crate::input_digest::{InputDigest, of_indexes};
use crate::kernel_symbols::KernelSymbol;
use crate::module::{FoundModule, ModuleNumber};
use crate::module_path::ModulePath;
use crate::settings::Settings;

/// The modules of a release with their facts.
pub struct ReadModules {
    pub(crate) settings: Settings,
    pub(crate) kernel: Vec<KernelSymbol>,
    pub(crate) modules: Table<ModuleNumber, ModulePath>,
    pub(crate) facts: FactTable<ModuleNumber>,
    directories: Vec<ListedDirectory>,
    inputs: InputDigest,
    /// What each module's facts were read from; `None` if they are not to be kept.
    origins: Table<ModuleNumber, Option<Origin>>,
    started: SystemTime,
    read_anew: usize,
    last: LastStore,
}

/// The store that the facts were looked up in.
struct LastStore {
    digest: Vec<u8>,
    /// Whether the next store would be this one, but for its digest.
    is_same: bool,
}

/// What tells that a file is the one facts were read from.
#[derive(Clone, Copy)]
struct Origin {
    stamp: FileStamp,
    hash: Option<ContentHash>,
}

/// A module whose facts are not known by the stamp of its file.
struct UnknownModule<'m, 's> {
    path: &'m ModulePath,
    /// The module in the store that it may be a copy of, with the hash that would prove it.
    copy_of: Option<(StoredModule<'s>, ContentHash)>,
}

/// The facts of a module, and what they were read from.
struct LearntModule<'s> {
    facts: StoredOrFresh<'s>,
    hash: Option<ContentHash>,
    error: Option<kmodule::Error>,
}

/// Memory of a thread.
#[derive(Default)]
struct Memory {
    reader: Reader,
    buffer: ReadBuffer,
}

impl ReadModules {
    /// Reads every module that the store does not know. Of a damaged module it reads what can be
    /// read, with a message each time.
    pub fn read(found: FoundModules<'_>) -> Self {
        let FoundModules {
            settings,
            kernel,
            modules,
            directories,
            started,
            inputs,
            store,
        } = found;
        let details = settings.needs_symbol_details();
        // A store has no details.
        let store = if details {
            store.without_modules()
        } else {
            store
        };
        let (head, stored) = store.into_parts();
        let known = modules.map(|(_, module)| known(module, &head, &stored));
        let unknown: Vec<_> = modules
            .iter()
            .filter(|(number, _)| known[*number].is_none())
            .map(|(_, module)| UnknownModule {
                path: &module.path,
                copy_of: original(module, &head, &stored),
            })
            .collect();
        let Ok(learnt) = map_with(&unknown, Memory::default, |memory, unknown| {
            Ok::<_, Infallible>(unknown.learn(details, memory))
        });
        let last = LastStore {
            digest: head.digest().to_vec(),
            is_same: unknown.is_empty()
                && head.len() == modules.len()
                && head.has_listings(&directories),
        };
        let mut learnt = learnt.into_iter();
        let mut facts = Table::with_capacity(modules.len());
        let mut origins = Table::with_capacity(modules.len());
        let mut read_anew = 0;
        for (known, module) in known.into_values().zip(modules.values()) {
            let Some(learnt) = known.or_else(|| learnt.next()) else {
                break;
            };
            let stamp = module.stamp.filter(|_| learnt.error.is_none() && !details);
            let hash = learnt.hash;
            origins.push(stamp.map(|stamp| Origin { stamp, hash }));
            read_anew += usize::from(matches!(learnt.facts, StoredOrFresh::Fresh(_)));
            facts.push(learnt.facts);
            if let Some(error) = learnt.error {
                log::error!("failed to load symbols from {error}");
            }
        }
        Self {
            facts: FactTable::new(stored, facts),
            modules: modules.into_values().map(|module| module.path).collect(),
            settings,
            kernel,
            directories,
            inputs,
            origins,
            started,
            read_anew,
            last,
        }
    }

    /// How many modules were read because the store did not know them.
    pub fn read_anew(&self) -> usize {
        self.read_anew
    }

    /// The parts of a store for the next run, about these indexes. `None` if it would be the store of
    /// the last run.
    pub fn store(&self, outputs: &[Output]) -> Option<[Cow<'_, [u8]>; 3]> {
        let checksums: Vec<_> = outputs
            .par_iter()
            .map(|output| (output.file, FileChecksum::of(&output.bytes)))
            .collect();
        let files = self.origins.map(|(number, origin)| {
            let origin = origin.filter(|origin| origin.stamp.is_settled(self.started))?;
            Some(StoredFile {
                path: self.modules[number].in_indexes(),
                stamp: origin.stamp,
                hash: origin.hash,
            })
        });
        // A digest of more modules than the store has would fit a tree without the others.
        let digest = match self.inputs.is_settled() && files.values().all(Option::is_some) {
            true => self.inputs.with(&checksums),
            false => of_indexes(&checksums),
        };
        if self.last.is_same && self.last.digest == digest {
            return None;
        }
        write_store(&digest, &self.directories, &self.facts, &files)
    }
}

impl<'s> UnknownModule<'_, 's> {
    /// Reads the module, unless it is a copy of a module the store knows.
    ///
    /// The hash is taken first. If the file changes meanwhile, the hash fits no other facts than its
    /// own.
    fn learn(&self, details: bool, memory: &mut Memory) -> LearntModule<'s> {
        let path = self.path.path();
        let hash = match self.path.is_compressed() && !details {
            true => ContentHash::of_file(path, &mut memory.buffer).ok(),
            false => None,
        };
        match &self.copy_of {
            Some((module, original)) if hash.as_ref() == Some(original) => {
                return LearntModule::stored(module.clone(), hash);
            }
            _ => {}
        }
        let (facts, error) = FreshFacts::read(path, &mut memory.reader, details);
        LearntModule {
            facts: StoredOrFresh::Fresh(facts),
            hash,
            error,
        }
    }
}

impl<'s> LearntModule<'s> {
    fn stored(module: StoredModule<'s>, hash: Option<ContentHash>) -> Self {
        Self {
            facts: StoredOrFresh::Stored(module),
            hash,
            error: None,
        }
    }
}

/// The facts that the store has of a file that is what it was.
fn known<'s>(
    module: &FoundModule<'s>,
    head: &StoreHead<'s>,
    stored: &StoredFacts<'s>,
) -> Option<LearntModule<'s>> {
    let id = module.known(head)?;
    Some(LearntModule::stored(stored.module(id)?, head.hash(id)))
}

/// The module in the store that this may be a copy of: its file had the same length and time.
///
/// Files that are not compressed have no hash: to read what depmod needs of them is faster than to
/// read all.
fn original<'s>(
    module: &FoundModule<'s>,
    head: &StoreHead<'s>,
    stored: &StoredFacts<'s>,
) -> Option<(StoredModule<'s>, ContentHash)> {
    let id = module.in_store.id()?;
    let may_be_copy = module.stamp?.may_be_copy_of(&head.stamp(id)?);
    may_be_copy.then_some((stored.module(id)?, head.hash(id)?))
}
