//! Plans the packages of a kernel's modules, and writes what rpmbuild reads and what people look
//! at.
//!
//! ```text
//! PlanInputs (directory, policy files) ─> PlannedKernel (tree, resolution, softdeps, policy, plan)
//!     plan + Identity (names, version) ─> spec_text   subpackages of a spec, or a spec part
//!                                      ─> lists       their files in the buildroot
//!                                      ─> document    JSON, which the next plan reads
//!                                      │     ├─> report      the HTML page
//!                                      │     └─> difference  of two plans
//!                                      ─> text_table, explain
//! KernelFiles ─> tree_macros: the image's files
//! sysfs ─> list of modaliases ─> machine: what hardware asks for
//! ```

mod buildroot;
mod cli;
mod cli_inputs;
mod difference;
mod document;
mod explain;
mod identity;
mod lists;
mod machine;
mod machine_document;
mod moves;
mod nearest;
pub mod plan;
mod plan_inputs;
mod planned;
mod reach;
mod reason_text;
mod rebuilds;
mod report;
mod run;
mod saved_file;
mod softdeps;
mod spec_prose;
mod spec_text;
mod sysfs;
mod terminal;
mod text_table;
mod tree_macros;

pub use cli::Cli;
pub use document::Document;
pub use identity::Identity;
pub use machine::{Cause, Installed, MachineHardware};
pub use machine_document::{InstalledEntry, MachineEntry};
pub use plan_inputs::PlanInputs;
pub use planned::PlannedKernel;
pub use run::run;
pub use softdeps::Softdeps;
