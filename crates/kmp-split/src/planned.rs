//! A plan, together with what it was made from.

use modtree::{Resolution, Tree};
use policy::Policy;

use crate::plan::Plan;
use crate::softdeps::Softdeps;

/// A plan, and what it was made from.
#[derive(Debug)]
pub struct PlannedKernel {
    /// The modules.
    pub tree: Tree,
    /// Which module needs which.
    pub resolution: Resolution,
    /// What softdeps and weakdeps lead to.
    pub softdeps: Softdeps,
    /// The policy.
    pub policy: Policy,
    /// The packages.
    pub plan: Plan,
}
