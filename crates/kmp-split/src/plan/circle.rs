//! Describes packages or modules that need each other in a circle, and what mends it, by their names.

use std::fmt;

/// Packages or modules that need each other in a circle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// Whether each package on the circle has one module, so that modules need each other.
    pub of_modules: bool,
    /// `a -> b: x needs y; b -> a: …`. The names are left out where they are equal.
    pub steps: String,
    /// The changes of packages that mend this circle, and all others with the same packages.
    pub cures: Vec<NamedCure>,
}

/// A change of a package that mends circles, with names instead of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedCure {
    /// Put modules into a package.
    Join(String, Vec<String>),
    /// Leave modules out of a package.
    Leave(String, Vec<String>),
    /// Put modules into one package, whatever its name.
    Together(Vec<String>),
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.of_modules {
            true => "modules",
            false => "packages",
        };
        write!(f, "{what} need each other: {}; to mend it, ", self.steps)?;
        for (index, cure) in self.cures.iter().enumerate() {
            let and = if index > 0 { ", and " } else { "" };
            write!(f, "{and}{cure}")?;
        }
        Ok(())
    }
}

impl fmt::Display for NamedCure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(package, modules) => write!(f, "put {} into {package}", list(modules)),
            Self::Leave(package, modules) => write!(f, "leave {} out of {package}", list(modules)),
            Self::Together(modules) => write!(f, "put {} into one package", list(modules)),
        }
    }
}

fn list(modules: &[String]) -> String {
    let quoted = modules.iter().map(|path| format!("\"{path}\""));
    quoted.collect::<Vec<_>>().join(", ")
}
