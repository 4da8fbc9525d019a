//! Facts of kernel modules, kept between runs so that only modules that changed are read again.
//!
//! ```text
//! module file ─> FreshFacts ─────────────────┐
//! StoreFile ─> Store ─> StoreHead, StoredFacts ─┴─> FactTable ─> write_store (for the next run)
//! directory ─> DirectoryListing, FileStamp: what has changed since
//! ```
//!
//! The facts are those that depmod's indexes are made of. The store has the [`FileStamp`] of each
//! module file beside its facts; while the stamp is the same, the file is not read.
//!
//! What the kernel's loader asks of modules is in another store, the [`LoaderStore`], which depmod
//! neither reads nor writes: [`LoaderFacts`] gathers it for whoever asks.
//!
//! What a store knows of a module is only of use with that very store. Its ids therefore carry the
//! store's lifetime, which no other store has:
//!
//! ```compile_fail
//! use facts::{Store, StoreFile, StoredId};
//!
//! fn stamp_of_another<'a, 'b>(store: &Store<'a>, id: StoredId<'b>) {
//!     store.head().stamp(id);
//! }
//! ```

mod content_hash;
mod fresh;
mod home;
mod listing;
mod loader_facts;
mod loader_record;
mod loader_store;
mod ranges;
mod stamp;
mod store;
mod strings;
mod symbol_names;
mod table;
#[cfg(test)]
mod tests;
mod write_store;

pub use content_hash::{ContentHash, ReadBuffer};
pub use fresh::{FreshFacts, ImportDetail, SymbolDetails};
pub use home::FactsHome;
pub use listing::{
    DirectoryEntry, DirectoryIdentity, DirectoryListing, EntryKind, ListedDirectory,
};
pub use loader_facts::{LoaderFacts, LoaderFile};
pub use loader_store::LoaderStore;
#[doc(hidden)]
pub use loader_store::checked as loader_store_with;
pub use stamp::{FileStamp, Time};
pub use store::body::{StoredFacts, StoredModule};
pub use store::head::{StoreHead, StoredListing};
pub use store::id::StoredId;
pub use store::open::{Store, StoreFile};
pub use strings::Strings;
pub use symbol_names::SymbolNameId;
pub use table::{FactTable, ModuleFacts, StoredOrFresh};
#[doc(hidden)]
pub use write_store::store_of;
pub use write_store::{StoredFile, write_store};

/// The name of the store in the place that a [`FactsHome`] gives a release.
pub const STORE_NAME: &str = "depmod";

/// The name of the store of what the kernel's loader asks of modules, in the same place.
pub const LOADER_STORE_NAME: &str = "loader";

/// The name of the record of what the last initrd was made of, in the same place.
pub const INITRD_RECORD_NAME: &str = "initrd";
