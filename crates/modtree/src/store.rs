//! Facts of modules in, a cache file out, and back: so that only what changed is read again.
//!
//! The file is a header and one record for each module. It is a cache: damaged, foreign or of
//! another version, it is as if it were not there.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::facts::Facts;
use crate::stamp::Stamp;
use crate::strings::Strings;

const MAGIC: [u8; 8] = *b"kmpfacts";
/// Raised whenever records or the facts in them get another meaning.
const VERSION: u32 = 1;

/// Facts of the modules of one tree, by their paths in it.
#[derive(Debug, Default)]
pub struct Store(HashMap<Vec<u8>, (Stamp, Facts)>);

impl Store {
    /// Reads a store; an empty one if there is none that can be used.
    pub fn load(path: &Path) -> Self {
        let Ok(bytes) = fs::read(path) else {
            return Self::default();
        };
        Self::parse(&bytes).unwrap_or_else(|| {
            log::debug!("{}: no store that can be used", path.display());
            Self::default()
        })
    }

    /// Takes out the facts of a module, if its file is what it was.
    pub fn take(&mut self, path: &[u8], stamp: &Stamp) -> Option<Facts> {
        let Self(records) = self;
        let (kept, _) = records.get(path)?;
        if kept != stamp {
            return None;
        }
        records.remove(path).map(|(_, facts)| facts)
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let magic = cursor.bytes(MAGIC.len())?;
        let (version, crc) = (cursor.word()?, cursor.word()?);
        let Cursor(body) = cursor;
        if magic != MAGIC || version != VERSION || crc != crc32fast::hash(body) {
            return None;
        }
        let mut records = HashMap::new();
        while !cursor.0.is_empty() {
            let path = cursor.text()?.to_vec();
            let mut number = || cursor.number();
            let stamp = Stamp {
                device: number()?,
                inode: number()?,
                size: number()?,
                modified: (number()?.cast_signed(), number()?.cast_signed()),
                changed: (number()?.cast_signed(), number()?.cast_signed()),
            };
            let mut strings = || cursor.text().map(Strings::from_bytes);
            let kept = [strings()?, strings()?, strings()?, strings()?, strings()?];
            records.insert(path, (stamp, Facts::of_kept(kept)));
        }
        Some(Self(records))
    }
}

/// The bytes of a store with these modules.
pub fn store_of<'f>(modules: impl Iterator<Item = (&'f [u8], Stamp, &'f Facts)>) -> Vec<u8> {
    let mut body = Vec::new();
    let text = |bytes: &[u8], out: &mut Vec<u8>| {
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
    };
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
        for strings in facts.kept() {
            text(strings.as_bytes(), &mut body);
        }
    }
    let crc = crc32fast::hash(&body);
    let words = [VERSION.to_le_bytes(), crc.to_le_bytes()].concat();
    [&MAGIC[..], &words, &body].concat()
}

struct Cursor<'b>(&'b [u8]);

impl<'b> Cursor<'b> {
    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let Self(rest) = self;
        let (bytes, behind) = rest.split_at_checked(count)?;
        *rest = behind;
        Some(bytes)
    }

    fn word(&mut self) -> Option<u32> {
        let bytes = self.bytes(4)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    fn number(&mut self) -> Option<u64> {
        let bytes = self.bytes(8)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.word()?).ok()?;
        self.bytes(length)
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
        let bytes = store_of([(&b"a.ko"[..], stamp(1), &a), (b"b.ko", stamp(2), &b)].into_iter());
        let mut store = Store::parse(&bytes).unwrap();
        assert_eq!(store.take(b"a.ko", &stamp(2)), None);
        assert_eq!(store.take(b"a.ko", &stamp(1)), Some(a));
        assert_eq!(store.take(b"a.ko", &stamp(1)), None);
        assert_eq!(store.take(b"b.ko", &stamp(2)), Some(b));
        assert_eq!(store.take(b"c.ko", &stamp(2)), None);
    }

    #[test]
    fn damage_is_noticed() {
        let facts = facts("a");
        let bytes = store_of([(&b"a.ko"[..], stamp(1), &facts)].into_iter());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            assert!(Store::parse(&changed).is_none(), "byte {at}");
            assert!(Store::parse(&bytes[..at]).is_none(), "{at} bytes");
        }
    }
}
