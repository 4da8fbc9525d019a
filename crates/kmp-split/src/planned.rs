//! A directory and the policy's files in, the plan of its kernel out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use kmodule::{Kernelrelease, Module};
use modtree::{ReleaseDir, Resolution, Tree, read_kernel, resolve};
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
    /// A buildroot that the modules were copied into: they are read there instead, where they may
    /// be stripped, signed or compressed by now.
    pub build_root: Option<&'s Path>,
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
        self.plan_with(|_, _| Ok(()))
    }

    /// As [`Source::plan`], and calls `visit` with the path and contents of each module.
    ///
    /// # Errors
    /// As for [`Source::plan`]; the buildroot has not exactly the modules of the root; or `visit`
    /// fails.
    pub fn plan_with(
        &self,
        visit: impl Fn(&Path, &Module<'_>) -> Result<()> + Sync,
    ) -> Result<Planned> {
        let policy = self.policy()?;
        let (release, directory) = ReleaseDir::choose(self.root, self.release)?;
        let kernel = read_kernel(self.root, &directory, &release)?;
        let tree = match self.build_root {
            None => Tree::scan_for(&kernel, &directory, visit)?,
            Some(build_root) => {
                let (_, copied) = ReleaseDir::choose(build_root, Some(&release))?;
                same_modules(&directory, &copied)?;
                Tree::scan_for(&kernel, &copied, visit)?
            }
        };
        let resolution = resolve(&tree, Some(&kernel));
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

/// The packages of the one may have been planned already, before there was the other.
fn same_modules(original: &ReleaseDir, copied: &ReleaseDir) -> Result<()> {
    let plain = |directory: &ReleaseDir| -> Result<BTreeMap<String, String>> {
        let modules = directory.modules()?.into_iter();
        Ok(modules
            .map(|file| (file.plain_path().to_owned(), file.path))
            .collect())
    };
    let (planned, found) = (plain(original)?, plain(copied)?);
    if let Some((_, path)) = found
        .iter()
        .find(|(plain, _)| !planned.contains_key(*plain))
    {
        let path = copied.path().join(path);
        bail!("{}: not in the tree that was split", path.display());
    }
    if let Some((_, path)) = planned
        .iter()
        .find(|(plain, _)| !found.contains_key(*plain))
    {
        bail!("{}: no {path} in it", copied.path().display());
    }
    Ok(())
}
