//! What is written into a store comes out of it again, and damage is noticed.

use std::sync::Arc;

use id_table::{Table, id};

use crate::ranges::FactRanges;
use crate::store::body::StoredFacts;
use crate::store::format::START;
use crate::*;

id! {
    /// A module of these tests.
    Module
}

fn facts(text: &str) -> FreshFacts {
    FreshFacts {
        aliases: [text.as_bytes(), b""].into_iter().collect(),
        exports: [text.as_bytes(), b"both"].into_iter().collect(),
        imports: [&b"printk"[..], text.as_bytes()].into_iter().collect(),
        ..FreshFacts::default()
    }
}

fn fresh<'s>(text: &str) -> StoredOrFresh<'s> {
    StoredOrFresh::Fresh(facts(text))
}

fn stamp(inode: u64) -> FileStamp {
    FileStamp {
        inode,
        modified: Time {
            seconds: -1,
            nanoseconds: 5,
        },
        ..FileStamp::default()
    }
}

fn directories() -> [ListedDirectory; 1] {
    let entry = |name: &str, kind| DirectoryEntry {
        name: name.as_bytes().to_vec(),
        kind,
    };
    let listing = DirectoryListing {
        identity: DirectoryIdentity {
            device: 1,
            inode: 2,
        },
        stamp: Some(stamp(2)),
        entries: vec![
            entry("a.ko", EntryKind::File),
            entry("x", EntryKind::Other),
            entry("b.ko", EntryKind::File),
        ],
    };
    [ListedDirectory {
        path: b"/tree".to_vec(),
        listing: Arc::new(listing),
    }]
}

fn file(path: &str, inode: u64) -> Option<StoredFile<'_>> {
    Some(StoredFile {
        path: path.as_bytes(),
        stamp: stamp(inode),
        hash: (inode == 1).then_some(ContentHash([9; 16])),
    })
}

fn table<'s>(stored: StoredFacts<'s>, modules: Vec<StoredOrFresh<'s>>) -> FactTable<Module> {
    FactTable::new(stored, modules.into())
}

/// A store with two modules of three.
fn store() -> Vec<u8> {
    let all = table(StoredFacts::none(), ["a", "none", "b"].map(fresh).to_vec());
    let files = vec![file("/tree/a.ko", 1), None, file("/tree/b.ko", 2)];
    written(&directories(), &all, files)
}

fn written(
    directories: &[ListedDirectory],
    facts: &FactTable<Module>,
    files: Vec<Option<StoredFile<'_>>>,
) -> Vec<u8> {
    let parts = write_store(b"digest", directories, facts, &Table::from(files));
    parts.unwrap().concat()
}

/// The ids of `a.ko` and `b.ko`.
fn ids<'s>(head: &StoreHead<'s>) -> [StoredId<'s>; 2] {
    let known = head.listing(b"/tree").unwrap();
    [0, 2].map(|entry| known.module(entry).unwrap())
}

/// Aliases, exports and imports.
type Texts = [Vec<Vec<u8>>; 3];

fn texts(table: &FactTable<Module>) -> Vec<Texts> {
    let name = |id| table.name(id).to_vec();
    let of_module = |(_, facts): (_, ModuleFacts<'_>)| {
        [
            facts.aliases().map(<[u8]>::to_vec).collect(),
            facts.exports().map(name).collect(),
            facts.imports().map(name).collect(),
        ]
    };
    table.iter().map(of_module).collect()
}

fn texts_of(facts: &FreshFacts) -> Texts {
    let all = [&facts.aliases, &facts.exports, &facts.imports];
    all.map(|strings| strings.iter().map(<[u8]>::to_vec).collect())
}

#[test]
fn what_is_stored_comes_back_with_what_is_read() {
    StoreFile::from_bytes(store()).with(|store| {
        let head = store.head();
        assert_eq!((head.digest(), head.len()), (&b"digest"[..], 2));
        assert!(head.has_listings(&directories()));
        assert!(head.listing(b"/other").is_none());
        let known = head.listing(b"/tree").unwrap();
        assert_eq!(*known.listing(), directories()[0].listing);
        assert_eq!((known.module(1), known.module(3)), (None, None));
        let [a, b] = ids(head);
        let by_name = known.modules_by_name();
        let named = |name: &[u8]| by_name.get(name).copied();
        assert_eq!([named(b"a.ko"), named(b"x")], [Some(a), None]);
        assert_eq!(head.stamp(b), Some(stamp(2)));
        let hashes = [a, b].map(|id| head.hash(id));
        assert_eq!(hashes, [Some(ContentHash([9; 16])), None]);
        drop(by_name);
        store.read_ahead();
        let (_, stored) = store.into_parts();
        let [a, b] = [a, b].map(|id| StoredOrFresh::Stored(stored.module(id).unwrap()));
        let all = table(stored, vec![b, fresh("c"), a]);
        let wanted = ["b", "c", "a"].map(|text| texts_of(&facts(text)));
        assert_eq!(texts(&all), wanted);
        // One number for each name: a, b, c, both, printk, and what only the third had.
        assert_eq!(all.name_count(), 6);
    });
}

/// Facts of modules that are gone go when they have become too much.
#[test]
fn stores_are_tidied() {
    let long = "x".repeat(1000);
    let mut bytes = Vec::new();
    let mut lengths = Vec::new();
    for run in 0..10 {
        let second = format!("{long}{run}");
        bytes = StoreFile::from_bytes(bytes).with(|store| {
            let known = store.head().listing(b"/tree");
            let known = known.and_then(|known| known.module(0));
            let (_, stored) = store.into_parts();
            let first = known.and_then(|id| stored.module(id));
            let first = first.map_or_else(|| fresh("first"), StoredOrFresh::Stored);
            let all = table(stored, vec![first, fresh(&second)]);
            let files = vec![file("/tree/a.ko", 1), file("/tree/b.ko", run)];
            written(&directories(), &all, files)
        });
        lengths.push(bytes.len());
        let found = StoreFile::from_bytes(bytes.clone()).with(|store| {
            let ids = ids(store.head());
            let (_, stored) = store.into_parts();
            let modules = ids.map(|id| StoredOrFresh::Stored(stored.module(id).unwrap()));
            texts(&table(stored, modules.to_vec()))
        });
        let wanted = [facts("first"), facts(&second)];
        assert_eq!(found, wanted.each_ref().map(texts_of), "run {run}");
    }
    let (least, most) = (lengths.iter().min(), lengths.iter().max());
    assert!(most > least && most < least.map(|least| 2 * least).as_ref());
}

#[test]
fn damage_is_noticed() {
    let bytes = store();
    let head = u32::from_le_bytes(*bytes[12..].first_chunk().unwrap());
    let body = START + usize::try_from(head).unwrap();
    for at in 0..bytes.len() {
        let cut = StoreFile::from_bytes(bytes[..at].to_vec());
        assert!(!cut.is_there(), "{at} bytes");
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        let changed = StoreFile::from_bytes(changed);
        // Nobody looks at the body before something in it is needed.
        assert_eq!(changed.is_there(), at >= body, "byte {at}");
        changed.with(|store| {
            let (head, facts) = store.into_parts();
            assert!(head.is_empty() && facts.len() == 0, "byte {at}");
        });
    }
    assert!(!StoreFile::from_bytes([&bytes[..], b"more"].concat()).is_there());
}

#[test]
fn a_file_and_its_bytes_are_the_same_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(STORE_NAME);
    let bytes = store();
    std::fs::write(&path, &bytes).unwrap();
    let found = [StoreFile::load(&path), StoreFile::from_bytes(bytes)].map(|file| {
        file.with(|store| {
            let ids = ids(store.head());
            let (head, stored) = store.into_parts();
            let modules = ids.map(|id| StoredOrFresh::Stored(stored.module(id).unwrap()));
            (head.len(), texts(&table(stored, modules.to_vec())))
        })
    });
    assert_eq!(found[0], found[1]);
    assert!(!StoreFile::load(&directory.path().join("none")).is_there());
}

#[test]
fn other_versions_are_no_stores() {
    let mut bytes = store();
    bytes[8] -= 1;
    assert!(!StoreFile::from_bytes(bytes).is_there());
    assert!(!StoreFile::from_bytes(b"kmpfacts".to_vec()).is_there());
}

/// A body whose checksum is right and whose numbers are wrong is refused, or at least harmless.
#[test]
fn wrong_numbers_are_harmless() {
    let bytes = store();
    let head = u32::from_le_bytes(*bytes[12..].first_chunk().unwrap());
    let body = bytes[START + usize::try_from(head).unwrap()..].to_vec();
    assert!(StoredFacts::parse(body.clone()).is_some());
    let check = |body: Vec<u8>, at: usize| {
        let Some(stored) = StoredFacts::parse(body) else {
            return;
        };
        let first = StoreFile::from_bytes(bytes.clone()).with(|_| fresh("a"));
        let all = table(stored, vec![first]);
        assert_eq!(texts(&all), [texts_of(&facts("a"))], "byte {at}");
    };
    for at in 0..body.len() {
        for wrong in [0, 1, 0x7f, 0xff] {
            let mut changed = body.clone();
            changed[at] = wrong;
            check(changed, at);
        }
        let mut changed = body.clone();
        if let Some(word) = changed.get_mut(at..at + 4) {
            word.fill(0xff);
            check(changed, at);
        }
    }
    for length in 0..body.len() {
        assert!(StoredFacts::parse(body[..length].to_vec()).is_none());
    }
}

/// A body of `count` modules, each of which claims all of `facts` for its aliases.
fn overlapping(facts: &[u8], count: u32) -> Vec<u8> {
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut body = facts.to_vec();
    body.extend(word(0));
    body.extend(count.to_le_bytes());
    for _ in 0..count {
        body.extend([word(0), word(facts.len())].concat());
        body.extend([0; 8 * (FactRanges::KINDS - 1)]);
    }
    body.extend(word(facts.len()));
    body
}

/// 5.4 MB of modules that all claim the same facts kept a run at work for 21 s.
#[test]
fn no_two_modules_have_the_same_bytes() {
    assert!(StoredFacts::parse(overlapping(b"alias\0", 1)).is_some());
    assert!(StoredFacts::parse(overlapping(b"alias\0", 2)).is_none());
}

/// Nor do two entries of directories, so that a store never stands for more facts than it has.
#[test]
fn no_two_entries_are_the_same_module() {
    let all = table(StoredFacts::none(), vec![fresh("a")]);
    let [mut first] = directories();
    let twice = |directories: &[ListedDirectory]| {
        let bytes = written(directories, &all, vec![file("/tree/a.ko", 1)]);
        StoreFile::from_bytes(bytes).is_there()
    };
    assert!(twice(std::slice::from_ref(&first)));
    // A directory that is walked twice is one.
    assert!(twice(&[first.clone(), first.clone()]));
    let listing = Arc::make_mut(&mut first.listing);
    listing.entries.push(listing.entries[0].clone());
    assert!(!twice(&[first]));
}

/// Two stores of a kilobyte and a megabyte whose modules import one long name again and again: what
/// is written for the next run grows as the store does.
#[test]
fn a_name_is_written_once_however_often_it_is_imported() {
    let lengths = [300, 2_400].map(|count: usize| {
        let name = "n".repeat(4 * count);
        let imports = std::iter::repeat_n(name.as_bytes(), count).collect();
        let module = FreshFacts {
            imports,
            ..FreshFacts::default()
        };
        let gone = FreshFacts {
            aliases: std::iter::once(&vec![b'g'; 50 * count][..]).collect(),
            ..FreshFacts::default()
        };
        let fresh = [module, gone].map(StoredOrFresh::Fresh).to_vec();
        let all = table(StoredFacts::none(), fresh);
        let files = vec![file("/tree/a.ko", 1), file("/tree/b.ko", 2)];
        let bytes = written(&directories(), &all, files);
        let tidied = StoreFile::from_bytes(bytes).with(|store| {
            let [a, _] = ids(store.head());
            let (_, stored) = store.into_parts();
            let a = StoredOrFresh::Stored(stored.module(a).unwrap());
            let all = table(stored, vec![a]);
            written(&directories(), &all, vec![file("/tree/a.ko", 1)])
        });
        tidied.len()
    });
    assert!(lengths[1] < 9 * lengths[0], "{lengths:?}");
}
