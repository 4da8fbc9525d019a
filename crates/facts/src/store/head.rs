//! The head of a store: which directories and files were looked at, and what was made of them.

use std::sync::Arc;

use hashbrown::HashMap;

use super::format::{Cursor, put_numbers, put_size, put_text};
use super::id::{Brand, StoredId};
use crate::content_hash::ContentHash;
use crate::listing::{
    DirectoryEntry, DirectoryIdentity, DirectoryListing, EntryKind, ListedDirectory,
};
use crate::stamp::{FileStamp, Time};

/// Bytes of the origin of a file without a hash: its stamp, and whether it has a hash.
pub(crate) const ORIGIN: usize = 7 * 8 + 1;

/// What tells whether anything has changed.
#[derive(Debug)]
pub struct StoreHead<'s> {
    head: Head,
    brand: Brand<'s>,
}

/// What the last run saw in a directory, and which modules it read there.
#[derive(Clone, Copy, Debug)]
pub struct StoredListing<'h, 's> {
    listed: &'h Listed,
    brand: Brand<'s>,
}

/// The same, whichever store it is of.
#[derive(Debug, Default)]
pub(crate) struct Head {
    digest: Vec<u8>,
    /// What modules were read from, in the order of the body.
    origins: Vec<FileOrigin>,
    directories: HashMap<Vec<u8>, Listed>,
}

/// What tells whether a file still is what facts were read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileOrigin {
    pub(crate) stamp: FileStamp,
    pub(crate) hash: Option<ContentHash>,
}

#[derive(Debug)]
struct Listed {
    listing: Arc<DirectoryListing>,
    /// For each entry the number of its module, if the store has its facts.
    modules: Vec<Option<usize>>,
}

impl<'h, 's> StoredListing<'h, 's> {
    /// The directory.
    pub fn listing(self) -> &'h Arc<DirectoryListing> {
        &self.listed.listing
    }

    /// The module that an entry is, if the store has its facts.
    pub fn module(self, entry: usize) -> Option<StoredId<'s>> {
        let index = self.listed.modules.get(entry).copied().flatten()?;
        Some(StoredId::new(index, self.brand))
    }

    /// The modules by the names of their entries, for a directory that has other entries now.
    pub fn modules_by_name(self) -> HashMap<&'h [u8], StoredId<'s>> {
        let entries = self.listed.listing.entries.iter().enumerate();
        entries
            .filter_map(|(entry, DirectoryEntry { name, .. })| {
                Some((&name[..], self.module(entry)?))
            })
            .collect()
    }
}

impl<'s> StoreHead<'s> {
    /// The head of the store with this brand.
    pub(crate) fn new(head: Head, brand: Brand<'s>) -> Self {
        Self { head, brand }
    }

    /// What the last run said of its input and output; empty if it had nothing to say.
    pub fn digest(&self) -> &[u8] {
        &self.head.digest
    }

    /// What the last run saw in a directory.
    pub fn listing(&self, directory: &[u8]) -> Option<StoredListing<'_, 's>> {
        let listed = self.head.directories.get(directory)?;
        Some(StoredListing {
            listed,
            brand: self.brand,
        })
    }

    /// Whether the last run saw the same in just these directories.
    pub fn has_listings(&self, directories: &[ListedDirectory]) -> bool {
        let is_known = |directory: &ListedDirectory| {
            let known = self.listing(&directory.path);
            known.is_some_and(|known| known.listing().has_same_entries(&directory.listing))
        };
        self.head.directories.len() == directories.len() && directories.iter().all(is_known)
    }

    /// The stamp that a module's file had when its facts were read.
    pub fn stamp(&self, id: StoredId<'s>) -> Option<FileStamp> {
        self.head.origins.get(id.index()).map(|origin| origin.stamp)
    }

    /// The hash of its bytes, if it has one.
    pub fn hash(&self, id: StoredId<'s>) -> Option<ContentHash> {
        self.head.origins.get(id.index())?.hash
    }

    /// How many modules there are.
    pub fn len(&self) -> usize {
        self.head.origins.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.head.origins.is_empty()
    }
}

impl Head {
    /// Takes a head apart; `None` if it is damaged.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor { rest: bytes };
        let digest = cursor.text()?.to_vec();
        let count = cursor.count(ORIGIN)?;
        let mut origins = Vec::with_capacity(count);
        for _ in 0..count {
            origins.push(origin(&mut cursor)?);
        }
        let mut directories = HashMap::new();
        for _ in 0..cursor.word()? {
            let path = cursor.text()?.to_vec();
            directories.insert(path, listed(&mut cursor)?);
        }
        // Each entry is a file of its own and has facts of its own. If several could have the same, a
        // small store would stand for many facts.
        let mut is_taken = vec![false; count];
        let modules = directories.values().flat_map(|listed| &listed.modules);
        for &module in modules.flatten() {
            if std::mem::replace(is_taken.get_mut(module)?, true) {
                return None;
            }
        }
        cursor.rest.is_empty().then_some(Self {
            digest,
            origins,
            directories,
        })
    }
}

/// The bytes that [`Head::parse`] takes; `None` if a count or length has no room. Modules have
/// the paths of their directories, as these have them here, a slash where that is not empty, and
/// their names.
pub(crate) fn head_of<'p>(
    digest: &[u8],
    directories: &[ListedDirectory],
    modules: impl ExactSizeIterator<Item = (&'p [u8], FileOrigin)>,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put_text(digest, &mut out)?;
    put_size(modules.len(), &mut out)?;
    let mut indexes = HashMap::with_capacity(modules.len());
    for (index, (path, origin)) in modules.enumerate() {
        put_origin(&origin, &mut out);
        indexes.insert(path, index);
    }
    put_size(directories.len(), &mut out)?;
    let mut path = Vec::new();
    for ListedDirectory {
        path: directory,
        listing,
    } in directories
    {
        put_text(directory, &mut out)?;
        put_listing(listing, &mut out)?;
        for entry in &listing.entries {
            path.clear();
            path.extend_from_slice(directory);
            if !directory.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(&entry.name);
            // Zero is for none.
            let index = indexes.get(&path[..]);
            put_size(index.map_or(0, |index| index + 1), &mut out)?;
        }
    }
    Some(out)
}

pub(crate) fn origin(cursor: &mut Cursor<'_>) -> Option<FileOrigin> {
    let stamp = stamp(cursor)?;
    let hash = match cursor.take(1)? {
        [0] => None,
        _ => Some(ContentHash(*cursor.take(16)?.first_chunk()?)),
    };
    Some(FileOrigin { stamp, hash })
}

pub(crate) fn put_origin(origin: &FileOrigin, out: &mut Vec<u8>) {
    put_stamp(&origin.stamp, out);
    out.push(u8::from(origin.hash.is_some()));
    if let Some(ContentHash(hash)) = origin.hash {
        out.extend(hash);
    }
}

fn listed(cursor: &mut Cursor<'_>) -> Option<Listed> {
    let listing = listing(cursor)?;
    let mut modules = Vec::with_capacity(listing.entries.len());
    for _ in &listing.entries {
        modules.push(cursor.size()?.checked_sub(1));
    }
    Some(Listed {
        listing: Arc::new(listing),
        modules,
    })
}

fn listing(cursor: &mut Cursor<'_>) -> Option<DirectoryListing> {
    let identity = DirectoryIdentity {
        device: cursor.number()?,
        inode: cursor.number()?,
    };
    let stamp = match cursor.take(1)? {
        [0] => None,
        _ => Some(stamp(cursor)?),
    };
    let mut entries = Vec::new();
    for _ in 0..cursor.word()? {
        let kind = match cursor.take(1)? {
            [0] => EntryKind::File,
            [1] => EntryKind::Directory,
            _ => EntryKind::Other,
        };
        let name = cursor.text()?.to_vec();
        entries.push(DirectoryEntry { name, kind });
    }
    Some(DirectoryListing {
        identity,
        stamp,
        entries,
    })
}

fn put_listing(listing: &DirectoryListing, out: &mut Vec<u8>) -> Option<()> {
    let DirectoryIdentity { device, inode } = listing.identity;
    put_numbers([device, inode], out);
    out.push(u8::from(listing.stamp.is_some()));
    if let Some(stamp) = &listing.stamp {
        put_stamp(stamp, out);
    }
    put_size(listing.entries.len(), out)?;
    for DirectoryEntry { name, kind } in &listing.entries {
        out.push(match kind {
            EntryKind::File => 0,
            EntryKind::Directory => 1,
            EntryKind::Other => 2,
        });
        put_text(name, out)?;
    }
    Some(())
}

fn stamp(cursor: &mut Cursor<'_>) -> Option<FileStamp> {
    Some(FileStamp {
        device: cursor.number()?,
        inode: cursor.number()?,
        size: cursor.number()?,
        modified: time(cursor)?,
        changed: time(cursor)?,
    })
}

fn time(cursor: &mut Cursor<'_>) -> Option<Time> {
    Some(Time {
        seconds: cursor.number()? as i64,
        nanoseconds: cursor.number()? as i64,
    })
}

fn put_stamp(stamp: &FileStamp, out: &mut Vec<u8>) {
    put_numbers([stamp.device, stamp.inode, stamp.size], out);
    for time in [stamp.modified, stamp.changed] {
        put_numbers([time.seconds as u64, time.nanoseconds as u64], out);
    }
}
