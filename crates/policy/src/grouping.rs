//! What a policy says about modules that no set claims.

use std::ops::RangeInclusive;

use serde::Deserialize;

/// What to do with a module that no set claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unclaimed {
    /// Group it with others, as [`Grouping`] says.
    Group,
    /// Refuse to make a plan.
    Error,
}

/// How modules that no set claims are grouped.
#[derive(Clone, Debug)]
pub struct Grouping {
    /// What decides which modules form a group.
    pub by: GroupBy,
    /// By directory: how many directories name a package.
    pub depth: usize,
    /// Automatically: the least and the largest number of packages.
    pub packages: RangeInclusive<usize>,
    /// Automatically: how many bytes of memory the modules of a group may take together.
    pub largest: u64,
}

/// What decides which modules form a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupBy {
    /// Each module is a group.
    PerModule,
    /// The directory of a module decides.
    Directory,
    /// What modules need and how likely machines want them decides.
    Auto,
}

impl GroupBy {
    /// The value of the policy's key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PerModule => "per-module",
            Self::Directory => "directory",
            Self::Auto => "auto",
        }
    }
}
