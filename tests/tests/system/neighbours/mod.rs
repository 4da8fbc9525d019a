//! Turns packages built beside a distribution's attrs into their tags and a record of what ran:
//! no tag comes twice, no script runs on what ours has done, and a package's own generator does.

mod elf;
mod modular;
mod package;
mod stand_ins;
mod stock_kernel;
mod vendor;
