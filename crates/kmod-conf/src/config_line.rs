//! The place of a line of configuration.

use std::path::Path;
use std::sync::Arc;

/// Where something is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigLine {
    /// In a line of a file.
    File {
        /// The file.
        path: Arc<Path>,
        /// The number of the line, from 1.
        number: usize,
    },
    /// On the command line of the kernel.
    KernelCommandLine,
}
