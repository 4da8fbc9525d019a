//! kmod's binary indexes, `modules.*.bin`: writes them from keys with values, and reads them.
//!
//! [`write`](write()) makes the one canonical trie of its entries; only the order of the nodes in
//! the file differs between versions of kmod, which is the [`Layout`]. [`IndexFile`] has the names
//! of all index files, text ones included.

mod entry;
mod error;
mod file_names;
mod format;
mod order;
mod read;
mod trie;
mod write;

pub use entry::{Entry, Layout};
pub use error::{ReadError, WriteError};
pub use file_names::{IndexFile, KernelList};
pub use read::{Index, Value};
pub use write::{is_key, write};
