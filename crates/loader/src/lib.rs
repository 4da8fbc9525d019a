//! Says what the kernel's loader would say of a module: whether it loads, and every reason why
//! not.
//!
//! ```text
//! kmodule::Module ─> ModuleFacts ─> Modules ──┐
//! symvers | image | System.map ─> KernelExports ─> Kernel ─┴─> Scope ─> Verdict: reasons in the loader's order
//! ```
//!
//! The kernel's source is the reference: each check names the function it follows. Modules are
//! judged without running anything, whichever kernel they were built for.

mod btf;
mod btf_types;
mod facts;
mod kernel;
mod kernel_exports;
mod license;
mod modules;
mod names;
mod namespace;
mod own;
mod proprietary;
mod reading;
mod reason;
mod scope;
mod symbol_list;
mod symbols;
mod verdict;

pub use btf::{BtfBase, BtfId};
pub use facts::{ModuleBtf, ModuleFacts, ModuleSignature, VersionTables};
pub use kernel::Kernel;
pub use kernel_exports::{KernelExport, KernelExportFiles, KernelExportSource, KernelExports};
pub use modules::{Export, Import, ModuleId, Modules};
pub use names::NameId;
pub use reading::{Reading, SymbolReading};
pub use reason::Reason;
pub use scope::{Exporter, Scope};
pub use symbol_list::{ExportedSymbol, ImportedSymbol, SymbolList, Version};
pub use verdict::Verdict;
