//! Reads the configuration of kmod, depmod.d(5) and modprobe.d(5), as kmod reads it.

mod config_files;
mod config_line;
mod denial;
mod depmod_d;
mod fnmatch;
mod kernel_command_line;
mod kernel_pattern;
mod modprobe_d;

pub mod c_text;

pub use config_line::ConfigLine;
pub use denial::{Denial, DenialReason};
pub use depmod_d::{DepmodConfig, Search};
pub use fnmatch::fnmatch;
pub use modprobe_d::{Configured, ModprobeConfig, SoftDependencies};
