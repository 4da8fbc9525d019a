//! Sorted entries in, the nodes of their radix trie out, each before its children.

use crate::entry::Entry;
use crate::{CHILDS, PREFIX, VALUES};

/// A node, as ranges of the entries it was made of.
pub(crate) struct Node<'a> {
    /// The byte that leads here from the parent.
    pub(crate) byte: u8,
    pub(crate) prefix: &'a [u8],
    /// Entries whose keys end here.
    pub(crate) values: std::ops::Range<usize>,
    /// Its first and last child, by byte; the nodes themselves come later.
    children: Option<(usize, usize)>,
    /// The next child of its parent.
    next: Option<usize>,
}

impl<'a> Node<'a> {
    /// Its children, ascending by byte.
    pub(crate) fn children(&self, nodes: &[Node<'a>]) -> impl Iterator<Item = usize> {
        let first = self.children.map(|(first, _)| first);
        std::iter::successors(first, |&id| nodes.get(id)?.next)
    }

    /// Its first and its last child.
    pub(crate) fn ends(&self) -> Option<(usize, usize)> {
        self.children
    }

    /// The parts it has, as the upper bits of its offset tell them.
    pub(crate) fn flags(&self) -> u32 {
        let flag = |flag, has| if has { flag } else { 0 };
        flag(PREFIX, !self.prefix.is_empty())
            | flag(CHILDS, self.children.is_some())
            | flag(VALUES, !self.values.is_empty())
    }
}

/// A node to make: its entries, the length of key that led to it, and its parent.
struct Task {
    entries: std::ops::Range<usize>,
    depth: usize,
    parent: Option<usize>,
}

/// The nodes of `entries`, which are sorted by key. The root is the first and has no prefix.
///
/// Tasks are kept on a stack of our own: keys may be as long as they like.
pub(crate) fn nodes<'a>(entries: &[Entry<'a>]) -> Vec<Node<'a>> {
    // Keys that branch off in twos take the most.
    let mut nodes: Vec<Node<'a>> = Vec::with_capacity(2 * entries.len() + 1);
    let mut tasks = vec![Task {
        entries: 0..entries.len(),
        depth: 0,
        parent: None,
    }];
    while let Some(task) = tasks.pop() {
        let here = entries.get(task.entries.clone()).unwrap_or_default();
        let prefix = match task.parent {
            None => &[],
            Some(_) => common(here, task.depth),
        };
        let end = task.depth + prefix.len();
        let ending = here.partition_point(|entry| entry.key.len() == end);
        let id = nodes.len();
        if let Some(parent) = task.parent {
            adopt(&mut nodes, parent, id);
        }
        nodes.push(Node {
            byte: before(here, task.depth),
            prefix,
            values: task.entries.start..task.entries.start + ending,
            children: None,
            next: None,
        });
        let first = tasks.len();
        let mut start = task.entries.start + ending;
        for group in here
            .get(ending..)
            .unwrap_or_default()
            .chunk_by(|a, b| a.key.get(end) == b.key.get(end))
        {
            tasks.push(Task {
                entries: start..start + group.len(),
                depth: end + 1,
                parent: Some(id),
            });
            start += group.len();
        }
        // The smallest byte is the next to be made.
        if let Some(children) = tasks.get_mut(first..) {
            children.reverse();
        }
    }
    nodes
}

/// Makes a node the last child of another.
fn adopt(nodes: &mut [Node<'_>], parent: usize, id: usize) {
    let Some(parent) = nodes.get_mut(parent) else {
        return;
    };
    let ends = parent.children;
    parent.children = Some((ends.map_or(id, |(first, _)| first), id));
    if let Some(elder) = ends.and_then(|(_, last)| nodes.get_mut(last)) {
        elder.next = Some(id);
    }
}

/// What all keys have in common behind `depth`: of sorted ones, the first and the last.
fn common<'a>(entries: &[Entry<'a>], depth: usize) -> &'a [u8] {
    let rest = |entry: Option<&Entry<'a>>| -> &'a [u8] {
        entry
            .and_then(|entry| entry.key.get(depth..))
            .unwrap_or_default()
    };
    let (first, last) = (rest(entries.first()), rest(entries.last()));
    let same = first.iter().zip(last).take_while(|(a, b)| a == b).count();
    first.get(..same).unwrap_or_default()
}

fn before(entries: &[Entry<'_>], depth: usize) -> u8 {
    let key = entries.first().map(|entry| entry.key).unwrap_or_default();
    depth
        .checked_sub(1)
        .and_then(|at| key.get(at))
        .copied()
        .unwrap_or_default()
}
