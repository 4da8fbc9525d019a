//! Plans the packages of a kernel's modules, and writes what rpmbuild reads and what people look
//! at.
//!
//! ```text
//! PlanInputs (directory, policy files) ─> PlannedKernel (tree, resolution, softdeps, policy, plan)
//!     plan + Identity (names, version) ─> spec_text   subpackages of a spec, or a spec part
//!                                      ─> lists       their files in the buildroot
//!                                      ─> document    JSON, which the next plan reads
//!                                      │     └─> report   the HTML page
//!                                      ─> text_table, explain
//! KernelFiles ─> tree_macros: the image's files
//! ```

mod buildroot;
mod cli;
mod document;
mod explain;
mod identity;
mod lists;
mod machine;
mod moves;
pub mod plan;
mod plan_inputs;
mod planned;
mod reach;
mod reason_text;
mod rebuilds;
mod report;
mod run;
mod softdeps;
mod spec_prose;
mod spec_text;
mod text_table;
mod tree_macros;

pub use cli::Cli;
pub use document::Document;
pub use identity::Identity;
pub use machine::{Installed, MachineHardware};
pub use plan_inputs::PlanInputs;
pub use planned::PlannedKernel;
pub use run::run;
pub use softdeps::Softdeps;
