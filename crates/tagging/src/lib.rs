//! Turns the path of a module, kernel image or symvers file into all its tags, and the files of a
//! whole buildroot into tags kept on disk.
//!
//! ```text
//! path ─> Tagger (rules, policy, symvers of the kernel) ─> Tags, of the parts that are wanted
//!            └─> Keeper: the tags of many files, written as they come from all processors
//! ```
//!
//! A [`Part`] is what one generator prints. A generator wants one of them, `%kmp_split` all, from
//! the same reading of the file.

mod asked;
mod error;
mod keeper;
mod kernel;
mod link;
mod overrides;
mod part;
mod stamp;
mod symvers;
mod tagger;
mod tags;

pub use asked::asked;
pub use error::Error;
pub use keeper::{Keeper, keep};
pub use part::Part;
pub use tagger::{Sources, Tagger};
pub use tags::Tags;
