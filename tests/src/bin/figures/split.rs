//! Turns a way to split a kernel into the policy file rpmbuild is given.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use kmpkit_tests::modular::policy;

/// A way to package a kernel's modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// One package has all: what the others are compared with.
    Whole,
    /// The default policy.
    Default,
    /// A package for each module.
    PerModule,
}

const WHOLE: &str = "[base]\nmembers = [\"*\"]\n";

impl Split {
    /// A name for a directory.
    pub fn key(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Default => "default",
            Self::PerModule => "per-module",
        }
    }

    /// The policy file beside the default policy, if there is one; `dir` is for one that is not
    /// shipped.
    pub fn policy(self, dir: &Path) -> Result<Option<String>> {
        Ok(match self {
            Self::Whole => {
                let file = dir.join("whole.toml");
                fs::write(&file, WHOLE).with_context(|| format!("write {}", file.display()))?;
                Some(file.display().to_string())
            }
            Self::Default => None,
            Self::PerModule => Some(policy("per-module")),
        })
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "whole kernel",
            Self::Default => "default policy",
            Self::PerModule => "per-module policy",
        })
    }
}

/// Something of each way to split.
#[derive(Debug)]
pub struct BySplit<T> {
    pub whole: T,
    pub default: T,
    pub per_module: T,
}

impl<T> BySplit<T> {
    /// Makes all three, in order.
    pub fn make(mut make: impl FnMut(Split) -> Result<T>) -> Result<Self> {
        let mut one = |split: Split| make(split).with_context(|| split.to_string());
        Ok(Self {
            whole: one(Split::Whole)?,
            default: one(Split::Default)?,
            per_module: one(Split::PerModule)?,
        })
    }

    pub fn get(&self, split: Split) -> &T {
        match split {
            Split::Whole => &self.whole,
            Split::Default => &self.default,
            Split::PerModule => &self.per_module,
        }
    }

    /// All three, in order.
    pub fn each(&self) -> [&T; 3] {
        [&self.whole, &self.default, &self.per_module]
    }
}
