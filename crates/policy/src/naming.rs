//! How a policy names packages, and how packages require each other.

use serde::Deserialize;

use crate::template::Template;

/// How packages are named, and how they require each other.
#[derive(Clone, Debug)]
pub struct Naming {
    /// Names kernel module packages.
    pub kmp: Template,
    /// Names pattern packages.
    pub pattern: Template,
    /// Names the package that requires all others. It has no `{name}`.
    pub all: Option<Template>,
    /// The suffix for names of groups of unsupported or external modules. Without it such modules
    /// share groups with supported ones.
    pub unsupported: Option<String>,
    /// Whether names contain the kABI.
    pub kabi: bool,
    /// What a package that needs another one requires.
    pub depends: Depends,
}

/// What a package that needs another one requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depends {
    /// The module, from whichever package.
    Kmod,
    /// The module, and also the package of the same build.
    Package,
}
