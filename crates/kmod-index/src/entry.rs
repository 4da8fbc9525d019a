//! What the writer of an index is given.

/// A key and one of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// 7-bit, without NUL.
    pub key: &'a [u8],
    /// Without NUL; may be empty.
    pub value: &'a [u8],
    /// The values of a key are in ascending order of priority.
    pub priority: u32,
}

/// The order in which nodes follow each other in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// A node before its children, as kmod 34 writes them.
    #[default]
    PreOrder,
    /// Children before their node, as kmod 30 writes them.
    PostOrder,
}
