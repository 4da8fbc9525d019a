//! Turns a root directory and a kernelrelease into the picture of that kernel's modules.
//!
//! ```text
//! root ─> KernelFiles (image, System.map, config, symvers), ReleaseDir (lib/modules/<rel>)
//!            └─> Tree (every module's record and symbols) ─> Resolution (who needs whom)
//! ```
//!
//! `packaged` finds the way back from one of a kernel's files.

mod error;
mod kernel_files;
mod packaged;
mod record;
mod release_dir;
mod resolve;
mod tree;

pub use error::Error;
pub use kernel_files::{KernelFiles, devel_symvers, symvers};
pub use packaged::PackagedKernel;
pub use record::Record;
pub use release_dir::{INITRD_LIST, ModuleFile, ReleaseDir, is_plain_path};
pub use resolve::{Binding, Difference, KernelExports, Resolution, kernel_exports, resolve};
pub use tree::{ModuleId, Symbol, SymbolId, Tree, spelled};
