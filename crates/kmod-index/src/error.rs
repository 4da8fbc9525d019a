//! What is wrong with entries that no index can hold, or with bytes that are no index.

/// Entries that no index can hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WriteError {
    /// A byte above 127 in a key, or a NUL.
    #[error("{0:?} is not 7-bit text; an index can hold nothing else")]
    BadByte(String),
    /// Offsets have 28 bits.
    #[error("the index would be larger than 256 MiB")]
    TooLarge,
}

/// Bytes that are no index.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// It does not begin with the bytes every index begins with.
    #[error("not a kmod index: wrong magic")]
    Magic,
    /// A format of another time.
    #[error("a kmod index of unknown version {0:#x}")]
    Version(u32),
    /// An offset or a string leads out of the file.
    #[error("damaged kmod index: cut short")]
    CutShort,
    /// Children for a range of bytes that ends before it begins, or beyond 127.
    #[error("damaged kmod index: children of impossible bytes")]
    Children,
    /// A node that several others lead to.
    #[error("damaged kmod index: its nodes form no tree")]
    Tangled,
}
