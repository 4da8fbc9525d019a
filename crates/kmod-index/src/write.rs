//! Entries in, the bytes of an index out.

use crate::entry::{Entry, Layout};
use crate::error::WriteError;
use crate::order::ordered;
use crate::trie::{Node, nodes};
use crate::{HEADER, LONGEST_KEY, MAGIC, OFFSET, VERSION};

/// The index of entries given in any order.
///
/// Values of a key are sorted by priority; of those with the same, the one that comes last here is
/// the first there, as kmod inserts them (kmod/tools/depmod.c, `index_add_value`). Repeated ones
/// stay.
///
/// # Errors
/// A key or value is not 7-bit text, a key is too long, or the index would be too large.
pub fn write(entries: &[Entry<'_>], layout: Layout) -> Result<Vec<u8>, WriteError> {
    let sorted = sorted(entries)?;
    let nodes = nodes(&sorted);
    let sizes: Vec<u32> = nodes
        .iter()
        .map(|node| size(node, &nodes, &sorted))
        .collect::<Option<_>>()
        .ok_or(WriteError::TooLarge)?;
    let order = match layout {
        Layout::PreOrder => (0..nodes.len()).collect(),
        Layout::PostOrder => post_order(&nodes),
    };
    let offsets = offsets(&order, &sizes).ok_or(WriteError::TooLarge)?;
    let place = |id: usize| {
        let flags = nodes.get(id).map_or(0, Node::flags);
        offsets.get(id).map_or(0, |offset| offset | flags)
    };
    let size = sizes.iter().map(|&size| u64::from(size)).sum::<u64>() + u64::from(HEADER);
    let mut out = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    for word in [MAGIC, VERSION, place(0)] {
        out.extend(word.to_be_bytes());
    }
    for node in order.into_iter().filter_map(|id| nodes.get(id)) {
        emit(node, &nodes, &sorted, place, &mut out);
    }
    Ok(out)
}

fn sorted<'a>(entries: &[Entry<'a>]) -> Result<Vec<Entry<'a>>, WriteError> {
    for entry in entries {
        if entry.key.len() > LONGEST_KEY {
            return Err(WriteError::LongKey(entry.key.len()));
        }
        for text in [entry.key, entry.value] {
            if !text.is_ascii() || text.contains(&0) {
                let text = String::from_utf8_lossy(text).into_owned();
                return Err(WriteError::BadByte(text));
            }
        }
    }
    Ok(ordered(entries))
}

fn values<'e, 'a>(node: &Node<'_>, entries: &'e [Entry<'a>]) -> &'e [Entry<'a>] {
    entries.get(node.values.clone()).unwrap_or_default()
}

/// The first and the last byte with a child.
fn span(node: &Node<'_>, nodes: &[Node<'_>]) -> Option<(u8, u8)> {
    let (first, last) = node.ends()?;
    Some((nodes.get(first)?.byte, nodes.get(last)?.byte))
}

fn size(node: &Node<'_>, nodes: &[Node<'_>], entries: &[Entry<'_>]) -> Option<u32> {
    let text = |text: &[u8]| text.len() + 1;
    let mut size = 0;
    if !node.prefix.is_empty() {
        size += text(node.prefix);
    }
    if let Some((first, last)) = span(node, nodes) {
        size += 2 + 4 * (usize::from(last.saturating_sub(first)) + 1);
    }
    let values = values(node, entries);
    if !values.is_empty() {
        let each = values.iter().map(|entry| 4 + text(entry.value));
        size += 4 + each.sum::<usize>();
    }
    u32::try_from(size).ok()
}

/// Where each node begins.
fn offsets(order: &[usize], sizes: &[u32]) -> Option<Vec<u32>> {
    let mut offsets = vec![0; sizes.len()];
    let mut at = HEADER;
    for &id in order {
        *offsets.get_mut(id)? = at;
        at = at.checked_add(*sizes.get(id)?)?;
        if at > OFFSET {
            return None;
        }
    }
    Some(offsets)
}

/// All nodes, each behind its children.
fn post_order(nodes: &[Node<'_>]) -> Vec<usize> {
    // Node, children from the last to the first is the reverse of what is wanted.
    let mut order = Vec::with_capacity(nodes.len());
    let mut stack = vec![0];
    while let Some(id) = stack.pop() {
        order.push(id);
        stack.extend(
            nodes
                .get(id)
                .into_iter()
                .flat_map(|node| node.children(nodes)),
        );
    }
    order.reverse();
    order
}

fn emit(
    node: &Node<'_>,
    nodes: &[Node<'_>],
    entries: &[Entry<'_>],
    place: impl Fn(usize) -> u32,
    out: &mut Vec<u8>,
) {
    let text = |text: &[u8], out: &mut Vec<u8>| {
        out.extend(text);
        out.push(0);
    };
    if !node.prefix.is_empty() {
        text(node.prefix, out);
    }
    if let Some((first, last)) = span(node, nodes) {
        out.extend([first, last]);
        let mut children = node.children(nodes).peekable();
        for byte in first..=last {
            let child = children.next_if(|&id| nodes.get(id).is_some_and(|n| n.byte == byte));
            out.extend(child.map_or(0, &place).to_be_bytes());
        }
    }
    let values = values(node, entries);
    if !values.is_empty() {
        out.extend((values.len() as u32).to_be_bytes());
        for entry in values {
            out.extend(entry.priority.to_be_bytes());
            text(entry.value, out);
        }
    }
}
