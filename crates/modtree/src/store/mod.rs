//! Facts of modules in, a cache file out, and back: so that only what changed is read again.
//!
//! The file is a head, which tells whether anything has changed, and a body with what modules say,
//! which is read only where something has. It is a cache: damaged, foreign or of another version, it
//! is as if it were not there.

mod body;
mod cursor;
mod head;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::all_facts::Said;
use crate::listing::Listing;
use crate::stamp::Stamp;
pub use body::{Kept, KeptFacts};
use cursor::Cursor;
use head::{Head, put_size};

const MAGIC: [u8; 8] = *b"kmpfacts";
/// Raised whenever the head, the body or the facts in it get another meaning.
const VERSION: u32 = 4;
/// Magic, version, length and checksum of the head, length and checksum of the body.
const START: usize = 28;

/// Facts of the modules of one tree, by their paths in it, and a digest of what was made of them.
#[derive(Debug, Default)]
pub struct Store {
    head: Head,
    /// Where the facts are, if there is a store.
    body: Option<Body>,
}

/// A body that has not been read yet.
#[derive(Debug)]
struct Body {
    file: File,
    start: u64,
    length: usize,
    crc: u32,
}

impl Store {
    /// Reads the head of a store; an empty one if there is none that can be used.
    pub fn load(path: &Path) -> Self {
        let Ok(file) = File::open(path) else {
            return Self::default();
        };
        Self::open(file).unwrap_or_else(|| {
            log::debug!("{}: no store that can be used", path.display());
            Self::default()
        })
    }

    /// Whether there was a store that can be used.
    pub fn is_there(&self) -> bool {
        self.body.is_some()
    }

    /// What the last run said of its input and output; empty if it had nothing to say.
    pub fn digest(&self) -> &[u8] {
        &self.head.digest
    }

    /// Where it has the facts of this file, if the file is what it was.
    pub fn find(&self, path: &[u8], stamp: &Stamp) -> Option<Kept> {
        let (kept, place) = self.head.records.get(path)?;
        (kept == stamp).then_some(Kept(*place))
    }

    /// What the last run saw in a directory.
    pub fn listing(&self, directory: &[u8]) -> Option<&Arc<Listing>> {
        self.head.listings.get(directory)
    }

    /// Whether the last run saw the same in just these directories.
    pub fn has_listings(&self, listings: &[(Vec<u8>, Arc<Listing>)]) -> bool {
        let is_known = |(path, listing): &(Vec<u8>, Arc<Listing>)| {
            let known = self.listing(path);
            known.is_some_and(|known| known.shows_the_same(listing))
        };
        self.head.listings.len() == listings.len() && listings.iter().all(is_known)
    }

    /// What the file system said of a file when its facts were read.
    pub fn stamp(&self, path: &[u8]) -> Option<Stamp> {
        self.head.records.get(path).map(|(stamp, _)| *stamp)
    }

    /// How many modules it has.
    pub fn len(&self) -> usize {
        self.head.records.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.head.records.is_empty()
    }

    /// Reads the facts; `None` if they are damaged, or there are none.
    pub fn facts(&self) -> Option<KeptFacts> {
        let body = self.body.as_ref()?;
        let facts = body.read().and_then(KeptFacts::parse);
        if facts.is_none() {
            log::debug!("the facts of a store cannot be used");
        }
        facts.filter(|facts| facts.len() == self.len())
    }

    fn open(mut file: File) -> Option<Self> {
        let mut start = [0; START];
        file.read_exact(&mut start).ok()?;
        let mut cursor = Cursor { rest: &start };
        if cursor.take(MAGIC.len())? != MAGIC || cursor.word()? != VERSION {
            return None;
        }
        let (head, head_crc) = (cursor.size()?, cursor.word()?);
        let (length, crc) = (cursor.size()?, cursor.word()?);
        let body_start = u64::try_from(START.checked_add(head)?).ok()?;
        let end = body_start.checked_add(u64::try_from(length).ok()?)?;
        // What lies about its length gets no memory.
        if file.metadata().ok()?.len() != end {
            return None;
        }
        let mut bytes = vec![0; head];
        file.read_exact(&mut bytes).ok()?;
        if checksum(length, crc, &bytes) != head_crc {
            return None;
        }
        Some(Self {
            head: Head::parse(&bytes)?,
            body: Some(Body {
                file,
                start: body_start,
                length,
                crc,
            }),
        })
    }
}

impl Body {
    fn read(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.length];
        let read: io::Result<()> = self.file.read_exact_at(&mut bytes, self.start);
        read.ok()?;
        (crc32fast::hash(&bytes) == self.crc).then_some(bytes)
    }
}

/// That of the head, which answers for what is said of the body, too.
fn checksum(body_length: usize, body_crc: u32, head: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(body_length as u64).to_le_bytes());
    hasher.update(&body_crc.to_le_bytes());
    hasher.update(head);
    hasher.finalize()
}

/// The parts of a store with a digest, the directories that were walked and these modules, which are
/// to follow each other in the file; `None` if they are more than it has room for.
pub fn store_of(
    digest: &[u8],
    listings: &[(Vec<u8>, Arc<Listing>)],
    modules: &[(&[u8], Stamp, Said<'_>)],
) -> Option<[Vec<u8>; 2]> {
    let facts: Vec<_> = modules.iter().map(|(_, _, said)| *said).collect();
    let stamps = modules.iter().map(|&(path, stamp, _)| (path, stamp));
    let (body, head) = rayon::join(
        || body::body_of(&facts),
        || head::head_of(digest, listings, stamps),
    );
    let (body, head) = (body?, head?);
    let crc = crc32fast::hash(&body);
    let mut start = MAGIC.to_vec();
    start.extend(VERSION.to_le_bytes());
    put_size(head.len(), &mut start)?;
    start.extend(checksum(body.len(), crc, &head).to_le_bytes());
    put_size(body.len(), &mut start)?;
    start.extend(crc.to_le_bytes());
    start.extend(head);
    Some([start, body])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all_facts::{AllFacts, Source};
    use crate::facts::Facts;
    use crate::listing::Kind;

    fn facts(text: &str) -> Facts {
        Facts {
            aliases: [text.as_bytes(), b""].into_iter().collect(),
            exports: [text.as_bytes(), b"both"].into_iter().collect(),
            imports: [&b"printk"[..], text.as_bytes()].into_iter().collect(),
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

    fn listings() -> [(Vec<u8>, Arc<Listing>); 1] {
        let listing = Listing {
            identity: (1, 2),
            stamp: Some(stamp(2)),
            entries: vec![(b"a.ko".to_vec(), Kind::File), (b"x".to_vec(), Kind::Other)],
        };
        [(b"/tree".to_vec(), Arc::new(listing))]
    }

    /// A store with two modules.
    fn bytes() -> Vec<u8> {
        let read = ["a", "b"].map(|text| Source::Read(facts(text)));
        let all = AllFacts::new(KeptFacts::default(), read.to_vec());
        let modules: Vec<_> = [(&b"a.ko"[..], stamp(1)), (b"b.ko", stamp(2))]
            .into_iter()
            .zip(all.iter())
            .map(|((path, stamp), said)| (path, stamp, said))
            .collect();
        store_of(b"digest", &listings(), &modules).unwrap().concat()
    }

    fn open(bytes: &[u8]) -> Option<Store> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        std::fs::write(&path, bytes).unwrap();
        Store::open(File::open(path).unwrap())
    }

    /// Aliases, exports and imports.
    type Texts = [Vec<Vec<u8>>; 3];

    fn texts(said: Said<'_>) -> Texts {
        let name = |id| said.all().name(id).to_vec();
        [
            said.aliases().map(<[u8]>::to_vec).collect(),
            said.exports().map(name).collect(),
            said.imports().map(name).collect(),
        ]
    }

    fn texts_of(facts: &Facts) -> Texts {
        let all = [&facts.aliases, &facts.exports, &facts.imports];
        all.map(|strings| strings.iter().map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn what_is_stored_comes_back_with_what_is_read() {
        let store = open(&bytes()).unwrap();
        assert_eq!((store.digest(), store.len()), (&b"digest"[..], 2));
        assert_eq!(store.listing(b"/tree"), Some(&listings()[0].1));
        assert!(store.has_listings(&listings()));
        assert_eq!(store.stamp(b"b.ko"), Some(stamp(2)));
        assert_eq!(store.find(b"a.ko", &stamp(2)), None);
        assert_eq!(store.find(b"c.ko", &stamp(2)), None);
        let kept = |path, inode| Source::Kept(store.find(path, &stamp(inode)).unwrap());
        let sources = vec![
            kept(&b"b.ko"[..], 2),
            Source::Read(facts("c")),
            kept(b"a.ko", 1),
        ];
        let all = AllFacts::new(store.facts().unwrap(), sources);
        let found: Vec<_> = all.iter().map(texts).collect();
        assert_eq!(found, ["b", "c", "a"].map(|text| texts_of(&facts(text))));
        // One number for each name: a, b, c, both, printk.
        assert_eq!(all.name_count(), 5);
        // What is left out takes its names along.
        let last = all.iter().nth(2).unwrap();
        let parts = store_of(b"", &[], &[(b"a.ko", stamp(1), last)]).unwrap();
        let store = open(&parts.concat()).unwrap();
        let kept = store.find(b"a.ko", &stamp(1)).unwrap();
        let all = AllFacts::new(store.facts().unwrap(), vec![Source::Kept(kept)]);
        assert_eq!(all.name_count(), 3);
        assert_eq!(
            all.iter().map(texts).collect::<Vec<_>>(),
            [texts_of(&facts("a"))]
        );
    }

    #[test]
    fn damage_is_noticed() {
        let bytes = bytes();
        let start = START
            + usize::try_from(u32::from_le_bytes(*bytes[12..].first_chunk().unwrap())).unwrap();
        for at in 0..bytes.len() {
            assert!(open(&bytes[..at]).is_none(), "{at} bytes");
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            let store = open(&changed);
            // Nobody looks at the body before something in it is needed.
            assert_eq!(store.is_some(), at >= start, "byte {at}");
            assert!(
                store.is_none_or(|store| store.facts().is_none()),
                "byte {at}"
            );
        }
        assert!(open(&[&bytes[..], b"more"].concat()).is_none());
    }

    #[test]
    fn other_versions_are_no_stores() {
        let mut bytes = bytes();
        bytes[8] -= 1;
        assert!(open(&bytes).is_none());
        assert!(open(b"kmpfacts").is_none());
    }

    /// A body with right checksums that says what cannot be is refused, or at least harmless.
    #[test]
    fn numbers_that_lie_are_harmless() {
        let body = open(&bytes()).unwrap().body.unwrap().read().unwrap();
        assert!(KeptFacts::parse(body.clone()).is_some());
        for at in 0..body.len() {
            for lie in [0, 1, 0x7f, 0xff] {
                let mut lying = body.clone();
                lying[at] = lie;
                let Some(kept) = KeptFacts::parse(lying) else {
                    continue;
                };
                let sources = vec![
                    Source::Kept(Kept(0)),
                    Source::Kept(Kept(7)),
                    Source::Read(facts("a")),
                ];
                let all = AllFacts::new(kept, sources);
                assert_eq!(
                    texts(all.iter().nth(2).unwrap()),
                    texts_of(&facts("a")),
                    "byte {at}"
                );
            }
            let mut lying = body.clone();
            if let Some(word) = lying.get_mut(at..at + 4) {
                word.fill(0xff);
            }
            let _ = KeptFacts::parse(lying);
        }
        for length in 0..body.len() {
            assert!(KeptFacts::parse(body[..length].to_vec()).is_none());
        }
    }
}
