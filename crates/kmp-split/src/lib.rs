//! Turns a kernel's modules and a policy into packages, and those into what rpmbuild reads and
//! what people look at.
//!
//! ```text
//! Source (directory, policy files) ─> Planned (tree, resolution, policy, plan)
//!     plan + Identity (names, version) ─> spec_text   subpackages of a spec, or a spec part
//!                                      ─> lists       their files in the buildroot
//!                                      ─> document    JSON, which the next plan can stay close to
//!                                      ─> text_table, explain, report
//! KernelFiles ─> tree_macros: the image's files
//! ```

mod cli;
mod document;
mod explain;
mod identity;
mod lists;
mod machine;
mod moves;
pub mod plan;
mod planned;
mod report;
mod spec_text;
mod text_table;
mod tree_macros;
mod why;

pub use cli::{Cli, run};
pub use document::Document;
pub use identity::Identity;
pub use machine::{Installed, Machine};
pub use planned::{Planned, Source};
