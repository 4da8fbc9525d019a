//! The numbers of kmod's index format (kmod/libkmod/libkmod-index.c).
//!
//! An index is a radix trie: the bytes of a key lead from node to node, and the node where the key
//! ends has its values, each with a priority. All numbers are big-endian:
//!
//! ```text
//! file: magic B007F457, version 00020001, root's offset
//! node: prefix NUL                          if PREFIX: bytes every key below goes on with
//!       first, last, offset of each child   if CHILDS: one for each byte from first to last, 0 for none
//!       count, (priority, value NUL)…       if VALUES
//! ```
//!
//! The upper four bits of an offset say which of the three parts the node has.

pub(crate) const MAGIC: u32 = 0xB007_F457;
pub(crate) const VERSION: u32 = 0x0002_0001;
/// Bytes before the first node: magic, version and the root's offset.
pub(crate) const HEADER: u32 = 12;

pub(crate) const PREFIX: u32 = 0x8000_0000;
pub(crate) const VALUES: u32 = 0x4000_0000;
pub(crate) const CHILDS: u32 = 0x2000_0000;
/// The bits of an offset that are left for the place in the file.
pub(crate) const OFFSET: u32 = 0x0FFF_FFFF;

/// Keys are 7-bit: a node has room for this many children.
pub(crate) const BYTES: u8 = 128;
