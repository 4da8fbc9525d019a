//! Keeps what the kernel's loader asks of modules, in a store of its own.
//!
//! depmod needs none of it and neither reads nor writes this store: a run leaves it in place. It has a
//! stamp for each module file, as the store of depmod's facts has, so whoever asks for a module that
//! has changed since has it read again, and no other.
//!
//! ```text
//! magic, version, checksum of all that follows
//! how many modules; for each: path, stamp, hash or none, length of its record
//! records
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use hashbrown::HashMap;
use loader::ModuleFacts;

use crate::content_hash::ContentHash;
use crate::loader_record::{facts_of, put_record};
use crate::stamp::FileStamp;
use crate::store::format::{Cursor, put_size, put_text};
use crate::store::head::{FileOrigin, ORIGIN, origin, put_origin};

const MAGIC: [u8; 8] = *b"kmploadr";
/// Raised whenever the store or the facts in it get another meaning.
const VERSION: u32 = 1;

/// What an earlier run kept of modules for the kernel's loader; empty if there is none that can be
/// used.
#[derive(Debug, Default)]
pub struct LoaderStore {
    bytes: Vec<u8>,
    /// By the path of the module's file below the release's directory.
    modules: HashMap<Vec<u8>, StoredRecord>,
}

/// Where a record is, and what it was read from.
#[derive(Debug)]
struct StoredRecord {
    origin: FileOrigin,
    range: Range<usize>,
}

impl LoaderStore {
    /// Reads a store.
    pub fn load(path: &Path) -> Self {
        let Ok(bytes) = std::fs::read(path) else {
            return Self::default();
        };
        Self::parse(bytes).unwrap_or_else(|| {
            log::debug!("{}: no store that can be used", path.display());
            Self::default()
        })
    }

    /// Takes the bytes of a store.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self::parse(bytes).unwrap_or_default()
    }

    /// How many modules it has.
    pub fn len(&self) -> usize {
        self.modules.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// The facts of all modules that are not damaged, by the paths of their files, whatever the files
    /// are now.
    #[doc(hidden)]
    pub fn modules(&self) -> BTreeMap<&[u8], ModuleFacts> {
        let modules = self.modules.iter();
        modules
            .filter_map(|(path, stored)| Some((&path[..], self.facts(stored)?)))
            .collect()
    }

    /// The bytes of a store with the same modules, without what is damaged.
    #[doc(hidden)]
    pub fn written_again(&self) -> Option<Vec<u8>> {
        let modules = self.modules();
        let modules = modules.iter().filter_map(|(&path, facts)| {
            let origin = self.modules.get(path)?.origin;
            Some((path, origin, facts))
        });
        loader_store_of(modules)
    }

    /// The facts of a module whose file still has the stamp it had, with the hash of its bytes.
    pub(crate) fn unchanged(
        &self,
        path: &[u8],
        stamp: &FileStamp,
    ) -> Option<(ModuleFacts, Option<ContentHash>)> {
        let stored = self.modules.get(path)?;
        let facts = (stored.origin.stamp == *stamp).then(|| self.facts(stored))?;
        Some((facts?, stored.origin.hash))
    }

    /// The hash that a file must have to be a copy of the one the store knows by this path: it is as
    /// long and as old.
    pub(crate) fn hash_of_original(&self, path: &[u8], stamp: &FileStamp) -> Option<ContentHash> {
        let origin = self.modules.get(path)?.origin;
        origin.hash.filter(|_| stamp.may_be_copy_of(&origin.stamp))
    }

    /// The facts of a module, whatever its file is now.
    pub(crate) fn of_original(&self, path: &[u8]) -> Option<ModuleFacts> {
        self.facts(self.modules.get(path)?)
    }

    fn facts(&self, stored: &StoredRecord) -> Option<ModuleFacts> {
        facts_of(self.bytes.get(stored.range.clone())?)
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let mut cursor = Cursor { rest: &bytes };
        if cursor.take(MAGIC.len())? != MAGIC || cursor.word()? != VERSION {
            return None;
        }
        if cursor.word()? != crc32fast::hash(cursor.rest) {
            return None;
        }
        let count = cursor.count(ORIGIN + 8)?;
        let mut modules = HashMap::with_capacity(count);
        let mut lengths = Vec::with_capacity(count);
        for _ in 0..count {
            let path = cursor.text()?.to_vec();
            let origin = origin(&mut cursor)?;
            lengths.push((path, origin, cursor.size()?));
        }
        let mut start = bytes.len() - cursor.rest.len();
        for (path, origin, length) in lengths {
            let range = start..start.checked_add(length)?;
            start = range.end;
            modules.insert(path, StoredRecord { origin, range });
        }
        (start == bytes.len()).then_some(Self { bytes, modules })
    }
}

/// The bytes of a store with the facts of modules, by the paths of their files. Facts that cannot be
/// kept are left out. `None` if they are more than a store has room for.
pub(crate) fn loader_store_of<'m>(
    modules: impl Iterator<Item = (&'m [u8], FileOrigin, &'m ModuleFacts)>,
) -> Option<Vec<u8>> {
    let mut table = Vec::new();
    let mut records = Vec::new();
    let mut count = 0;
    for (path, origin, facts) in modules {
        let start = records.len();
        if put_record(facts, &mut records).is_none() {
            records.truncate(start);
            continue;
        }
        put_text(path, &mut table)?;
        put_origin(&origin, &mut table);
        put_size(records.len() - start, &mut table)?;
        count += 1;
    }
    let mut counted = Vec::with_capacity(4 + table.len() + records.len());
    put_size(count, &mut counted)?;
    counted.extend(table);
    counted.extend(records);
    Some(checked(&counted))
}

/// Puts magic, version and checksum before the count, table and records of a store. Tests make stores of
/// any bytes by it.
#[doc(hidden)]
pub fn checked(contents: &[u8]) -> Vec<u8> {
    let version = VERSION.to_le_bytes();
    let checksum = crc32fast::hash(contents).to_le_bytes();
    [&MAGIC[..], &version, &checksum, contents].concat()
}
