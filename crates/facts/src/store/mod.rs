//! The store: a file with the facts of modules, by the directories they lie in, and what tells
//! whether they still hold.
//!
//! The file is a head, which tells whether anything has changed, and a body with the facts, which is
//! read only if something has. It is a cache: a store that is damaged, foreign or of another version
//! is as good as none.

pub(crate) mod body;
pub(crate) mod format;
pub(crate) mod head;
pub(crate) mod id;
pub(crate) mod open;
