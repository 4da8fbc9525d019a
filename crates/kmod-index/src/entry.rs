//! What an index is made of.

/// A key and one of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// 7-bit, without NUL.
    pub key: &'a [u8],
    /// 7-bit, without NUL; may be empty.
    pub value: &'a [u8],
    /// Values of one key are in ascending order of it.
    pub priority: u32,
}

/// In which order the nodes of a trie follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// A node before its children, as kmod 34 writes them.
    #[default]
    PreOrder,
    /// Children before their node, as kmod 30 writes them.
    PostOrder,
}
