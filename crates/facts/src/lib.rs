//! Reads what modules say of themselves, and keeps it between runs.
//!
//! ```text
//! module file ─> Facts ─┐
//! Store (last run) ─────┴─> AllFacts ─> Store (next run)
//! directory ─> Listing, Stamp: what has changed since
//! ```
//!
//! The facts are those that depmod's indexes are made of. A module that has not changed is not read
//! again: the [`Store`] has its facts, with the [`Stamp`] of its file.

mod all_facts;
mod content;
mod facts;
mod listing;
mod names;
mod stamp;
mod store;
mod strings;

pub use all_facts::{AllFacts, Said, Source};
pub use content::{Content, Piece};
pub use facts::{Details, Facts, ImportDetail};
pub use listing::{Kind, Listing};
pub use names::NameId;
pub use stamp::Stamp;
pub use store::{Kept, KeptFacts, KnownListing, Store, Stored, store_of};
pub use strings::Strings;
