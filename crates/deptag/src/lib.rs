//! Turns facts and rules into the dependency tags of an rpm dialect.
//!
//! | file | tags |
//! | --- | --- |
//! | `symbols` | `ksym()`, `kernel()`: what a module exports and imports |
//! | `kmod` | `kmod()`: the module itself, depends=, softdep=, weakdep=; `kmod-initrd()` |
//! | `hardware` | `modalias()`, by way of `modalias`, which combines patterns |
//! | `kernel` | what a kernel image offers |
//!
//! `protocol` speaks with rpmbuild. The grammar of all tags is in DESIGN.md.

mod common;
mod escape;
mod hardware;
mod kernel;
mod kmod;
mod modalias;
mod protocol;
mod rules;
mod symbols;
mod tag;

pub use hardware::hardware;
pub use kernel::{Kernel, kernel};
pub use kmod::{depends, initrd, kmod, provided, recommends, suggests};
pub use protocol::{Protocol, REFUSED, serve};
pub use rules::{BadValue, Dialect, Flavor, Kabi, TagRules};
pub use symbols::{KernelSymbols, exports, imports, is_in_tree};
pub use tag::{TagBuffer, TagSet};
