//! Reads the configuration of kmod: depmod.d(5).

mod depmod_d;
mod fnmatch;
mod kernel_pattern;

pub mod c_text;

pub use depmod_d::{DepmodConfig, Search};
pub use fnmatch::fnmatch;
