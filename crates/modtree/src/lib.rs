//! Finds a kernel and its modules below a root directory, and decides which module needs which.
//!
//! ```text
//! root ─> KernelFiles (image, System.map, config, symvers), ReleaseDir (lib/modules/<rel>)
//!            │                                └─> loader::Kernel (exports, config) ──────────┐
//!            └─> Tree (every module's record, and what the kernel's loader asks of it) ─> Resolution (who needs whom)
//! ```
//!
//! `packaged` finds the way back from one of a kernel's files.

mod error;
mod kernel;
mod kernel_files;
mod packaged;
mod record;
mod release_dir;
mod resolve;
mod tree;

pub use error::Error;
pub use kernel::read_kernel;
pub use kernel_files::{KernelFiles, devel_symvers, symvers};
pub use loader::ModuleId;
pub use packaged::PackagedKernel;
pub use record::Record;
#[doc(hidden)]
pub use release_dir::builtin_names;
pub use release_dir::{INITRD_LIST, ModuleFile, ReleaseDir, is_plain_path};
pub use resolve::{Difference, Resolution, resolve};
pub use tree::{Tree, spelled};
