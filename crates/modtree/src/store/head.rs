//! The head of a store: what was looked at and what was made of it, without what modules say.

use hashbrown::HashMap;
use std::sync::Arc;

use super::cursor::Cursor;
use crate::listing::{Kind, Listing};
use crate::stamp::Stamp;

/// What tells whether anything has changed.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) digest: Vec<u8>,
    pub(super) listings: HashMap<Vec<u8>, Arc<Listing>>,
    /// Stamps of modules, and their places in the body.
    pub(super) records: HashMap<Vec<u8>, (Stamp, usize)>,
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor { rest: bytes };
        let digest = cursor.text()?.to_vec();
        let mut listings = HashMap::new();
        for _ in 0..cursor.word()? {
            let path = cursor.text()?.to_vec();
            listings.insert(path, Arc::new(listing(&mut cursor)?));
        }
        let mut records = HashMap::new();
        for place in 0..cursor.size()? {
            let path = cursor.text()?.to_vec();
            records.insert(path, (stamp(&mut cursor)?, place));
        }
        cursor.rest.is_empty().then_some(Self {
            digest,
            listings,
            records,
        })
    }
}

/// The bytes [`Head::parse`] takes; `None` where a count or length has no room.
pub(super) fn head_of<'p>(
    digest: &[u8],
    listings: &[(Vec<u8>, Arc<Listing>)],
    modules: impl ExactSizeIterator<Item = (&'p [u8], Stamp)>,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put_text(digest, &mut out)?;
    put_size(listings.len(), &mut out)?;
    for (path, listing) in listings {
        put_text(path, &mut out)?;
        put_listing(listing, &mut out)?;
    }
    put_size(modules.len(), &mut out)?;
    for (path, stamp) in modules {
        put_text(path, &mut out)?;
        put_stamp(&stamp, &mut out);
    }
    Some(out)
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
        modified: (number()?.cast_signed(), number()?.cast_signed()),
        changed: (number()?.cast_signed(), number()?.cast_signed()),
    })
}

fn put_stamp(stamp: &Stamp, out: &mut Vec<u8>) {
    let (modified, changed) = (stamp.modified, stamp.changed);
    put_numbers([stamp.device, stamp.inode, stamp.size], out);
    put_numbers(
        [modified.0, modified.1, changed.0, changed.1].map(i64::cast_unsigned),
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
