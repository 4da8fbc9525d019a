//! One file for each kind of input.

mod index;
mod policy;

use crate::Target;

/// All targets.
pub const TARGETS: &[Target] = &[index::READ, index::WRITE, policy::POLICY, policy::LIST];
