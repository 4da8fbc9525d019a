//! Facts of modules in, a cache file out, and back: so that only what changed is read again.
//!
//! The file is a head, which tells whether anything has changed, and a body with what modules say,
//! which is read only where something has. It is a cache: damaged, foreign or of another version, it
//! is as if it were not there.

mod body;
mod cursor;
mod head;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::all_facts::AllFacts;
use crate::content::Content;
use crate::listing::Listing;
use crate::stamp::Stamp;
pub use body::{Kept, KeptFacts};
use cursor::Cursor;
use head::{Head, put_size};
pub use head::{KnownListing, Stored};

const MAGIC: [u8; 8] = *b"kmpfacts";
/// Raised whenever the head, the body or the facts in it get another meaning.
const VERSION: u32 = 5;
/// Magic, version, length and checksum of the head, length and checksum of the body.
const START: usize = 28;

/// Facts of the modules of one tree, by the directories they are in, and a digest of what was made of
/// them.
#[derive(Debug, Default)]
pub struct Store {
    head: Head,
    /// Where the facts are, if there is a store.
    body: Option<Body>,
    /// What was read of them before they were asked for.
    ahead: OnceLock<Option<KeptFacts>>,
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

    /// What the last run saw in a directory.
    pub fn listing(&self, directory: &[u8]) -> Option<&KnownListing> {
        self.head.listings.get(directory)
    }

    /// Whether the last run saw the same in just these directories.
    pub fn has_listings(&self, listings: &[(Vec<u8>, Arc<Listing>)]) -> bool {
        let is_known = |(path, listing): &(Vec<u8>, Arc<Listing>)| {
            let known = self.listing(path);
            known.is_some_and(|known| known.listing.shows_the_same(listing))
        };
        self.head.listings.len() == listings.len() && listings.iter().all(is_known)
    }

    /// What the file system said of a file when its facts were read.
    pub fn stamp(&self, kept: Kept) -> Option<Stamp> {
        self.head.sources.get(kept.0).map(|source| source.stamp)
    }

    /// The hash of a file's bytes, if there is one.
    pub fn content(&self, kept: Kept) -> Option<Content> {
        self.head.sources.get(kept.0)?.content
    }

    /// How many modules it has.
    pub fn len(&self) -> usize {
        self.head.sources.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.head.sources.is_empty()
    }

    /// Reads the facts, which will be asked for, while something else is done.
    pub fn read_ahead(&self) {
        self.ahead.get_or_init(|| self.read());
    }

    /// This store, or an empty one if its facts are damaged.
    pub fn if_sound(self) -> Self {
        self.read_ahead();
        match self.ahead.get() {
            Some(Some(_)) => self,
            _ => Self::default(),
        }
    }

    /// The facts; `None` if they are damaged, or there are none.
    pub fn facts(mut self) -> Option<KeptFacts> {
        self.ahead.take().unwrap_or_else(|| self.read())
    }

    fn read(&self) -> Option<KeptFacts> {
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
            ahead: OnceLock::new(),
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

/// The parts of a store, which are to follow each other in the file: with a digest, the directories
/// that were walked and, of the modules with these facts, those that are to be kept. `None` if they
/// are more than it has room for.
pub fn store_of<'f>(
    digest: &[u8],
    listings: &[(Vec<u8>, Arc<Listing>)],
    facts: &'f AllFacts,
    modules: &[Option<Stored<'_>>],
) -> Option<[Cow<'f, [u8]>; 3]> {
    let stored: Vec<_> = modules.iter().flatten().copied().collect();
    let head = head::head_of(digest, listings, &stored)?;
    let tidy = facts.tidied();
    let (bytes, names, places) = tidy.parts();
    let places: Vec<_> = places
        .iter()
        .zip(modules)
        .filter_map(|(places, module)| module.is_some().then_some(places))
        .collect();
    let behind = body::behind_facts(bytes, names, places.into_iter())?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes);
    hasher.update(&behind);
    let (length, crc) = (bytes.len() + behind.len(), hasher.finalize());
    let mut start = MAGIC.to_vec();
    start.extend(VERSION.to_le_bytes());
    put_size(head.len(), &mut start)?;
    start.extend(checksum(length, crc, &head).to_le_bytes());
    put_size(length, &mut start)?;
    start.extend(crc.to_le_bytes());
    start.extend(head);
    let bytes = match tidy {
        Cow::Borrowed(facts) => Cow::Borrowed(facts.parts().0),
        Cow::Owned(facts) => Cow::Owned(facts.parts().0.to_vec()),
    };
    Some([start.into(), bytes, behind.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all_facts::{Said, Source};
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
        let entry = |name: &str, kind| (name.as_bytes().to_vec(), kind);
        let listing = Listing {
            identity: (1, 2),
            stamp: Some(stamp(2)),
            entries: vec![
                entry("a.ko", Kind::File),
                entry("x", Kind::Other),
                entry("b.ko", Kind::File),
            ],
        };
        [(b"/tree".to_vec(), Arc::new(listing))]
    }

    fn stored(path: &str, inode: u64) -> Option<Stored<'_>> {
        Some(Stored {
            path: path.as_bytes(),
            stamp: stamp(inode),
            content: (inode == 1).then_some(Content([9; 16])),
        })
    }

    /// A store with two modules of three.
    fn bytes() -> Vec<u8> {
        let read = ["a", "none", "b"].map(|text| Source::Read(facts(text)));
        let all = AllFacts::new(KeptFacts::default(), read.to_vec());
        let modules = [stored("/tree/a.ko", 1), None, stored("/tree/b.ko", 2)];
        store_of(b"digest", &listings(), &all, &modules)
            .unwrap()
            .concat()
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
        assert!(store.has_listings(&listings()));
        assert!(store.listing(b"/other").is_none());
        let known = store.listing(b"/tree").unwrap();
        assert_eq!(known.listing, listings()[0].1);
        let [a, none, b] = [0, 1, 2].map(|entry| known.kept(entry));
        assert_eq!((none, known.kept(3)), (None, None));
        let (a, b) = (a.unwrap(), b.unwrap());
        let named = |name: &[u8]| known.kept_by_name().get(name).copied();
        assert_eq!([named(b"a.ko"), named(b"x")], [Some(a), None]);
        assert_eq!(store.stamp(b), Some(stamp(2)));
        let content = [a, b].map(|kept| store.content(kept));
        assert_eq!(content, [Some(Content([9; 16])), None]);
        let sources = vec![Source::Kept(b), Source::Read(facts("c")), Source::Kept(a)];
        store.read_ahead();
        let all = AllFacts::new(store.facts().unwrap(), sources);
        let found: Vec<_> = all.iter().map(texts).collect();
        assert_eq!(found, ["b", "c", "a"].map(|text| texts_of(&facts(text))));
        // One number for each name: a, b, c, both, printk, and what only the third said.
        assert_eq!(all.name_count(), 6);
    }

    /// What is no more goes when it has become too much.
    #[test]
    fn stores_are_tidied() {
        let long = "x".repeat(1000);
        let mut bytes = Vec::new();
        let mut lengths = Vec::new();
        for run in 0..10 {
            let store = open(&bytes).unwrap_or_default();
            let kept = store.listing(b"/tree").and_then(|known| known.kept(0));
            let first = kept.map_or_else(|| Source::Read(facts("first")), Source::Kept);
            let kept = store.facts().unwrap_or_default();
            let second = Source::Read(facts(&format!("{long}{run}")));
            let all = AllFacts::new(kept, vec![first, second]);
            let modules = [stored("/tree/a.ko", 1), stored("/tree/b.ko", run)];
            let parts = store_of(b"", &listings(), &all, &modules).unwrap();
            bytes = parts.concat();
            lengths.push(bytes.len());
            let store = open(&bytes).unwrap();
            let known = store.listing(b"/tree").unwrap();
            let sources = [0, 2].map(|entry| Source::Kept(known.kept(entry).unwrap()));
            let all = AllFacts::new(store.facts().unwrap(), sources.to_vec());
            let found: Vec<_> = all.iter().map(texts).collect();
            let wanted = [facts("first"), facts(&format!("{long}{run}"))];
            assert_eq!(found, wanted.each_ref().map(texts_of), "run {run}");
        }
        let (least, most) = (lengths.iter().min(), lengths.iter().max());
        assert!(most > least && most < least.map(|least| 2 * least).as_ref());
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
            assert!(store.and_then(Store::facts).is_none(), "byte {at}");
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
