//! Reads an index: all keys with their values.

use crate::error::ReadError;
use crate::format::{BYTES, CHILDS, HEADER, MAGIC, OFFSET, PREFIX, VALUES, VERSION};

/// An index whose header has been checked; every node is when it is reached.
#[derive(Clone, Copy, Debug)]
pub struct Index<'d> {
    bytes: &'d [u8],
    root: u32,
}

/// A value of a key, with its priority.
pub type Value<'d> = (u32, &'d [u8]);

impl<'d> Index<'d> {
    /// Takes the bytes of an index.
    ///
    /// # Errors
    /// They begin as no index does, or with the version of another format.
    pub fn new(bytes: &'d [u8]) -> Result<Self, ReadError> {
        let mut header = Cursor { rest: bytes };
        if header.word()? != MAGIC {
            return Err(ReadError::Magic);
        }
        let version = header.word()?;
        // Minor versions are compatible (kmod/libkmod/libkmod-index.c, `index_mm_open`).
        if version >> 16 != VERSION >> 16 {
            return Err(ReadError::Version(version));
        }
        let root = header.word()?;
        Ok(Self { bytes, root })
    }

    /// Calls `take` with each key in order and its values, lowest priority number first. Gives the
    /// number of bytes that were read for it, which is never more than the index has.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn for_each(&self, mut take: impl FnMut(&[u8], &[Value<'d>])) -> Result<usize, ReadError> {
        // The nodes of a tree lie beside each other. So whoever has read more bytes than there are
        // has met a node twice.
        let mut left = Bytes(self.bytes.len());
        let mut key: Vec<u8> = Vec::new();
        let mut values = Vec::new();
        let root = Branch {
            known: 0,
            byte: None,
            place: self.root,
        };
        let mut branches = vec![root];
        while let Some(branch) = branches.pop() {
            let node = self.node(branch.place, &mut left)?;
            key.truncate(branch.known);
            key.extend(branch.byte);
            key.extend_from_slice(node.prefix);
            if let Some(behind) = node.values {
                read_values(behind, &mut left, &mut values)?;
                take(&key, &values);
            }
            branches.extend(node.children().rev().map(|(byte, place)| Branch {
                known: key.len(),
                byte: Some(byte),
                place,
            }));
        }
        Ok(self.bytes.len() - left.0)
    }

    fn node(&self, place: u32, left: &mut Bytes) -> Result<Node<'d>, ReadError> {
        let offset = place & OFFSET;
        if offset < HEADER {
            return Err(ReadError::CutShort);
        }
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.bytes.get(offset..))
            .ok_or(ReadError::CutShort)?;
        let mut cursor = Cursor { rest };
        let prefix = match place & PREFIX {
            0 => &[],
            _ => cursor.text()?,
        };
        let (first, children) = match place & CHILDS {
            0 => (0, &[][..]),
            _ => cursor.children()?,
        };
        let parts = rest.len() - cursor.rest.len();
        // Only the root of an empty index has no part, but many could be said to have none.
        let has_values = place & VALUES != 0;
        left.take(parts.max(usize::from(!has_values)))?;
        Ok(Node {
            prefix,
            first,
            children,
            values: has_values.then_some(cursor),
        })
    }
}

/// A node that has not been read yet.
struct Branch {
    /// How much of the key before it leads to it.
    known: usize,
    /// The byte that follows.
    byte: Option<u8>,
    place: u32,
}

/// How many bytes may still be read.
struct Bytes(usize);

impl Bytes {
    fn take(&mut self, count: usize) -> Result<(), ReadError> {
        self.0 = self.0.checked_sub(count).ok_or(ReadError::Tangled)?;
        Ok(())
    }
}

fn read_values<'d>(
    mut cursor: Cursor<'d>,
    left: &mut Bytes,
    values: &mut Vec<Value<'d>>,
) -> Result<(), ReadError> {
    values.clear();
    let count = cursor.word()?;
    left.take(size_of::<u32>())?;
    for _ in 0..count {
        let value = (cursor.word()?, cursor.text()?);
        left.take(size_of::<u32>() + value.1.len() + 1)?;
        values.push(value);
    }
    Ok(())
}

struct Node<'d> {
    prefix: &'d [u8],
    first: u8,
    /// A big-endian word for each byte from `first` on.
    children: &'d [u8],
    values: Option<Cursor<'d>>,
}

impl<'d> Node<'d> {
    fn children(&self) -> impl DoubleEndedIterator<Item = (u8, u32)> + use<'d> {
        let first = self.first;
        let child = move |(index, place): (usize, &[u8])| {
            let byte = first.checked_add(u8::try_from(index).ok()?)?;
            let place = u32::from_be_bytes(*place.first_chunk()?);
            (place != 0).then_some((byte, place))
        };
        self.children.chunks_exact(4).enumerate().filter_map(child)
    }
}

/// What is left of the file behind what has been read.
#[derive(Clone, Copy)]
struct Cursor<'d> {
    rest: &'d [u8],
}

impl<'d> Cursor<'d> {
    fn word(&mut self) -> Result<u32, ReadError> {
        let (word, rest) = self.rest.split_first_chunk().ok_or(ReadError::CutShort)?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*word))
    }

    fn text(&mut self) -> Result<&'d [u8], ReadError> {
        let rest = self.rest;
        let end = memchr::memchr(0, rest);
        let (text, rest) = end
            .and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?)))
            .ok_or(ReadError::CutShort)?;
        self.rest = rest;
        Ok(text)
    }

    fn children(&mut self) -> Result<(u8, &'d [u8]), ReadError> {
        let (&[first, last], rest) = self.rest.split_first_chunk().ok_or(ReadError::CutShort)?;
        if first > last || last >= BYTES {
            return Err(ReadError::Children);
        }
        let bytes = 4 * (usize::from(last - first) + 1);
        let (places, rest) = rest.split_at_checked(bytes).ok_or(ReadError::CutShort)?;
        self.rest = rest;
        Ok((first, places))
    }
}
