//! What can be wrong with entries or with an index.

/// Entries no index can hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WriteError {
    /// A byte above 127 or a NUL.
    #[error("{0:?}: an index holds 7-bit text only")]
    BadByte(String),
    /// Longer than kmod ever makes one.
    #[error("a key of an index with {0} bytes")]
    LongKey(usize),
    /// Offsets have 28 bits.
    #[error("an index of more than 256 MiB")]
    TooLarge,
}

/// Bytes that are no index.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// Not the bytes every index starts with.
    #[error("no kmod index: wrong magic")]
    Magic,
    /// A format of another time.
    #[error("a kmod index of version {0:#x}")]
    Version(u32),
    /// An offset or a string leads out of the file.
    #[error("a damaged kmod index: cut short")]
    CutShort,
    /// Children for a range of bytes that ends before it begins, or beyond 127.
    #[error("a damaged kmod index: children of impossible bytes")]
    Children,
    /// More nodes than bytes: offsets lead in circles.
    #[error("a damaged kmod index: its nodes form no tree")]
    Tangled,
}
