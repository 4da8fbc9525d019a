//! Turns real kernels, real package tools and a virtual machine into tests of a few lines.
//!
//! - [`Kernel`]: a kernel tree, from the Debian archive or a directory of the user's;
//! - [`Chroot`]: another release of Debian, for its rpm, zypper or dnf5;
//! - [`Machine`]: virtual hardware, read without modules or booted with a root's;
//! - [`trial::Trial`]: modules that a kernel is asked to load, and what it says;
//! - [`Zypp`] and [`Dnf`]: an empty rpm root, filled by a solver;
//! - [`Scenario`]: a dependency test as a readable text file, [`worlds`]: the repositories it names;
//! - [`scene::Scene`]: an rpm root whose triggers are counted, [`bulk::Bulk`]: many packages for it;
//! - [`drive::drive`]: from an empty root to every driver a machine needs;
//! - [`machines`]: the hardware of reference machines;
//! - [`reasons`]: why each package is in a root;
//! - [`need`], [`run`]: tools that must be there, commands that must succeed.
//!
//! A missing tool is a failed test whose message names the package; nothing is skipped.

pub mod apt;
pub mod archive;
pub mod bulk;
pub mod cases;
pub mod chroot;
pub mod cpio;
pub mod cpu_time;
pub mod depmod;
pub mod differ;
pub mod directories;
pub mod drive;
pub mod generate;
pub mod index_differ;
pub mod initramfs;
pub mod insmod;
pub mod kernel;
pub mod kmod;
pub mod kmod_tools;
pub mod kmps;
pub mod machines;
pub mod modular;
pub mod modules_tree;
pub mod mutate;
pub mod once;
pub mod place;
pub mod plan;
mod play;
pub mod query;
pub mod report;
pub mod rpmbuild;
pub mod rpms;
pub mod scenario;
pub mod scene;
pub mod seeds;
pub mod stage;
pub mod system;
pub mod tag_cache;
pub mod tools;
pub mod trace;
pub mod trial;
pub mod vendor;
pub mod vm;
pub mod why;
pub mod worlds;
pub mod zypp;

pub use chroot::Chroot;
pub use directories::cache_dir;
pub use kernel::Kernel;
pub use once::once;
pub use place::Place;
pub use report::{BootReport, Device, Modalias};
pub use scenario::{Scenario, World};
pub use tools::{need, need_mounts, need_root, run};
pub use vm::Machine;
pub use why::{Reason, reasons};
pub use zypp::{Dnf, Zypp};
