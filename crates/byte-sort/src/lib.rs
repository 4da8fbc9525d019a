//! Sorts items by byte strings that are long and begin alike, such as tags and keys of an index.
//!
//! A comparison of two whole strings reads their common beginning again each time. This is a
//! most-significant-digit sort instead, whose digits have eight bytes: items are sorted by the next
//! eight bytes as one number, and only those with equal numbers go on to the eight bytes behind.

use std::cmp::Ordering;
use std::ops::Range;

/// How many bytes are compared at once.
const DIGIT: usize = size_of::<u64>();

/// An item to sort, with room for eight bytes of its string.
#[derive(Clone, Copy, Debug)]
pub struct Keyed<T> {
    digit: u64,
    /// What is sorted.
    pub item: T,
}

impl<T> From<T> for Keyed<T> {
    fn from(item: T) -> Self {
        Self { digit: 0, item }
    }
}

/// Sorts items by the string that `bytes` gives for each, those with equal strings by `tie`.
pub fn sort_by_bytes<'b, T>(
    items: &mut [Keyed<T>],
    bytes: impl Fn(&T) -> &'b [u8],
    tie: impl Fn(&T, &T) -> Ordering,
) {
    // Items whose strings are equal before a depth. Not recursion: strings may be of any length.
    let mut open: Vec<(Range<usize>, usize)> = vec![(0..items.len(), 0)];
    while let Some((range, depth)) = open.pop() {
        let start = range.start;
        let group = items.get_mut(range).unwrap_or_default();
        for keyed in &mut *group {
            keyed.digit = digit(bytes(&keyed.item).get(depth..).unwrap_or_default());
        }
        group.sort_unstable_by_key(|keyed| keyed.digit);
        let mut end = start;
        for same in group.chunk_by_mut(|a, b| a.digit == b.digit) {
            let start = end;
            end += same.len();
            if same.len() == 1 {
                continue;
            }
            let next = depth + DIGIT;
            match same.iter().any(|keyed| bytes(&keyed.item).len() > next) {
                true => open.push((start..end, next)),
                // Digits have zeros behind the end of a string, so only lengths may still differ.
                false => same.sort_unstable_by(|a, b| {
                    let lengths = bytes(&a.item).len().cmp(&bytes(&b.item).len());
                    lengths.then_with(|| tie(&a.item, &b.item))
                }),
            }
        }
    }
}

/// The first bytes as a number, with zeros behind the last.
fn digit(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<DIGIT>() {
        Some(first) => u64::from_be_bytes(*first),
        None => bytes.iter().rev().fold(0, |digit, &byte| {
            digit >> 8 | u64::from(byte) << (u64::BITS - 8)
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The strings with their places, sorted; of equal strings the last place comes first.
    fn sorted(strings: &[Vec<u8>]) -> Vec<(&[u8], usize)> {
        let mut items: Vec<Keyed<usize>> = (0..strings.len()).map(Keyed::from).collect();
        sort_by_bytes(&mut items, |&place| &strings[place], |a, b| b.cmp(a));
        let items = items.iter();
        items
            .map(|keyed| (&strings[keyed.item][..], keyed.item))
            .collect()
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_whole_strings(strings in prop::collection::vec("[ab\0]{0,3}(aaaaaaaa){0,2}[ab\0]{0,9}", 0..60)) {
            let strings: Vec<Vec<u8>> = strings.into_iter().map(String::into_bytes).collect();
            let mut wanted: Vec<_> = strings.iter().map(Vec::as_slice).zip(0..).collect();
            wanted.sort_by(|(a, first), (b, second)| a.cmp(b).then(second.cmp(first)));
            prop_assert_eq!(sorted(&strings), wanted);
        }
    }

    #[test]
    fn strings_of_any_length_need_no_stack() {
        let strings: Vec<Vec<u8>> = (0..300).rev().map(|length| vec![7; length * 40]).collect();
        assert!(sorted(&strings).is_sorted());
    }
}
