//! kmod's binary indexes: any bytes read as one, and any entries written and read back.

use std::collections::BTreeMap;

use kmod_index::{Entry, Index, Layout, matches, write};

use crate::{Memory, Target};

/// Bytes that should be an index.
pub const READ: Target = Target {
    name: "index_read",
    check: read,
    memory: Memory {
        fixed: 64 << 10,
        each: 512,
    },
};

/// Lines of a key, a blank and a value.
pub const WRITE: Target = Target {
    name: "index_write",
    check: written_is_read,
    memory: Memory {
        fixed: 64 << 10,
        each: 512,
    },
};

const LAYOUTS: [Layout; 2] = [Layout::PreOrder, Layout::PostOrder];

type Values<'e> = Vec<(u32, &'e [u8])>;

fn read(input: &[u8]) {
    // What a modalias may be.
    let text = &input[input.len() - input.len().min(24)..];
    let Ok(index) = Index::new(input) else {
        return;
    };
    let matching = index.matching(text);
    let _ = index.get(text);
    let Ok(all) = index.all() else {
        return;
    };
    for found in all.iter().take(100) {
        assert_eq!(index.get(&found.key).as_ref(), Ok(&found.values));
    }
    let wanted = all.iter().filter(|found| matches(&found.key, text));
    let matching = matching.expect("a part of what can be read whole");
    assert!(matching.iter().eq(wanted));
    let entries: Vec<_> = all.iter().flat_map(|found| found.entries()).collect();
    // There are indexes that are read and would not be written.
    for bytes in LAYOUTS
        .map(|layout| write(&entries, layout))
        .into_iter()
        .flatten()
    {
        assert_eq!(sorted(&bytes), sorted(input));
    }
}

fn sorted(index: &[u8]) -> Vec<(Vec<u8>, Values<'_>)> {
    let all = Index::new(index).and_then(|index| index.all());
    let all = all.expect("it was read or written before");
    let sorted = all.into_iter().map(|mut found| {
        found.values.sort_unstable();
        (found.key, found.values)
    });
    sorted.collect()
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
        let all = Index::new(&bytes).and_then(|index| index.all());
        let all = all.expect("what was written");
        let read = all.iter().map(|found| (&found.key[..], &found.values));
        assert!(read.eq(wanted.iter().map(|(key, values)| (*key, values))));
    }
}
