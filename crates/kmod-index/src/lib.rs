//! Turns keys with values into the bytes of one of kmod's `.bin` indexes, and such bytes back into
//! keys and values.
//!
//! An index is a radix trie: the bytes of a key lead from node to node, and the node where the key
//! ends has its values, each with a priority (kmod/libkmod/libkmod-index.c). All numbers are
//! big-endian:
//!
//! ```text
//! file: magic B007F457, version 00020001, root's offset
//! node: prefix NUL                          if PREFIX: bytes every key below goes on with
//!       first, last, offset of each child   if CHILDS: one for each byte from first to last, 0 for none
//!       count, (priority, value NUL)…       if VALUES
//! ```
//!
//! The upper four bits of an offset tell which of the three parts the node has.
//!
//! [`write`](write()) makes the one canonical trie of its entries; only the order of the nodes in
//! the file differs between kmod's versions, which is the [`Layout`].

mod entry;
mod error;
mod order;
mod pattern;
mod read;
mod trie;
mod wild;
mod write;

pub use entry::{Entry, Layout};
pub use error::{ReadError, WriteError};
pub use pattern::matches;
pub use read::{Found, Index};
pub use write::write;

const MAGIC: u32 = 0xB007_F457;
const VERSION: u32 = 0x0002_0001;
/// Magic, version, root.
const HEADER: u32 = 12;

const PREFIX: u32 = 0x8000_0000;
const VALUES: u32 = 0x4000_0000;
const CHILDS: u32 = 0x2000_0000;
/// What is left for the offset.
const OFFSET: u32 = 0x0FFF_FFFF;

/// Keys are 7-bit: a node has room for this many children.
const BYTES: u8 = 128;

/// What kmod makes a key of is at most a PATH_MAX long.
const LONGEST_KEY: usize = 4096;
