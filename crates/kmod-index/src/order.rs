//! Entries in any order in, the same in the order of an index out.
//!
//! Keys are long and begin alike, so they are not compared whole: eight bytes at a time are sorted
//! as numbers, and only those with the same go on to the next eight.

use std::cmp::Reverse;
use std::ops::Range;

use crate::entry::Entry;

const PIECE: usize = 8;

/// Some bytes of a key, and the place of its entry.
type Item = (u64, usize);

/// Sorts entries, whose keys have no NUL, by key and priority; of the same, the last comes first.
pub(crate) fn ordered<'a>(entries: &[Entry<'a>]) -> Vec<Entry<'a>> {
    let mut items: Vec<Item> = (0..entries.len()).map(|place| (0, place)).collect();
    // What has the same bytes up to a depth; keys may be as long as they like.
    let mut tasks = vec![(0..items.len(), 0)];
    while let Some((range, depth)) = tasks.pop() {
        let start = range.start;
        let here = items.get_mut(range).unwrap_or_default();
        for (bytes, place) in here.iter_mut() {
            *bytes = piece(entries.get(*place), depth);
        }
        here.sort_unstable_by_key(|&(bytes, _)| bytes);
        for group in groups(here) {
            match here.get_mut(group.clone()) {
                None | Some([] | [_]) => {}
                Some(same) if is_end(same) => same.sort_unstable_by_key(|&(_, place)| {
                    (
                        entries.get(place).map(|entry| entry.priority),
                        Reverse(place),
                    )
                }),
                Some(_) => tasks.push((start + group.start..start + group.end, depth + PIECE)),
            }
        }
    }
    let mut ordered = Vec::with_capacity(items.len());
    let entry = |(_, place): Item| entries.get(place).copied();
    ordered.extend(items.into_iter().filter_map(entry));
    ordered
}

/// The bytes of a key from `depth` on, with NULs behind its end.
fn piece(entry: Option<&Entry<'_>>, depth: usize) -> u64 {
    let rest = entry.and_then(|entry| entry.key.get(depth..));
    let rest = rest.unwrap_or_default();
    let bytes = rest.first_chunk::<PIECE>().copied().unwrap_or_else(|| {
        let mut bytes = [0; PIECE];
        for (byte, of_key) in bytes.iter_mut().zip(rest) {
            *byte = *of_key;
        }
        bytes
    });
    u64::from_be_bytes(bytes)
}

/// Ranges of items with the same bytes.
fn groups(items: &[Item]) -> Vec<Range<usize>> {
    let mut start = 0;
    items
        .chunk_by(|(a, _), (b, _)| a == b)
        .map(|group| {
            start += group.len();
            start - group.len()..start
        })
        .filter(|group| group.len() > 1)
        .collect()
}

/// Whether the keys of items with the same bytes end with these.
fn is_end(items: &[Item]) -> bool {
    let last = |(bytes, _): &Item| bytes.to_be_bytes().last() == Some(&0);
    items.first().is_some_and(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_whole_keys() {
        let parts = ["", "a", "b", "aaaaaaaa", "aaaaaaab", "aaaaaaaaa"];
        let mut keys: Vec<String> = Vec::new();
        for first in parts {
            for second in parts {
                for third in parts {
                    keys.push([first, second, third].concat());
                }
            }
        }
        // Values tell entries of one key and priority from each other.
        let values: Vec<String> = (0..keys.len()).map(|at| at.to_string()).collect();
        let entries: Vec<_> = keys
            .iter()
            .zip(&values)
            .zip((0..3).cycle())
            .map(|((key, value), priority)| Entry {
                key: key.as_bytes(),
                value: value.as_bytes(),
                priority,
            })
            .collect();
        let mut expected = entries.clone();
        expected.reverse();
        expected.sort_by(|a, b| (a.key, a.priority).cmp(&(b.key, b.priority)));
        assert_eq!(ordered(&entries), expected);
        assert!(ordered(&[]).is_empty());
    }
}
