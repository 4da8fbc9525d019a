//! Turns facts about modules and kernels into the dependency tags of an rpm dialect.
//!
//! | file | tags |
//! | --- | --- |
//! | `symbols` | `ksym()`, `kernel()`: the symbols that a module exports and imports |
//! | `kmod` | `kmod()`: the module itself, depends=, softdep=, weakdep=; `kmod-alias()`, `kmod-initrd()` |
//! | `hardware` | `modalias()`; `combine` shortens the patterns |
//! | `kernel` | what a kernel image provides; `release` writes its kernelrelease |
//!
//! `rules` has what decides the form of a tag, `escape` the characters in it, `tag` the order of
//! tags. `protocol` speaks with rpmbuild. DESIGN.md has the grammar of all tags.

mod combine;
mod common;
mod escape;
mod hardware;
mod kernel;
mod kmod;
mod protocol;
mod release;
mod rules;
mod symbols;
mod tag;

pub use hardware::*;
pub use kernel::{KernelFacts, kernel};
pub use kmod::*;
pub use protocol::{Protocol, refusal, serve};
pub use release::kernel_uname_r;
pub use rules::{BadValue, Dialect, Flavor, Kabi, TagRules};
pub use symbols::*;
pub use tag::{TagBuffer, TagSet};
