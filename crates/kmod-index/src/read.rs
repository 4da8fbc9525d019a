//! The bytes of an index in, its entries out: all of them, or those of one key.

use crate::entry::Entry;
use crate::error::ReadError;
use crate::{BYTES, CHILDS, HEADER, LONGEST_KEY, MAGIC, OFFSET, PREFIX, VALUES, VERSION};

/// An index whose header has been checked; every node is when it is reached.
#[derive(Clone, Copy, Debug)]
pub struct Index<'d> {
    data: &'d [u8],
    root: u32,
}

/// A key of an index with its values, lowest priority number first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'d> {
    /// The whole key.
    pub key: Vec<u8>,
    /// Priorities and values, as they follow each other in the file.
    pub values: Vec<(u32, &'d [u8])>,
}

impl Found<'_> {
    /// The key once for each value.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.values.iter().map(|&(priority, value)| Entry {
            key: &self.key,
            value,
            priority,
        })
    }
}

impl<'d> Index<'d> {
    /// Takes the bytes of an index.
    ///
    /// # Errors
    /// They start like none, or with the version of another format.
    pub fn new(data: &'d [u8]) -> Result<Self, ReadError> {
        let mut header = Cursor { rest: data };
        if header.word()? != MAGIC {
            return Err(ReadError::Magic);
        }
        let version = header.word()?;
        // Minor versions are compatible (kmod/libkmod/libkmod-index.c, `index_mm_open`).
        if version >> 16 != VERSION >> 16 {
            return Err(ReadError::Version(version));
        }
        let root = header.word()?;
        Ok(Self { data, root })
    }

    /// The values of one key; none if the index does not have it.
    ///
    /// # Errors
    /// The index is damaged on the way there.
    pub fn get(&self, key: &[u8]) -> Result<Vec<(u32, &'d [u8])>, ReadError> {
        let mut node = self.root()?;
        let mut rest = key;
        loop {
            let Some(behind) = rest.strip_prefix(node.prefix) else {
                return Ok(Vec::new());
            };
            let Some((&byte, behind)) = behind.split_first() else {
                return node.values();
            };
            let Some(place) = node.child(byte) else {
                return Ok(Vec::new());
            };
            node = self.node(place)?;
            rest = behind;
        }
    }

    /// All keys in order, with their values.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn all(&self) -> Result<Vec<Found<'d>>, ReadError> {
        self.below(|_, _| true, |_| true)
    }

    /// The keys `wanted` accepts, in order; branches whose keys all begin with what `enter`
    /// refuses are passed over. It is given the part of the key that is known and the next byte.
    pub(crate) fn below(
        &self,
        enter: impl Fn(&[u8], u8) -> bool,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Found<'d>>, ReadError> {
        let mut found = Vec::new();
        let mut room = self.data.len();
        let mut key: Vec<u8> = Vec::new();
        let mut tasks = vec![(0, None, self.root()?)];
        while let Some((known, byte, node)) = tasks.pop() {
            key.truncate(known);
            key.extend(byte);
            key.extend(node.prefix);
            let values = node.values()?;
            // Every node of a tree has bytes of its own.
            room = room
                .checked_sub(1 + node.prefix.len() + 4 * values.len())
                .ok_or(ReadError::Tangled)?;
            if key.len() > LONGEST_KEY {
                return Err(ReadError::Tangled);
            }
            if !values.is_empty() && wanted(&key) {
                let key = key.clone();
                found.push(Found { key, values });
            }
            for (byte, place) in node.children().rev() {
                if enter(&key, byte) {
                    tasks.push((key.len(), Some(byte), self.node(place)?));
                }
            }
        }
        Ok(found)
    }

    fn root(&self) -> Result<Node<'d>, ReadError> {
        self.node(self.root)
    }

    fn node(&self, place: u32) -> Result<Node<'d>, ReadError> {
        let offset = place & OFFSET;
        if offset < HEADER {
            return Err(ReadError::CutShort);
        }
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.data.get(offset..))
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
        Ok(Node {
            prefix,
            first,
            children,
            values: (place & VALUES != 0).then_some(cursor),
        })
    }
}

struct Node<'d> {
    prefix: &'d [u8],
    first: u8,
    /// A big-endian word for each byte from `first` on.
    children: &'d [u8],
    values: Option<Cursor<'d>>,
}

impl<'d> Node<'d> {
    fn child(&self, byte: u8) -> Option<u32> {
        let index = byte.checked_sub(self.first)?;
        let place = self.children.get(4 * usize::from(index)..)?.first_chunk()?;
        Some(u32::from_be_bytes(*place)).filter(|&place| place != 0)
    }

    fn children(&self) -> impl DoubleEndedIterator<Item = (u8, u32)> + use<'d> {
        let first = self.first;
        let child = move |(index, place): (usize, &[u8])| {
            let byte = first.checked_add(u8::try_from(index).ok()?)?;
            let place = u32::from_be_bytes(*place.first_chunk()?);
            (place != 0).then_some((byte, place))
        };
        self.children.chunks_exact(4).enumerate().filter_map(child)
    }

    fn values(&self) -> Result<Vec<(u32, &'d [u8])>, ReadError> {
        let Some(mut cursor) = self.values else {
            return Ok(Vec::new());
        };
        let count = cursor.word()?;
        (0..count)
            .map(|_| Ok((cursor.word()?, cursor.text()?)))
            .collect()
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
