//! The head of a store: what was looked at and what was made of it, without what modules say.

use std::sync::Arc;

use hashbrown::HashMap;

use super::body::Kept;
use super::cursor::Cursor;
use crate::content::Content;
use crate::listing::{Kind, Listing};
use crate::stamp::Stamp;

/// What tells whether anything has changed.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) digest: Vec<u8>,
    /// The files modules were read from, in the order of the body.
    pub(super) sources: Vec<Source>,
    pub(super) listings: HashMap<Vec<u8>, KnownListing>,
}

/// What a module was read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) stamp: Stamp,
    pub(super) content: Option<Content>,
}

/// What the last run saw in a directory, and which modules it read there.
#[derive(Debug, Default)]
pub struct KnownListing {
    /// The directory.
    pub listing: Arc<Listing>,
    /// One for each entry.
    kept: Vec<Option<Kept>>,
}

impl KnownListing {
    /// Where the store has the facts of an entry.
    pub fn kept(&self, entry: usize) -> Option<Kept> {
        self.kept.get(entry).copied().flatten()
    }

    /// The same by the names of entries, for a directory whose entries are others now.
    pub fn kept_by_name(&self) -> HashMap<&[u8], Kept> {
        let entries = self.listing.entries.iter().zip(&self.kept);
        entries
            .filter_map(|((name, _), kept)| Some((&name[..], (*kept)?)))
            .collect()
    }
}

/// A module file as a store knows it.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'s> {
    /// The path of a directory as it is among the listings, a slash if that is not empty, and the name
    /// in it.
    pub path: &'s [u8],
    /// What the file system said of it before it was read.
    pub stamp: Stamp,
    /// The hash of its bytes, if there is to be one.
    pub content: Option<Content>,
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor { rest: bytes };
        let digest = cursor.text()?.to_vec();
        let count = cursor.size()?;
        // What lies about a count gets no memory.
        let mut sources = Vec::with_capacity(count.min(bytes.len()));
        for _ in 0..count {
            sources.push(source(&mut cursor)?);
        }
        let mut listings = HashMap::new();
        for _ in 0..cursor.word()? {
            let path = cursor.text()?.to_vec();
            listings.insert(path, known_listing(&mut cursor)?);
        }
        cursor.rest.is_empty().then_some(Self {
            digest,
            sources,
            listings,
        })
    }
}

/// The bytes [`Head::parse`] takes; `None` where a count or length has no room.
pub(super) fn head_of(
    digest: &[u8],
    listings: &[(Vec<u8>, Arc<Listing>)],
    modules: &[Stored<'_>],
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put_text(digest, &mut out)?;
    put_size(modules.len(), &mut out)?;
    let mut places = HashMap::with_capacity(modules.len());
    for (place, module) in modules.iter().enumerate() {
        put_source(module, &mut out);
        places.insert(module.path, place);
    }
    put_size(listings.len(), &mut out)?;
    let mut path = Vec::new();
    for (directory, listing) in listings {
        put_text(directory, &mut out)?;
        put_listing(listing, &mut out)?;
        for (name, _) in &listing.entries {
            path.clear();
            path.extend_from_slice(directory);
            if !directory.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            // Zero is for none.
            let place = places.get(&path[..]);
            put_size(place.map_or(0, |place| place + 1), &mut out)?;
        }
    }
    Some(out)
}

fn source(cursor: &mut Cursor<'_>) -> Option<Source> {
    let stamp = stamp(cursor)?;
    let content = match cursor.take(1)? {
        [0] => None,
        _ => Some(Content(*cursor.take(16)?.first_chunk()?)),
    };
    Some(Source { stamp, content })
}

fn put_source(module: &Stored<'_>, out: &mut Vec<u8>) {
    put_stamp(&module.stamp, out);
    out.push(u8::from(module.content.is_some()));
    if let Some(Content(hash)) = module.content {
        out.extend(hash);
    }
}

fn known_listing(cursor: &mut Cursor<'_>) -> Option<KnownListing> {
    let listing = listing(cursor)?;
    let mut kept = Vec::with_capacity(listing.entries.len());
    for _ in &listing.entries {
        kept.push(cursor.size()?.checked_sub(1).map(Kept));
    }
    Some(KnownListing {
        listing: Arc::new(listing),
        kept,
    })
}

fn listing(cursor: &mut Cursor<'_>) -> Option<Listing> {
    let identity = (cursor.number()?, cursor.number()?);
    let stamp = match cursor.take(1)? {
        [0] => None,
        _ => Some(stamp(cursor)?),
    };
    let mut entries = Vec::new();
    for _ in 0..cursor.word()? {
        let kind = match cursor.take(1)? {
            [0] => Kind::File,
            [1] => Kind::Directory,
            _ => Kind::Other,
        };
        entries.push((cursor.text()?.to_vec(), kind));
    }
    Some(Listing {
        identity,
        stamp,
        entries,
    })
}

fn put_listing(listing: &Listing, out: &mut Vec<u8>) -> Option<()> {
    let (device, inode) = listing.identity;
    put_numbers([device, inode], out);
    out.push(u8::from(listing.stamp.is_some()));
    if let Some(stamp) = &listing.stamp {
        put_stamp(stamp, out);
    }
    put_size(listing.entries.len(), out)?;
    for (name, kind) in &listing.entries {
        out.push(match kind {
            Kind::File => 0,
            Kind::Directory => 1,
            Kind::Other => 2,
        });
        put_text(name, out)?;
    }
    Some(())
}

fn stamp(cursor: &mut Cursor<'_>) -> Option<Stamp> {
    let mut number = || cursor.number();
    Some(Stamp {
        device: number()?,
        inode: number()?,
        size: number()?,
        modified: (number()? as i64, number()? as i64),
        changed: (number()? as i64, number()? as i64),
    })
}

fn put_stamp(stamp: &Stamp, out: &mut Vec<u8>) {
    let (modified, changed) = (stamp.modified, stamp.changed);
    put_numbers([stamp.device, stamp.inode, stamp.size], out);
    put_numbers(
        [modified.0, modified.1, changed.0, changed.1].map(|number| number as u64),
        out,
    );
}

fn put_numbers<const N: usize>(numbers: [u64; N], out: &mut Vec<u8>) {
    for number in numbers {
        out.extend(number.to_le_bytes());
    }
}

fn put_text(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    put_size(text.len(), out)?;
    out.extend_from_slice(text);
    Some(())
}

pub(super) fn put_size(size: usize, out: &mut Vec<u8>) -> Option<()> {
    out.extend(u32::try_from(size).ok()?.to_le_bytes());
    Some(())
}
