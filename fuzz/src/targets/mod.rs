//! One file for each kind of input.

mod index;

use crate::Target;

/// All targets.
pub const TARGETS: &[Target] = &[index::READ, index::WRITE];
