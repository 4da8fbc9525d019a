//! A directory and the policy's files in, the plan of its kernel out.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmodule::{Kernelrelease, Symvers};
use modtree::{ReleaseDir, Resolution, Tree, kernel_exports, resolve};
use policy::Policy;

use crate::document::Document;
use crate::plan::{Plan, Previous, plan};

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct Source<'s> {
    /// A directory with `lib/modules/<rel>`.
    pub root: &'s Path,
    /// Which kernel, if there are several.
    pub release: Option<&'s Kernelrelease>,
    /// The directory of the distribution's policy.
    pub system_policy: &'s Path,
    /// More policy.
    pub policy: &'s [PathBuf],
    /// The plan to stay close to.
    pub previous: Option<&'s Path>,
}

/// A plan with all it was made from.
#[derive(Debug)]
pub struct Planned {
    /// The modules.
    pub tree: Tree,
    /// Who needs whom.
    pub resolution: Resolution,
    /// The rules.
    pub policy: Policy,
    /// The packages.
    pub plan: Plan,
}

impl Source<'_> {
    /// Reads the modules and makes a plan; what is odd goes to the log as a warning.
    ///
    /// # Errors
    /// A module or policy cannot be read, or there is no plan that follows the policy.
    pub fn plan(&self) -> Result<Planned> {
        let policy = self.policy()?;
        let (release, directory) = ReleaseDir::choose(self.root, self.release)?;
        let tree = Tree::scan(&release, &directory)?;
        let symvers = modtree::symvers(self.root, &directory, &release);
        let exports = symvers.as_deref().map(Symvers::open).transpose()?;
        let exports = exports.as_ref().map(kernel_exports);
        let resolution = resolve(&tree, exports.as_ref());
        let plan = plan(&tree, &resolution, &policy, self.previous()?.as_ref())
            .with_context(|| self.root.display().to_string())?;
        for warning in &plan.warnings {
            log::warn!("{warning}");
        }
        Ok(Planned {
            tree,
            resolution,
            policy,
            plan,
        })
    }

    fn policy(&self) -> Result<Policy> {
        let layers = policy::layers(Some(self.system_policy), self.policy)?;
        Ok(Policy::from_layers(&layers)?)
    }

    fn previous(&self) -> Result<Option<Previous>> {
        let read = |path| Ok(Document::read(path)?.previous());
        self.previous.map(read).transpose()
    }
}
