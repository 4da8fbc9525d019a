//! Turns a root directory and a kernelrelease into the files of that kernel.
//!
//! `release_dir` knows `lib/modules/<rel>` and its lists, `tree` the whole
//! kernel: image, System.map, config and symvers, wherever a distribution puts
//! them.

mod error;
mod release_dir;
mod tree;

pub use error::Error;
pub use release_dir::{ModuleFile, ReleaseDir};
pub use tree::{KernelTree, PackagedKernel, devel_symvers};
