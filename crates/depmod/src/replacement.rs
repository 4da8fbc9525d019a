//! Decides which files are written, and in which order they take their places.
//!
//! At every moment aliases and symbols must lead to modules that modules.dep.bin has: else modprobe
//! would fail with an error where it could have done nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kmod_index::{Entry, Index, IndexFile, Layout, Value};

use crate::index_files::output::Output;

/// The indexes that lead to modules of modules.dep.bin.
const LEADING: [IndexFile; 2] = [IndexFile::AliasBin, IndexFile::SymbolsBin];

/// The longest name a file can have (linux/include/uapi/linux/limits.h).
const NAME_MAX: usize = 255;

/// A file, and what it is to be next.
type Staged<'o> = (IndexFile, Cow<'o, [u8]>);

/// The files to write, in the order they are to take their places.
///
/// `old` gives what an index is now, `is_old` tells whether it is this.
pub(crate) fn stages(
    old: impl Fn(IndexFile) -> Option<Vec<u8>> + Sync,
    is_old: impl Fn(IndexFile, &[u8]) -> bool,
    outputs: &[Output],
    layout: Layout,
) -> Vec<Staged<'_>> {
    let bytes = |file: IndexFile| {
        let output = outputs.iter().find(|output| output.file == file);
        output.map(|output| &output.bytes[..]).unwrap_or_default()
    };
    let (before, after) = rayon::join(
        || modules(&old(IndexFile::DepBin).unwrap_or_default()),
        || modules(bytes(IndexFile::DepBin)),
    );
    let some_go = !are_among(&before, &after);
    let some_come = !are_among(&after, &before);
    let mut stages = Vec::new();
    if some_go && some_come {
        // For a moment aliases lead to what is in both.
        let both = |file| Some((file, Cow::Owned(restricted(bytes(file), &before, layout)?)));
        stages.extend(LEADING.into_iter().filter_map(both));
    }
    let rank = |output: &&Output| match output.file {
        IndexFile::DepBin if some_go && !some_come => 2,
        IndexFile::DepBin => 0,
        file if LEADING.contains(&file) => 1,
        // Its time tells that all is done.
        IndexFile::Dep => 4,
        _ => 3,
    };
    let mut outputs: Vec<_> = outputs.iter().collect();
    outputs.sort_by_key(rank);
    stages.extend(
        outputs
            .iter()
            .map(|output| (output.file, Cow::Borrowed(&output.bytes[..]))),
    );
    // What is there already need not be written.
    let mut there: BTreeMap<IndexFile, Cow<'_, [u8]>> = BTreeMap::new();
    stages.retain(|(file, bytes)| {
        let changes = match there.get(file) {
            Some(there) => there != bytes,
            None => !is_old(*file, bytes),
        };
        there.insert(*file, bytes.clone());
        changes
    });
    stages
}

/// Whether all names are among others; both are in order.
fn are_among(names: &[Vec<u8>], others: &[Vec<u8>]) -> bool {
    let mut others = others.iter();
    names.iter().all(|name| others.any(|other| other == name))
}

/// The keys of a modules.dep.bin in order; none if it is damaged or not there.
///
/// They are names of modules, so of files: what is longer is damage that would need much memory.
fn modules(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let mut are_names = true;
    let read = Index::new(bytes).and_then(|index| {
        index.for_each(|name, _| match name.len() <= NAME_MAX {
            true => names.push(name.to_vec()),
            false => are_names = false,
        })
    });
    match read {
        Ok(_) if are_names => names,
        _ => Vec::new(),
    }
}

/// An index without the values that are not in `known`.
fn restricted(bytes: &[u8], known: &[Vec<u8>], layout: Layout) -> Option<Vec<u8>> {
    let is_known = |value: &[u8]| known.binary_search_by(|name| name[..].cmp(value)).is_ok();
    let mut kept: Vec<(Vec<u8>, Vec<Value<'_>>)> = Vec::new();
    let read = Index::new(bytes).and_then(|index| {
        index.for_each(|key, values| {
            let values = values.iter().filter(|(_, value)| is_known(value));
            kept.push((key.to_vec(), values.copied().collect()));
        })
    });
    read.ok()?;
    let entry = |key, &(priority, value): &_| Entry {
        key,
        value,
        priority,
    };
    let entries = kept
        .iter()
        .flat_map(|(key, values)| values.iter().map(move |value| entry(&key[..], value)));
    kmod_index::write(&entries.collect::<Vec<_>>(), layout).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with these modules; each has an alias of its own, all have one in common.
    fn outputs(modules: &str) -> Vec<Output> {
        let names: Vec<String> = modules.chars().map(String::from).collect();
        let entry = |key, value| Entry {
            key,
            value,
            priority: 0,
        };
        let dep: Vec<_> = names
            .iter()
            .map(|name| entry(name.as_bytes(), b"path:"))
            .collect();
        let alias = names.iter().flat_map(|name| {
            let name = name.as_bytes();
            [entry(name, name), entry(b"*", name)]
        });
        let alias: Vec<_> = alias.collect();
        // Not every module exports something.
        let symbols: Vec<_> = alias
            .iter()
            .filter(|entry| entry.value < b"c")
            .copied()
            .collect();
        let index = |entries: &[Entry<'_>]| kmod_index::write(entries, Layout::PreOrder).unwrap();
        [
            (IndexFile::Dep, modules.as_bytes().to_vec()),
            (IndexFile::DepBin, index(&dep)),
            (IndexFile::AliasBin, index(&alias)),
            (IndexFile::SymbolsBin, index(&symbols)),
            (IndexFile::Alias, modules.as_bytes().to_vec()),
        ]
        .map(|(file, bytes)| Output { file, bytes })
        .to_vec()
    }

    /// Every module some alias or symbol leads to is in modules.dep.bin.
    fn is_usable(there: &BTreeMap<IndexFile, Vec<u8>>) -> bool {
        let known = there
            .get(&IndexFile::DepBin)
            .map(|bytes| modules(bytes))
            .unwrap_or_default();
        LEADING
            .iter()
            .filter_map(|file| there.get(file))
            .all(|bytes| {
                let mut usable = true;
                let take = |_: &[u8], values: &[Value<'_>]| {
                    usable &= values
                        .iter()
                        .all(|(_, value)| known.contains(&value.to_vec()));
                };
                Index::new(bytes).unwrap().for_each(take).unwrap();
                usable
            })
    }

    fn stages_from<'o>(
        before: &BTreeMap<IndexFile, Vec<u8>>,
        wanted: &'o [Output],
    ) -> Vec<Staged<'o>> {
        stages(
            |file| before.get(&file).cloned(),
            |file, bytes| before.get(&file).is_some_and(|old| old == bytes),
            wanted,
            Layout::PreOrder,
        )
    }

    #[test]
    fn whoever_stops_us_leaves_what_modprobe_can_use() {
        let trees = ["", "a", "b", "ab", "abc", "c", "ad", "bcd", "cd", "d"];
        for old in trees {
            for new in trees {
                let mut there: BTreeMap<_, _> = outputs(old)
                    .into_iter()
                    .map(|o| (o.file, o.bytes))
                    .collect();
                let before = there.clone();
                let wanted = outputs(new);
                for (file, bytes) in stages_from(&before, &wanted) {
                    assert_ne!(there[&file], *bytes, "{old} {new}: {file:?} is the same");
                    there.insert(file, bytes.into_owned());
                    assert!(is_usable(&there), "{old} {new}: {file:?}");
                    // Killed here, another run to any other tree is as safe.
                    for third in trees {
                        let mut there = there.clone();
                        let before = there.clone();
                        let wanted = outputs(third);
                        for (file, bytes) in stages_from(&before, &wanted) {
                            there.insert(file, bytes.into_owned());
                            assert!(is_usable(&there), "{old} {new} {third}: {file:?}");
                        }
                        let wanted: BTreeMap<_, _> =
                            wanted.into_iter().map(|o| (o.file, o.bytes)).collect();
                        assert_eq!(there, wanted);
                    }
                }
            }
        }
    }
}
