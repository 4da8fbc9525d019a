//! Turns a root directory and a kernelrelease into the picture of that kernel's modules.
//!
//! ```text
//! root ─> KernelFiles (image, System.map, config, symvers), ReleaseDir (lib/modules/<rel>)
//!            └─> Tree (every module's record and symbols) ─> Resolution (who needs whom)
//! ```
//!
//! `packaged` finds the way back from one of a kernel's files. `Facts` are what depmod's indexes are made
//! of, and a `Store` keeps them between runs.

mod all_facts;
mod content;
mod error;
mod facts;
mod kernel_files;
mod listing;
mod names;
mod packaged;
mod parallel;
mod record;
mod release_dir;
mod resolve;
mod stamp;
mod store;
mod strings;
mod table;
mod tree;

pub use all_facts::{AllFacts, Said, Source};
pub use content::{Content, Piece};
pub use error::Error;
pub use facts::{Details, Facts, ImportDetail};
pub use kernel_files::{KernelFiles, devel_symvers, symvers};
pub use listing::{Kind, Listing};
pub use names::NameId;
pub use packaged::PackagedKernel;
pub use parallel::map_with;
pub use record::Record;
pub use release_dir::{INITRD_LIST, ModuleFile, ReleaseDir, is_plain_path};
pub use resolve::{Binding, Difference, KernelExports, Resolution, kernel_exports, resolve};
pub use stamp::Stamp;
pub use store::{Kept, KeptFacts, KnownListing, Store, Stored, store_of};
pub use strings::Strings;
pub use table::{Id, Table};
pub use tree::{ModuleId, Symbol, SymbolId, Tree, spelled};
