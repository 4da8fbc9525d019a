//! Writes a store for the next run.

use std::borrow::Cow;

use id_table::{Id, Table};

use crate::content_hash::ContentHash;
use crate::listing::ListedDirectory;
use crate::stamp::FileStamp;
use crate::store::body::behind_facts;
use crate::store::format::{MAGIC, VERSION, head_checksum, put_size};
use crate::store::head::{FileOrigin, head_of};
use crate::table::FactTable;

/// The file of a module whose facts go into a store.
#[derive(Clone, Copy, Debug)]
pub struct StoredFile<'s> {
    /// The path of its directory as it is among the listings, a slash if that is not empty, and its
    /// name.
    pub path: &'s [u8],
    /// The stamp it had before it was read.
    pub stamp: FileStamp,
    /// The hash of its bytes, if it is to have one.
    pub hash: Option<ContentHash>,
}

/// The parts of a store, in the order they follow each other in the file: a digest, the directories
/// that were walked, and of the modules with these facts those that have a file here. `None` if that
/// is more than a store has room for.
pub fn write_store<'f, I: Id>(
    digest: &[u8],
    directories: &[ListedDirectory],
    facts: &'f FactTable<I>,
    files: &Table<I, Option<StoredFile<'_>>>,
) -> Option<[Cow<'f, [u8]>; 3]> {
    let origin = |file: &StoredFile<'_>| FileOrigin {
        stamp: file.stamp,
        hash: file.hash,
    };
    let stored: Vec<_> = files.values().flatten().collect();
    let origins = stored.iter().map(|file| (file.path, origin(file)));
    let head = head_of(digest, directories, origins)?;
    let tidy = facts.tidied();
    let (bytes, names, ranges) = tidy.parts();
    let stored: Vec<_> = ranges
        .iter()
        .filter_map(|(id, ranges)| files.lookup(id)?.is_some().then_some(ranges))
        .collect();
    let behind = behind_facts(bytes, names, stored.into_iter())?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes);
    hasher.update(&behind);
    let start = start(&head, bytes.len() + behind.len(), hasher.finalize())?;
    let bytes = match tidy {
        Cow::Borrowed(facts) => Cow::Borrowed(facts.parts().0),
        Cow::Owned(facts) => Cow::Owned(facts.into_bytes()),
    };
    Some([start.into(), bytes, behind.into()])
}

/// All that is before the body, which has this length and checksum.
fn start(head: &[u8], length: usize, checksum: u32) -> Option<Vec<u8>> {
    let mut start = MAGIC.to_vec();
    start.extend(VERSION.to_le_bytes());
    put_size(head.len(), &mut start)?;
    start.extend(head_checksum(length, checksum, head).to_le_bytes());
    put_size(length, &mut start)?;
    start.extend(checksum.to_le_bytes());
    start.extend_from_slice(head);
    Some(start)
}

/// A store with any head and body, for tests of what is in them: the checksums are right.
#[doc(hidden)]
pub fn store_of(head: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let start = start(head, body.len(), crc32fast::hash(body))?;
    Some([&start, body].concat())
}
