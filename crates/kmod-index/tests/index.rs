//! What is written is read back, and no bytes make the reader panic.

use std::collections::BTreeMap;

use kmod_index::{Entry, Index, Layout, ReadError, WriteError, matches, write};
use proptest::prelude::*;

const LAYOUTS: [Layout; 2] = [Layout::PreOrder, Layout::PostOrder];

type Entries = Vec<(String, String, u32)>;

fn borrowed(entries: &Entries) -> Vec<Entry<'_>> {
    entries
        .iter()
        .map(|(key, value, priority)| Entry {
            key: key.as_bytes(),
            value: value.as_bytes(),
            priority: *priority,
        })
        .collect()
}

/// The values of each key as kmod's list insertion orders them.
fn expected(entries: &Entries) -> BTreeMap<&[u8], Vec<(u32, &[u8])>> {
    let mut all: BTreeMap<_, Vec<(u32, &[u8])>> = BTreeMap::new();
    for (key, value, priority) in entries {
        let values = all.entry(key.as_bytes()).or_default();
        let at = values.partition_point(|(other, _)| other < priority);
        values.insert(at, (*priority, value.as_bytes()));
    }
    all
}

fn some_entries() -> impl Strategy<Value = Entries> {
    prop::collection::vec(("[a-c*:]{0,6}", "[a-z]{0,4}", 0..4_u32), 0..60)
}

proptest! {
    #[test]
    fn entries_come_back(entries in some_entries()) {
        let expected = expected(&entries);
        for layout in LAYOUTS {
            let bytes = write(&borrowed(&entries), layout).unwrap();
            let index = Index::new(&bytes).unwrap();
            let all = index.all().unwrap();
            let read: Vec<_> = all.iter().map(|found| (&found.key[..], found.values.clone())).collect();
            let wanted: Vec<_> = expected.iter().map(|(key, values)| (*key, values.clone())).collect();
            prop_assert_eq!(read, wanted);
            for (key, values) in &expected {
                prop_assert_eq!(&index.get(key).unwrap(), values);
            }
            prop_assert!(index.get(b"abcabcabc").unwrap().is_empty());
        }
    }

    #[test]
    fn order_of_different_keys_does_not_matter(entries in some_entries()) {
        let mut sorted = entries.clone();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        for layout in LAYOUTS {
            prop_assert_eq!(write(&borrowed(&entries), layout), write(&borrowed(&sorted), layout));
        }
    }

    #[test]
    fn patterns_are_found(entries in some_entries(), text in "[a-c:]{0,6}") {
        let bytes = write(&borrowed(&entries), Layout::PreOrder).unwrap();
        let found = Index::new(&bytes).unwrap().matching(text.as_bytes()).unwrap();
        let found: Vec<_> = found.into_iter().map(|found| found.key).collect();
        let wanted: Vec<_> = expected(&entries).into_keys().filter(|key| matches(key, text.as_bytes())).collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn changed_bytes_do_not_panic(entries in some_entries(), at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = write(&borrowed(&entries), Layout::PreOrder).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        read_all(&bytes);
        read_all(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn made_up_nodes_do_not_panic(nodes in prop::collection::vec(any::<u8>(), 0..200), root: u32) {
        let header = [0xB007_F457_u32, 0x0002_0001, root & 0xF000_00FF];
        let bytes: Vec<u8> = header.into_iter().flat_map(u32::to_be_bytes).chain(nodes).collect();
        read_all(&bytes);
    }
}

fn read_all(bytes: &[u8]) {
    if let Ok(index) = Index::new(bytes) {
        let _ = index.all();
        let _ = index.get(b"abc:abc");
        let _ = index.matching(b"abc:abc");
    }
}

#[test]
fn an_empty_index_is_its_header() {
    for layout in LAYOUTS {
        let bytes = write(&[], layout).unwrap();
        assert_eq!(bytes, [0xB0, 0x07, 0xF4, 0x57, 0, 2, 0, 1, 0, 0, 0, 12]);
        assert!(Index::new(&bytes).unwrap().all().unwrap().is_empty());
    }
}

#[test]
fn nodes_are_laid_out_as_both_versions_of_kmod_do() {
    let entry = |key: &'static str| Entry {
        key: key.as_bytes(),
        value: b"m",
        priority: 7,
    };
    let entries = [entry("ab"), entry("ad")];
    let leaf = [0, 0, 0, 1, 0, 0, 0, 7, b'm', 0];
    let fork = |places: [u32; 3]| {
        let mut node = vec![b'b', b'd'];
        node.extend(places.into_iter().flat_map(u32::to_be_bytes));
        node
    };
    let root = |place: u32| [&[b'a', b'a'][..], &place.to_be_bytes()].concat();
    let header = |place: u32| {
        [
            &[0xB0, 0x07, 0xF4, 0x57, 0, 2, 0, 1][..],
            &place.to_be_bytes(),
        ]
        .concat()
    };
    let before = [
        header(0x2000_000C),
        root(0x2000_0012),
        fork([0x4000_0020, 0, 0x4000_002A]),
        leaf.into(),
        leaf.into(),
    ];
    assert_eq!(write(&entries, Layout::PreOrder).unwrap(), before.concat());
    let after = [
        header(0x2000_002E),
        leaf.into(),
        leaf.into(),
        fork([0x4000_000C, 0, 0x4000_0016]),
        root(0x2000_0020),
    ];
    assert_eq!(write(&entries, Layout::PostOrder).unwrap(), after.concat());
}

#[test]
fn only_seven_bit_text_is_written() {
    for (key, value) in [("ä", "m"), ("a", "ü"), ("a\0", "m")] {
        let entry = Entry {
            key: key.as_bytes(),
            value: value.as_bytes(),
            priority: 0,
        };
        assert!(matches!(
            write(&[entry], Layout::PreOrder),
            Err(WriteError::BadByte(_))
        ));
    }
}

#[test]
fn what_is_no_index_is_an_error() {
    assert_eq!(Index::new(b"").unwrap_err(), ReadError::CutShort);
    assert_eq!(
        Index::new(b"\x7fELF\0\0\0\0\0\0\0\0").unwrap_err(),
        ReadError::Magic
    );
    let version = [0xB0, 0x07, 0xF4, 0x57, 0, 3, 0, 0, 0, 0, 0, 12];
    assert_eq!(
        Index::new(&version).unwrap_err(),
        ReadError::Version(0x0003_0000)
    );
}

#[test]
fn circles_end() {
    // A node whose children are itself, with and without bytes of its own.
    let one = [
        0xB0, 0x07, 0xF4, 0x57, 0, 2, 0, 1, 0x20, 0, 0, 12, b'a', b'b', 0x20, 0, 0, 12, 0x20, 0, 0,
        12,
    ];
    let index = Index::new(&one).unwrap();
    assert_eq!(index.all().unwrap_err(), ReadError::Tangled);
    assert!(index.get(&b"ab".repeat(50)).unwrap().is_empty());
}

#[test]
fn keys_of_any_length_need_no_stack() {
    let keys: Vec<String> = (0..3_000).map(|length| "a".repeat(length)).collect();
    let entries: Vec<_> = keys
        .iter()
        .map(|key| Entry {
            key: key.as_bytes(),
            value: b"v",
            priority: 0,
        })
        .collect();
    for layout in LAYOUTS {
        let bytes = write(&entries, layout).unwrap();
        assert_eq!(Index::new(&bytes).unwrap().all().unwrap().len(), keys.len());
    }
}
