//! A node of the trie of sorted entries: what it says, and which entries lie below it.

use crate::entry::Entry;
use crate::format::{CHILDS, PREFIX, VALUES};

/// A node: some entries with the same beginning.
#[derive(Clone, Copy)]
pub(crate) struct Node<'e, 'a> {
    /// The bytes that all of its keys go on with.
    prefix: &'a [u8],
    /// Entries whose keys end here.
    values: &'e [Entry<'a>],
    /// Entries whose keys go on.
    below: &'e [Entry<'a>],
    /// The length of keys that end here.
    end: usize,
}

/// Entries below a node with the same next byte.
pub(crate) struct Child<'e, 'a> {
    /// How far its byte is behind the first child's.
    pub(crate) index: usize,
    pub(crate) entries: &'e [Entry<'a>],
    /// How many bytes of the keys led to it.
    pub(crate) depth: usize,
}

impl<'e, 'a> Node<'e, 'a> {
    /// The node of all entries, which has no prefix.
    pub(crate) fn root(entries: &'e [Entry<'a>]) -> Self {
        Self::new(entries, &[], 0)
    }

    /// The node a child is.
    pub(crate) fn of(child: &Child<'e, 'a>) -> Self {
        let prefix = common(child.entries, child.depth);
        Self::new(child.entries, prefix, child.depth + prefix.len())
    }

    fn new(entries: &'e [Entry<'a>], prefix: &'a [u8], end: usize) -> Self {
        // Few keys end in one node, so counting is fast.
        let ending = entries.iter().take_while(|entry| entry.key.len() == end);
        let (values, below) = entries.split_at_checked(ending.count()).unwrap_or_default();
        Self {
            prefix,
            values,
            below,
            end,
        }
    }

    /// The upper bits of its offset, which say what parts it has.
    pub(crate) fn flags(&self) -> u32 {
        let flag = |flag, has| if has { flag } else { 0 };
        flag(PREFIX, !self.prefix.is_empty())
            | flag(CHILDS, !self.below.is_empty())
            | flag(VALUES, !self.values.is_empty())
    }

    /// How many offsets of children it has room for: one for each byte from that of the first child
    /// to that of the last.
    pub(crate) fn slots(&self) -> usize {
        let span = self.span();
        span.map_or(0, |(first, last)| {
            usize::from(last.saturating_sub(first)) + 1
        })
    }

    /// Its children, ascending by byte.
    pub(crate) fn children(&self) -> impl Iterator<Item = Child<'e, 'a>> + use<'e, 'a> {
        let Self { below, end, .. } = *self;
        let first = below.first().and_then(|entry| entry.key.get(end));
        let first = first.copied().unwrap_or_default();
        let mut rest = below;
        std::iter::from_fn(move || {
            let byte = *rest.first()?.key.get(end)?;
            let (entries, others) = rest.split_at_checked(same(rest, end, byte))?;
            rest = others;
            Some(Child {
                index: usize::from(byte.saturating_sub(first)),
                entries,
                depth: end + 1,
            })
        })
    }

    /// Writes what comes before the offsets of its children.
    pub(crate) fn put_head(&self, out: &mut Vec<u8>) {
        if !self.prefix.is_empty() {
            put_text(self.prefix, out);
        }
        if let Some((first, last)) = self.span() {
            out.extend([first, last]);
        }
    }

    /// Writes what comes behind them.
    pub(crate) fn put_values(&self, out: &mut Vec<u8>) {
        if self.values.is_empty() {
            return;
        }
        out.extend((self.values.len() as u32).to_be_bytes());
        for entry in self.values {
            out.extend(entry.priority.to_be_bytes());
            put_text(entry.value, out);
        }
    }

    /// The first and the last byte with a child.
    fn span(&self) -> Option<(u8, u8)> {
        let byte = |entry: &Entry<'_>| entry.key.get(self.end).copied();
        Some((byte(self.below.first()?)?, byte(self.below.last()?)?))
    }
}

fn put_text(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(text);
    out.push(0);
}

/// How many of the sorted entries have this byte next.
///
/// Looks ahead in steps that double: some nodes have thousands of keys and few children, others
/// have many children with one key each.
fn same(entries: &[Entry<'_>], at: usize, byte: u8) -> usize {
    let has = |entry: &Entry<'_>| entry.key.get(at) == Some(&byte);
    let mut step = 1;
    while entries.get(step).is_some_and(has) {
        step *= 2;
    }
    let known = step / 2;
    let unknown = entries.get(known..step.min(entries.len()));
    known + unknown.unwrap_or_default().partition_point(has)
}

/// What all keys have in common behind `depth`: as they are sorted, what the first and the last have.
fn common<'a>(entries: &[Entry<'a>], depth: usize) -> &'a [u8] {
    let rest = |entry: Option<&Entry<'a>>| -> &'a [u8] {
        entry
            .and_then(|entry| entry.key.get(depth..))
            .unwrap_or_default()
    };
    let first = rest(entries.first());
    if entries.len() == 1 {
        return first;
    }
    let last = rest(entries.last());
    let same = first.iter().zip(last).take_while(|(a, b)| a == b).count();
    first.get(..same).unwrap_or_default()
}
