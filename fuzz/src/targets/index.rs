//! kmod's binary indexes: any bytes read as one, and any entries written and read back.

use std::collections::BTreeMap;

use kmod_index::{Entry, Index, Layout, write};

use crate::{Memory, Target};

/// Bytes that should be an index.
pub const READ: Target = Target {
    name: "index_read",
    check: read,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 512,
    },
};

/// Lines of a key, a blank and a value.
pub const WRITE: Target = Target {
    name: "index_write",
    check: written_is_read,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 512,
    },
};

const LAYOUTS: [Layout; 2] = [Layout::PreOrder, Layout::PostOrder];

type Values<'e> = Vec<(u32, &'e [u8])>;

fn read(input: &[u8]) {
    let Some(all) = all(input) else {
        return;
    };
    let entries: Vec<_> = all
        .iter()
        .flat_map(|(key, values)| values.iter().map(move |value| entry(key, *value)))
        .collect();
    // There are indexes that are read and would not be written.
    for bytes in LAYOUTS
        .map(|layout| write(&entries, layout))
        .into_iter()
        .flatten()
    {
        let written = self::all(&bytes).expect("what was written");
        assert_eq!(sorted(written), sorted(all.clone()));
    }
}

fn entry<'e>(key: &'e [u8], (priority, value): (u32, &'e [u8])) -> Entry<'e> {
    Entry {
        key,
        value,
        priority,
    }
}

/// All keys with their values, in the order of the index.
fn all(index: &[u8]) -> Option<Vec<(Vec<u8>, Values<'_>)>> {
    let mut all = Vec::new();
    let index = Index::new(index).ok()?;
    let read = index.for_each(|key, values| {
        // A node may say that it has values, and have none.
        if !values.is_empty() {
            all.push((key.to_vec(), values.to_vec()));
        }
    });
    read.ok().map(|_| all)
}

fn sorted<'v>(mut all: Vec<(Vec<u8>, Values<'v>)>) -> Vec<(Vec<u8>, Values<'v>)> {
    for (_, values) in &mut all {
        values.sort_unstable();
    }
    all
}

fn written_is_read(input: &[u8]) {
    let entries: Vec<Entry<'_>> = input
        .split(|&byte| byte == b'\n')
        .zip((0..3).cycle())
        .map(|(line, priority)| {
            let blank = line.iter().position(|&byte| byte == b' ');
            let (key, value) = line.split_at(blank.unwrap_or(line.len()));
            Entry {
                key,
                value,
                priority,
            }
        })
        .collect();
    let mut wanted: BTreeMap<&[u8], Values<'_>> = BTreeMap::new();
    for entry in &entries {
        // Of values with one priority the last comes first.
        let values = wanted.entry(entry.key).or_default();
        let at = values.partition_point(|(other, _)| *other < entry.priority);
        values.insert(at, (entry.priority, entry.value));
    }
    for bytes in LAYOUTS.map(|layout| write(&entries, layout)) {
        let Ok(bytes) = bytes else {
            // Bytes an index cannot have, or too long a key.
            assert!(entries.iter().any(|entry| {
                let texts = [entry.key, entry.value].concat();
                entry.key.len() > 4096 || texts.iter().any(|&byte| byte == 0 || byte > 127)
            }));
            continue;
        };
        let all = all(&bytes).expect("what was written");
        let read = all.iter().map(|(key, values)| (&key[..], values));
        assert!(read.eq(wanted.iter().map(|(key, values)| (*key, values))));
    }
}
