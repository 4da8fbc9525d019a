//! Combines patterns that differ in one character into one with a bracket expression.
//!
//! fnmatch(3) reads the result back as the same set. A pattern is read from left to right as plain
//! characters, `%XX` escapes and brackets. Only a plain letter or digit may become a bracket
//! expression. Nothing becomes one inside the escaped brackets that an alias of the kernel may have
//! itself (`%5B0%2D9%5D`), because fnmatch knows no nested brackets.

use std::collections::BinaryHeap;

use crate::common::common_prefix;
use crate::tag::LIBSOLV_LIMIT;

/// Combines `patterns`. `around` is the length of the rest of a tag.
///
/// The result is sorted and matches exactly what the input matches.
pub(crate) fn combine(mut patterns: Vec<Vec<u8>>, around: usize) -> Vec<Vec<u8>> {
    patterns.sort_unstable();
    patterns.dedup();
    let mut groups: BinaryHeap<Similar> = groups(&patterns).into();
    let mut taken = vec![false; patterns.len()];
    let mut combined = Vec::new();
    while let Some(mut group) = groups.pop() {
        let is_free = |&member: &usize| !taken.get(member).copied().unwrap_or(true);
        let before = group.members.len();
        group.members.retain(is_free);
        if group.members.len() < 2 {
            continue;
        }
        // An earlier group took some members. Queue this one again, so that the largest group still
        // comes first.
        if group.members.len() < before {
            groups.push(group);
            continue;
        }
        let pattern = group.pattern(&patterns);
        if let Some(pattern) = pattern.filter(|pattern| pattern.len() + around < LIBSOLV_LIMIT) {
            for &member in &group.members {
                if let Some(taken) = taken.get_mut(member) {
                    *taken = true;
                }
            }
            combined.push(pattern);
        }
    }
    let alone = patterns.into_iter().zip(taken).filter(|(_, taken)| !taken);
    combined.extend(alone.map(|(pattern, _)| pattern));
    combined.sort_unstable();
    combined
}

/// Patterns that differ only in the character at one position. The greatest has the most members;
/// among equals it is the one further right, then the one that sorts first.
#[derive(PartialEq, Eq)]
struct Similar {
    position: usize,
    members: Vec<usize>,
}

impl Ord for Similar {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |group: &Self| (group.members.len(), group.position);
        key(self)
            .cmp(&key(other))
            .then_with(|| other.members.cmp(&self.members))
    }
}

impl PartialOrd for Similar {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Similar {
    fn pattern(&self, patterns: &[Vec<u8>]) -> Option<Vec<u8>> {
        let first = patterns.get(*self.members.first()?)?;
        let (head, tail) = (first.get(..self.position)?, first.get(self.position + 1..)?);
        let mut variants: Vec<u8> = self
            .members
            .iter()
            .filter_map(|&member| patterns.get(member)?.get(self.position).copied())
            .collect();
        variants.sort_unstable();
        Some([head, b"[", &variants, b"]", tail].concat())
    }
}

/// All groups of sorted patterns.
///
/// Sorted patterns with a common prefix are neighbours. So their ends are compared only behind the
/// common prefix.
fn groups(patterns: &[Vec<u8>]) -> Vec<Similar> {
    let mut groups = Vec::new();
    let all: Vec<Tail<'_>> = patterns
        .iter()
        .enumerate()
        .map(|(index, pattern)| (&pattern[..], index))
        .collect();
    // Patterns that are equal up to a position, and that position.
    let mut alike = vec![(0, &all[..])];
    while let Some((from, members)) = alike.pop() {
        let [(first, _), .., (last, _)] = members else {
            continue;
        };
        let position = from + common_prefix(behind(first, from), behind(last, from));
        if first.get(..position).is_some_and(next_may_become_a_bracket) {
            groups_at(position, members, &mut groups);
        }
        let parted = members.chunk_by(|(a, _), (b, _)| a.get(position) == b.get(position));
        alike.extend(parted.map(|members| (position + 1, members)));
    }
    groups
}

/// A pattern, or the end of one, and the pattern's index.
type Tail<'p> = (&'p [u8], usize);

fn behind(pattern: &[u8], from: usize) -> &[u8] {
    pattern.get(from..).unwrap_or_default()
}

/// Adds the groups among patterns that are equal up to `position` and differ there.
fn groups_at(position: usize, members: &[Tail<'_>], groups: &mut Vec<Similar>) {
    let plain =
        |&&(pattern, _): &&Tail<'_>| pattern.get(position).is_some_and(u8::is_ascii_alphanumeric);
    let mut tails: Vec<Tail<'_>> = members
        .iter()
        .filter(plain)
        .map(|&(pattern, index)| (behind(pattern, position + 1), index))
        .collect();
    tails.sort_unstable();
    let same = tails.chunk_by(|(a, _), (b, _)| a == b);
    groups.extend(same.filter(|same| same.len() > 1).map(|same| Similar {
        position,
        members: same.iter().map(|&(_, index)| index).collect(),
    }));
}

/// Whether the character after `head` stands for itself, outside of brackets.
fn next_may_become_a_bracket(head: &[u8]) -> bool {
    let mut in_brackets = false;
    let mut at = 0;
    while let Some(&byte) = head.get(at) {
        match (byte, head.get(at..at + 3)) {
            (b'[', _) | (b'%', Some(b"%5B")) => in_brackets = true,
            (b']', _) | (b'%', Some(b"%5D")) => in_brackets = false,
            _ => {}
        }
        at += if byte == b'%' { 3 } else { 1 };
    }
    at == head.len() && !in_brackets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The patterns that a combined one stands for: one for each character in its unescaped bracket
    /// expression.
    fn expand(pattern: &str) -> Vec<String> {
        let Some((head, rest)) = pattern.split_once('[') else {
            return vec![pattern.to_owned()];
        };
        let Some((variants, tail)) = rest.split_once(']') else {
            return vec![pattern.to_owned()];
        };
        variants
            .chars()
            .flat_map(|variant| expand(tail).into_iter().map(move |tail| (variant, tail)))
            .map(|(variant, tail)| format!("{head}{variant}{tail}"))
            .collect()
    }

    fn combined(patterns: &[&str]) -> Vec<String> {
        combine_text(patterns.iter().map(|&p| p.to_owned()))
    }

    fn combine_text(patterns: impl IntoIterator<Item = String>) -> Vec<String> {
        let patterns = patterns.into_iter().map(String::into_bytes).collect();
        let combined = combine(patterns, 20).into_iter();
        combined
            .map(|pattern| String::from_utf8(pattern).unwrap())
            .collect()
    }

    #[test]
    fn the_largest_group_wins_and_ties_go_right() {
        assert_eq!(
            combined(&["pci:d10A9", "pci:d10AA", "pci:d10AB", "pci:d20A9"]),
            ["pci:d10A[9AB]", "pci:d20A9"]
        );
        assert_eq!(
            combined(&["x:11", "x:12", "x:21", "x:22"]),
            ["x:1[12]", "x:2[12]"]
        );
    }

    #[test]
    fn stars_colons_and_escapes_are_left_alone() {
        for patterns in [
            ["a:*", "a:1"],
            ["a:1", "a11"],
            ["a:%2C", "a:%2D"],
            ["a:%2C", "a:%3C"],
            ["a:1", "a:12"],
            ["a:1", "a:22"],
        ] {
            let mut sorted = patterns;
            sorted.sort_unstable();
            assert_eq!(combined(&patterns), sorted);
        }
    }

    #[test]
    fn nothing_is_combined_inside_brackets_of_the_alias_itself() {
        let patterns = ["usb:d0%5B0%2D2%5Ddc1", "usb:d0%5B0%2D4%5Ddc1"];
        assert_eq!(combined(&patterns), patterns);
        assert_eq!(
            combined(&["usb:d0%5B0%2D2%5Ddc1", "usb:d0%5B0%2D2%5Ddc2"]),
            ["usb:d0%5B0%2D2%5Ddc[12]"]
        );
        assert_eq!(
            combined(&["usb:[0-2]", "usb:[0-4]"]),
            ["usb:[0-2]", "usb:[0-4]"]
        );
    }

    #[test]
    fn a_tag_stays_below_what_libsolv_reads() {
        let long = "x".repeat(LIBSOLV_LIMIT - 24);
        let patterns = [format!("{long}1"), format!("{long}2")];
        assert_eq!(combine_text(patterns.clone()), patterns);
    }

    #[test]
    fn expanding_gives_back_the_input() {
        let patterns: Vec<String> = (0..400u32)
            .map(|n| format!("pci:v{:04X}d{:02X}sv*", n * 7919 % 61, n * 104_729 % 251))
            .collect();
        let mut expected = patterns.clone();
        expected.sort_unstable();
        expected.dedup();
        let mut expanded: Vec<_> = combine_text(patterns)
            .iter()
            .flat_map(|p| expand(p))
            .collect();
        expanded.sort_unstable();
        assert_eq!(expanded, expected);
    }
}
