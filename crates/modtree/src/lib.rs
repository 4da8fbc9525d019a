//! Turns a root directory and a kernelrelease into the files of that kernel.
//!
//! `release_dir` knows `lib/modules/<rel>` and its lists, `tree` the whole
//! kernel: image, System.map, config and symvers, wherever a distribution puts
//! them. `packaged` finds the way back from one of those files.

mod error;
mod packaged;
mod release_dir;
mod tree;

pub use error::Error;
pub use packaged::PackagedKernel;
pub use release_dir::{ModuleFile, ReleaseDir};
pub use tree::{KernelTree, devel_symvers};
