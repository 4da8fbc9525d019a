//! An index file as it is to be.

use kmod_index::IndexFile;

/// One index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Which file it is.
    pub file: IndexFile,
    /// What is in it.
    pub bytes: Vec<u8>,
}
