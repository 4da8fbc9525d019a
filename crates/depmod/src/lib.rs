//! Turns a directory of kernel modules into the indexes modprobe reads, byte for byte as kmod's
//! depmod makes them.
//!
//! ```text
//! depmod.d ─> Config ─┐
//! directory ─> walk ──┴─> ModuleFiles, no two of one name ─> arrange (modules.order)
//!    ─> Facts, read in parallel ─> SymbolTable (who exports what) ─> Dependencies (who needs whom)
//!    ─> outputs, one file for each index ─> publish
//! ```
//!
//! What decides a byte is what kmod does, so each step follows a part of kmod/tools/depmod.c, and
//! says which; what kmod leaves to chance or gets wrong is in the manual page.

mod abandoned;
mod arrange;
mod changes;
mod contest;
mod cycles;
mod dependencies;
mod error;
mod found;
mod hash;
mod indexes;
mod kernel_symbols;
mod module_file;
mod outputs;
mod publish;
mod quick;
mod read;
mod replacement;
mod settings;
mod stamps;
mod state;
mod sum;
mod symbol_table;
mod update;
mod walk;

pub use dependencies::Need;
pub use error::Error;
pub use found::Found;
pub use indexes::{Indexes, Tree};
pub use outputs::Output;
pub use publish::Place;
pub use quick::is_up_to_date;
pub use settings::{Compat, KernelSymbols, Settings, is_release};
pub use update::{Update, Updated};
