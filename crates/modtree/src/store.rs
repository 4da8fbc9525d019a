//! Facts of modules in, a cache file out, and back: so that only what changed is read again.
//!
//! The file is a header, the directories that were walked and one record for each module. It is a cache: damaged, foreign or of
//! another version, it is as if it were not there.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::facts::Facts;
use crate::listing::{Kind, Listing};
use crate::stamp::Stamp;
use crate::strings::Strings;

const MAGIC: [u8; 8] = *b"kmpfacts";
/// Raised whenever records or the facts in them get another meaning.
const VERSION: u32 = 3;

/// Facts of the modules of one tree, by their paths in it, and a digest of what was made of them.
#[derive(Debug, Default)]
pub struct Store {
    bytes: Vec<u8>,
    digest: Vec<u8>,
    listings: HashMap<Vec<u8>, Listing>,
    records: HashMap<Vec<u8>, (Stamp, Range<usize>)>,
    there: bool,
}

impl Store {
    /// Reads a store; an empty one if there is none that can be used.
    pub fn load(path: &Path) -> Self {
        let Ok(bytes) = fs::read(path) else {
            return Self::default();
        };
        Self::parse(bytes).unwrap_or_else(|| {
            log::debug!("{}: no store that can be used", path.display());
            Self::default()
        })
    }

    /// Whether there was a store that can be used.
    pub fn is_there(&self) -> bool {
        self.there
    }

    /// What the last run said of its input and output; empty if it had nothing to say.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// Whether it has the facts of this file, which is what it was.
    pub fn knows(&self, path: &[u8], stamp: &Stamp) -> bool {
        let record = self.records.get(path);
        record.is_some_and(|(kept, _)| kept == stamp)
    }

    /// What the last run saw in a directory.
    pub fn listing(&self, directory: &[u8]) -> Option<&Listing> {
        self.listings.get(directory)
    }

    /// Whether the last run saw just these directories.
    pub fn has_listings(&self, listings: &[(Vec<u8>, Listing)]) -> bool {
        let is_known = |(path, listing): &(Vec<u8>, Listing)| self.listing(path) == Some(listing);
        self.listings.len() == listings.len() && listings.iter().all(is_known)
    }

    /// What the file system said of a file when its facts were read.
    pub fn stamp(&self, path: &[u8]) -> Option<Stamp> {
        self.records.get(path).map(|(stamp, _)| *stamp)
    }

    /// Takes out the facts of a module, if its file is what it was.
    pub fn take(&mut self, path: &[u8], stamp: &Stamp) -> Option<Facts> {
        if !self.knows(path, stamp) {
            return None;
        }
        let (_, range) = self.records.remove(path)?;
        let mut cursor = Cursor {
            bytes: &self.bytes,
            range,
        };
        let mut strings = || cursor.text().map(Strings::from_bytes);
        let kept = [strings()?, strings()?, strings()?, strings()?, strings()?];
        Some(Facts::of_kept(kept))
    }

    /// How many modules it has.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let mut cursor = Cursor {
            bytes: &bytes,
            range: 0..bytes.len(),
        };
        let magic = cursor.take(MAGIC.len())?;
        let (version, crc) = (cursor.word()?, cursor.word()?);
        let body = bytes.get(cursor.range.clone())?;
        if magic != MAGIC || version != VERSION || crc != crc32fast::hash(body) {
            return None;
        }
        let digest = cursor.text()?.to_vec();
        let mut listings = HashMap::new();
        for _ in 0..cursor.word()? {
            let path = cursor.text()?.to_vec();
            listings.insert(path, cursor.listing()?);
        }
        let mut records = HashMap::new();
        while !cursor.range.is_empty() {
            let path = cursor.text()?.to_vec();
            let mut number = || cursor.number();
            let stamp = Stamp {
                device: number()?,
                inode: number()?,
                size: number()?,
                modified: (number()?.cast_signed(), number()?.cast_signed()),
                changed: (number()?.cast_signed(), number()?.cast_signed()),
            };
            let length = cursor.text()?.len();
            let end = cursor.range.start;
            records.insert(path, (stamp, end.checked_sub(length)?..end));
        }
        Some(Self {
            digest,
            listings,
            records,
            there: true,
            bytes,
        })
    }
}

/// The bytes of a store with a digest, the directories that were walked and these modules.
pub fn store_of<'f>(
    digest: &[u8],
    listings: &[(Vec<u8>, Listing)],
    modules: impl Iterator<Item = (&'f [u8], Stamp, &'f Facts)>,
) -> Vec<u8> {
    let text = |bytes: &[u8], out: &mut Vec<u8>| {
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
    };
    let mut body = Vec::new();
    text(digest, &mut body);
    body.extend((listings.len() as u32).to_le_bytes());
    for (path, listing) in listings {
        text(path, &mut body);
        let (device, inode) = listing.identity;
        for number in [device, inode] {
            body.extend(number.to_le_bytes());
        }
        body.extend((listing.entries.len() as u32).to_le_bytes());
        for (name, kind) in &listing.entries {
            body.push(match kind {
                Kind::File => 0,
                Kind::Directory => 1,
                Kind::Other => 2,
            });
            text(name, &mut body);
        }
    }
    let mut kept = Vec::new();
    for (path, stamp, facts) in modules {
        text(path, &mut body);
        let (modified, changed) = (stamp.modified, stamp.changed);
        let times = [modified.0, modified.1, changed.0, changed.1].map(i64::cast_unsigned);
        for number in [stamp.device, stamp.inode, stamp.size]
            .into_iter()
            .chain(times)
        {
            body.extend(number.to_le_bytes());
        }
        kept.clear();
        for strings in facts.kept() {
            text(strings.as_bytes(), &mut kept);
        }
        text(&kept, &mut body);
    }
    let crc = crc32fast::hash(&body);
    let words = [VERSION.to_le_bytes(), crc.to_le_bytes()].concat();
    [&MAGIC[..], &words, &body].concat()
}

/// What is left to read.
struct Cursor<'b> {
    bytes: &'b [u8],
    range: Range<usize>,
}

impl<'b> Cursor<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let rest = self.bytes.get(self.range.clone())?;
        let taken = rest.get(..count)?;
        self.range.start += count;
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        let bytes = self.take(4)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    fn number(&mut self) -> Option<u64> {
        let bytes = self.take(8)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    }

    fn listing(&mut self) -> Option<Listing> {
        let identity = (self.number()?, self.number()?);
        let mut entries = Vec::new();
        for _ in 0..self.word()? {
            let kind = match self.take(1)? {
                [0] => Kind::File,
                [1] => Kind::Directory,
                _ => Kind::Other,
            };
            entries.push((self.text()?.to_vec(), kind));
        }
        Some(Listing { identity, entries })
    }

    fn text(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.word()?).ok()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        Facts {
            aliases: [text.as_bytes(), b""].into_iter().collect(),
            imports: [&b"printk"[..]].into_iter().collect(),
            ..Facts::default()
        }
    }

    fn stamp(inode: u64) -> Stamp {
        Stamp {
            inode,
            modified: (-1, 5),
            ..Stamp::default()
        }
    }

    #[test]
    fn what_is_stored_comes_back_once() {
        let (a, b) = (facts("a"), facts("b"));
        let listing = Listing {
            identity: (1, 2),
            entries: vec![(b"a.ko".to_vec(), Kind::File), (b"x".to_vec(), Kind::Other)],
        };
        let listings = [(b"/tree".to_vec(), listing)];
        let bytes = store_of(
            b"digest",
            &listings,
            [(&b"a.ko"[..], stamp(1), &a), (b"b.ko", stamp(2), &b)].into_iter(),
        );
        let mut store = Store::parse(bytes).unwrap();
        assert_eq!((store.digest(), store.len()), (&b"digest"[..], 2));
        assert_eq!(store.listing(b"/tree"), Some(&listings[0].1));
        assert_eq!(store.stamp(b"b.ko"), Some(stamp(2)));
        assert_eq!(store.take(b"a.ko", &stamp(2)), None);
        assert_eq!(store.take(b"a.ko", &stamp(1)), Some(a));
        assert_eq!(store.take(b"a.ko", &stamp(1)), None);
        assert_eq!(store.take(b"b.ko", &stamp(2)), Some(b));
        assert_eq!(store.take(b"c.ko", &stamp(2)), None);
    }

    #[test]
    fn damage_is_noticed() {
        let facts = facts("a");
        let bytes = store_of(
            b"digest",
            &[],
            [(&b"a.ko"[..], stamp(1), &facts)].into_iter(),
        );
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            assert!(Store::parse(changed).is_none(), "byte {at}");
            assert!(Store::parse(bytes[..at].to_vec()).is_none(), "{at} bytes");
        }
    }
}
