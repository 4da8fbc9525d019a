//! Why there is no plan, in words that name modules and rules.

use modtree::{ModuleId, Tree};
use policy::FileLine;

/// Rules that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Two sets of one priority claim a module.
    #[error("{first} and {second}: both sets claim {module}: give one a higher priority")]
    Tie {
        /// One set.
        first: FileLine,
        /// The other.
        second: FileLine,
        /// Path of the module.
        module: String,
    },
    /// A module without a set where each must have one.
    #[error("no set claims {modules}, and the policy says unclaimed = \"error\"")]
    Unclaimed {
        /// Paths of the first few.
        modules: String,
    },
    /// An excluded module that is needed.
    #[error("{place}: {module} is excluded, but {user} needs it")]
    Needed {
        /// The rule that excludes it.
        place: FileLine,
        /// Path of the module.
        module: String,
        /// Path of one that needs it.
        user: String,
    },
    /// Modules that need each other.
    #[error("modules need each other: {0}")]
    ModuleCycle(String),
    /// Packages that need each other.
    #[error("packages need each other: {0}")]
    PackageCycle(String),
    /// A plan that breaks a promise all plans keep: a defect of the planner.
    #[error("the plan is wrong: {0}")]
    Broken(String),
}

/// The paths of the first few modules.
pub(crate) fn some_of(tree: &Tree, modules: &[ModuleId]) -> String {
    const SOME: usize = 5;
    let paths = modules.iter().take(SOME);
    let paths: Vec<_> = paths
        .map(|&id| tree.modules[id].file.path.as_str())
        .collect();
    let more = modules.len().saturating_sub(SOME);
    let names = paths.join(", ");
    match more {
        0 => names,
        _ => format!("{names} and {more} more"),
    }
}
