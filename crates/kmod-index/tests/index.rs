//! What is written is read back, and no bytes make the reader panic.

use std::collections::BTreeMap;

use kmod_index::{Entry, Index, Layout, ReadError, WriteError, write};
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

type KeyValues<'d> = (Vec<u8>, Vec<(u32, &'d [u8])>);

fn all(bytes: &[u8]) -> Result<Vec<KeyValues<'_>>, ReadError> {
    let mut all = Vec::new();
    Index::new(bytes)?.for_each(|key, values| all.push((key.to_vec(), values.to_vec())))?;
    Ok(all)
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
            let wanted: Vec<_> = expected.iter().map(|(key, values)| (key.to_vec(), values.clone())).collect();
            prop_assert_eq!(all(&bytes).unwrap(), wanted);
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
    fn changed_bytes_do_not_panic(entries in some_entries(), at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = write(&borrowed(&entries), Layout::PreOrder).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = all(&bytes);
        let _ = all(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn made_up_nodes_do_not_panic(nodes in prop::collection::vec(any::<u8>(), 0..200), root: u32) {
        let header = [0xB007_F457_u32, 0x0002_0001, root & 0xF000_00FF];
        let bytes: Vec<u8> = header.into_iter().flat_map(u32::to_be_bytes).chain(nodes).collect();
        let _ = all(&bytes);
    }
}

#[test]
fn an_empty_index_is_its_header() {
    for layout in LAYOUTS {
        let bytes = write(&[], layout).unwrap();
        assert_eq!(bytes, [0xB0, 0x07, 0xF4, 0x57, 0, 2, 0, 1, 0, 0, 0, 12]);
        assert!(all(&bytes).unwrap().is_empty());
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
fn keys_that_no_index_can_hold() {
    for (key, value) in [("ä", "m"), ("a", "m\0"), ("a\0", "m")] {
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
fn values_may_have_any_byte_and_keys_any_length() {
    let key = "k".repeat(100_000);
    let entry = Entry {
        key: key.as_bytes(),
        value: "ü".as_bytes(),
        priority: 0,
    };
    for layout in LAYOUTS {
        let bytes = write(&[entry], layout).unwrap();
        let read = all(&bytes).unwrap();
        assert_eq!(read[0].0.len(), key.len());
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

/// The bytes of an index whose root is the node at byte 12, and has children.
fn tree_of(nodes: &[u8]) -> Vec<u8> {
    [
        &[0xB0, 0x07, 0xF4, 0x57, 0, 2, 0, 1, 0x20, 0, 0, 12][..],
        nodes,
    ]
    .concat()
}

/// A node of children alone, one for each of so many bytes from the first, all at one place.
fn fork(first: u8, count: u8, place: u32) -> Vec<u8> {
    let mut node = vec![first, first + count - 1];
    node.extend(place.to_be_bytes().repeat(count.into()));
    node
}

#[test]
fn circles_end() {
    let bytes = tree_of(&fork(b'a', 2, 0x2000_000C));
    assert_eq!(all(&bytes).unwrap_err(), ReadError::Tangled);
}

/// A node that is its own child 128 times took 8.6 s in a file of a megabyte: its children were
/// read before it was found out that they are too many.
#[test]
fn circles_are_read_no_longer_than_their_file() {
    for padding in [0, 1_000, 1_000_000] {
        let mut bytes = tree_of(&fork(0, 128, 0x2000_000C));
        bytes.extend(vec![0; padding]);
        let mut nodes = 0;
        let read = Index::new(&bytes).unwrap().for_each(|_, _| nodes += 1);
        assert_eq!((read.unwrap_err(), nodes), (ReadError::Tangled, 0));
    }
}

/// The bytes that are read grow as the file does: a node that is shared is read once for each of
/// its parents, and with that the file is read to its end before all of it has been seen.
#[test]
fn shared_nodes_are_damage() {
    // `depth` forks, each of whose two children is the next; 2^depth ways lead to the value.
    let value = [0, 0, 0, 1, 0, 0, 0, 7, b'm', 0];
    for depth in [2_u32, 20, 200, 2_000] {
        let mut nodes = Vec::new();
        for at in 1..depth {
            nodes.extend(fork(b'a', 2, 0x2000_000C + 10 * at));
        }
        nodes.extend(fork(b'a', 2, 0x4000_000C + 10 * depth));
        nodes.extend(value);
        let bytes = tree_of(&nodes);
        let mut keys = 0;
        let read = Index::new(&bytes).unwrap().for_each(|_, _| keys += 1);
        assert_eq!(read.unwrap_err(), ReadError::Tangled);
        assert!(keys <= bytes.len() / value.len(), "{depth}: {keys}");
    }
}

#[test]
fn all_bytes_of_an_index_are_read_once() {
    let keys: Vec<String> = (0..999_u32).map(|n| format!("{n:b}")).collect();
    let entry = |key: &'static str| Entry {
        key: key.as_bytes(),
        value: b"v",
        priority: 1,
    };
    let keys: Vec<&'static str> = keys.into_iter().map(|key| &*key.leak()).collect();
    let entries: Vec<_> = keys.into_iter().map(entry).collect();
    for layout in LAYOUTS {
        let bytes = write(&entries, layout).unwrap();
        let read = Index::new(&bytes).unwrap().for_each(|_, _| {}).unwrap();
        // All but the header.
        assert_eq!(read, bytes.len() - 12);
    }
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
        assert_eq!(all(&bytes).unwrap().len(), keys.len());
    }
}
