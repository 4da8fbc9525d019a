//! Writes an index.

use crate::entry::{Entry, Layout};
use crate::error::WriteError;
use crate::format::{MAGIC, OFFSET, VERSION};
use crate::order::ordered;
use crate::trie::Node;

/// Bytes of an offset.
const SLOT: usize = 4;

/// The index of entries given in any order.
///
/// Values of a key are sorted by priority. Of values with the same priority the one that was given
/// last comes first, as kmod inserts them (kmod/tools/depmod.c, `index_add_value`). Repeated values
/// are kept.
///
/// # Errors
/// A key is not 7-bit text, a value has a NUL, or the index would be too large.
pub fn write(entries: &[Entry<'_>], layout: Layout) -> Result<Vec<u8>, WriteError> {
    let sorted = sorted(entries)?;
    // This is more than needed, but memory that is not written to costs nothing.
    let length = |entry: &Entry<'_>| entry.key.len() + entry.value.len() + 4 * SLOT;
    let mut out = Vec::with_capacity(sorted.iter().map(length).sum());
    out.extend(MAGIC.to_be_bytes());
    out.extend(VERSION.to_be_bytes());
    match layout {
        Layout::PreOrder => pre_order(Node::root(&sorted), &mut out)?,
        Layout::PostOrder => post_order(Node::root(&sorted), &mut out)?,
    }
    Ok(out)
}

fn sorted<'a>(entries: &[Entry<'a>]) -> Result<Vec<Entry<'a>>, WriteError> {
    for entry in entries {
        if !is_key(entry.key) || memchr::memchr(0, entry.value).is_some() {
            let text = String::from_utf8_lossy(entry.key).into_owned();
            return Err(WriteError::BadByte(text));
        }
    }
    Ok(ordered(entries))
}

/// Whether an index can hold a key: whether all bytes are 7-bit and none is NUL. Looking at all of them
/// is faster than to stop at the first that is wrong.
pub fn is_key(bytes: &[u8]) -> bool {
    let is_text = |byte: u8| byte.wrapping_sub(1) < 0x7F;
    bytes.iter().fold(true, |all, &byte| all & is_text(byte))
}

/// A node to write, and where to put its offset: in the node above it.
struct Task<'e, 'a> {
    node: Node<'e, 'a>,
    slot: usize,
}

/// Writes each node before its children. Their offsets are filled in when they are written.
fn pre_order<'e, 'a>(root: Node<'e, 'a>, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let slot = reserve(1, out);
    // Not recursion: keys may have thousands of bytes, and so many nodes.
    let mut stack = vec![Task { node: root, slot }];
    while let Some(Task { node, slot }) = stack.pop() {
        let place = place(&node, out)?;
        set(out, slot, place);
        node.put_head(out);
        let slots = reserve(node.slots(), out);
        node.put_values(out);
        push_children(&node, slots, &mut stack, |task| task);
    }
    Ok(())
}

/// What is left to do for a node in post-order.
enum Step<'e, 'a> {
    Begin(Task<'e, 'a>),
    /// Its children are written; their offsets begin there.
    End(Task<'e, 'a>, usize),
}

/// Writes each node after its children. Their offsets wait on a stack.
fn post_order<'e, 'a>(root: Node<'e, 'a>, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let of_root = reserve(1, out);
    let mut offsets = Vec::new();
    let slot = reserve(1, &mut offsets);
    let mut stack = vec![Step::Begin(Task { node: root, slot })];
    while let Some(step) = stack.pop() {
        match step {
            Step::Begin(task) => {
                let node = task.node;
                let slots = reserve(node.slots(), &mut offsets);
                stack.push(Step::End(task, slots));
                push_children(&node, slots, &mut stack, Step::Begin);
            }
            Step::End(Task { node, slot }, slots) => {
                let place = place(&node, out)?;
                node.put_head(out);
                out.extend(offsets.drain(slots..));
                node.put_values(out);
                set(&mut offsets, slot, place);
                // The root comes last.
                set(out, of_root, place);
            }
        }
    }
    Ok(())
}

/// Puts the children of a node on a stack, in the order that takes them off ascending by byte.
fn push_children<'e, 'a, S>(
    node: &Node<'e, 'a>,
    slots: usize,
    stack: &mut Vec<S>,
    step: impl Fn(Task<'e, 'a>) -> S,
) {
    let first = stack.len();
    stack.extend(node.children().map(|child| {
        step(Task {
            slot: slots + SLOT * child.index,
            node: Node::of(&child),
        })
    }));
    if let Some(children) = stack.get_mut(first..) {
        children.reverse();
    }
}

/// Makes room for offsets, and says where.
fn reserve(count: usize, bytes: &mut Vec<u8>) -> usize {
    let start = bytes.len();
    bytes.resize(start + SLOT * count, 0);
    start
}

/// The offset of a node that is about to be written, with the bits that name its parts.
fn place(node: &Node<'_, '_>, out: &[u8]) -> Result<u32, WriteError> {
    let offset = u32::try_from(out.len()).ok();
    let offset = offset.filter(|&offset| offset <= OFFSET);
    Ok(offset.ok_or(WriteError::TooLarge)? | node.flags())
}

fn set(bytes: &mut [u8], slot: usize, place: u32) {
    let slot = bytes.get_mut(slot..).and_then(<[u8]>::first_chunk_mut);
    if let Some(slot) = slot {
        *slot = place.to_be_bytes();
    }
}
