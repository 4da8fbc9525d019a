//! Runs a dependency generator of rpm: paths on stdin, tags on stdout.
//!
//! What the generators are is a table, [`tagging::GENERATORS`]. [`command`] makes the command line
//! of one from it, and [`run`] does the rest, which is the same for all.

mod command;
mod options;
mod run;

pub use command::command;
pub use run::{refuse, run};
