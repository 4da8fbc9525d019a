//! Why there is no plan. The messages name modules and rules.

use modtree::{ModuleId, Tree};
use policy::FileLine;

use super::circle::Circle;

/// Rules that no plan can follow.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Two sets with the same priority claim a module.
    #[error("{first} and {second}: both sets claim {module}: give one a higher priority")]
    Tie {
        /// The line of one set.
        first: FileLine,
        /// The line of the other set.
        second: FileLine,
        /// The path of the module.
        module: String,
    },
    /// No set claims a module, though the policy wants that.
    #[error("no set claims {modules}, and the policy says unclaimed = \"error\"")]
    Unclaimed {
        /// The paths of the first few.
        modules: String,
    },
    /// A rule excludes a module that another one needs.
    #[error("{line}: {module} is excluded, but {user} needs it")]
    Needed {
        /// The line of the rule.
        line: FileLine,
        /// The path of the module.
        module: String,
        /// The path of one that needs it.
        user: String,
    },
    /// Packages or modules need each other in circles: one circle for all that reach each other.
    #[error("{}", lines(.0))]
    Circles(Vec<Circle>),
    /// The plan breaks a promise. That is a defect of the planner.
    #[error("kmp-split made a wrong plan, please report this: {0}")]
    Broken(String),
}

fn lines(circles: &[Circle]) -> String {
    let lines = circles.iter().map(ToString::to_string);
    lines.collect::<Vec<_>>().join("\n")
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
