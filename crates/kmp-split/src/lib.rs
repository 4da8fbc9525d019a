//! Turns a kernel tree into packages, one for each module, and those into the
//! text rpmbuild reads.
//!
//! ```text
//! KernelTree ─> plan: packages with unique names ─> spec_text: subpackages
//!      └─────────────────────────────────────────> tree_macros: the image's files
//! ```

mod cli;
mod plan;
mod spec_text;
mod tree_macros;

pub use cli::{Cli, run};
