//! Makes the indexes that modprobe reads, byte for byte as kmod's depmod makes them.
//!
//! ```text
//! depmod.d ─> DepmodConfig ─┐
//! directory, Store ─────────┴─> walk ─> arrange ─> FoundModules, no two of one name
//!    ─> ReadModules (facts, read in parallel) ─> SymbolTable (who exports what)
//!    ─> Dependencies (who needs whom) ─> index_files, one source file each ─> publish
//! ```
//!
//! What kmod does decides each byte, so each step follows a part of kmod/tools/depmod.c and says
//! which. Where kmod leaves something to chance or is wrong, the manual page has the difference.

mod abandoned;
mod arrange;
mod changed_below;
mod checksum;
mod complaints;
mod copies;
mod cycles;
mod dependencies;
mod error;
mod found_modules;
mod hash;
mod index_files;
mod index_state;
mod indexes;
mod input_digest;
mod kernel_symbols;
mod locked_directory;
mod module;
mod module_path;
mod publish;
mod read_modules;
mod replacement;
mod settings;
mod symbol_table;
mod temporaries;
mod up_to_date;
mod update;
mod walk;
mod way_down;

pub use dependencies::Dependency;
pub use error::Error;
pub use found_modules::FoundModules;
pub use index_files::output::Output;
#[doc(hidden)]
pub use index_files::{builtin_aliases, builtin_names};
pub use indexes::Indexes;
#[doc(hidden)]
pub use kernel_symbols::{KernelSymbol, symbols_of_symvers, symbols_of_system_map};
pub use locked_directory::LockedDirectory;
pub use read_modules::ReadModules;
pub use settings::{Compat, KernelSymbolsFile, Settings, is_release};
pub use up_to_date::is_up_to_date;
pub use update::{Update, Updated};
