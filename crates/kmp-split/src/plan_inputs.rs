//! Reads a kernel and a policy, and plans the packages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use kmodule::{Kernelrelease, Module};
use modtree::{ReleaseDir, Tree, read_kernel, resolve};
use policy::Policy;

use crate::document::Document;
use crate::plan::{PreviousPlan, plan};
use crate::planned::PlannedKernel;
use crate::softdeps::Softdeps;

/// The files that a plan is made from.
#[derive(Clone, Debug)]
pub struct PlanInputs<'s> {
    /// A directory with `lib/modules/<rel>`.
    pub root: &'s Path,
    /// The kernel, if the directory has several.
    pub release: Option<&'s Kernelrelease>,
    /// A buildroot into which the modules were copied. They are read there, because by then they may
    /// be stripped, signed or compressed.
    pub build_root: Option<&'s Path>,
    /// The directory of the system's policy.
    pub system_policy: &'s Path,
    /// More policy files.
    pub policy: &'s [PathBuf],
    /// The document of the previous plan.
    pub previous: Option<&'s Path>,
}

impl PlanInputs<'_> {
    /// Reads the modules and makes a plan. Its warnings go to the log.
    ///
    /// # Errors
    /// A file cannot be read or is wrong, or no plan follows the policy.
    pub fn plan(&self) -> Result<PlannedKernel> {
        self.plan_with(|_, _| Ok(()))
    }

    /// As [`PlanInputs::plan`], and calls `visit` with the path and the contents of each module.
    ///
    /// # Errors
    /// As for [`PlanInputs::plan`]. Also, if the buildroot does not have the same modules as the
    /// root, or if `visit` fails.
    pub fn plan_with(
        &self,
        visit: impl Fn(&Path, &Module<'_>) -> Result<()> + Sync,
    ) -> Result<PlannedKernel> {
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
        let mut resolution = resolve(&tree, Some(&kernel));
        let softdeps = Softdeps::resolve(&tree, &mut resolution, &policy);
        let plan = plan(&tree, &resolution, &policy, self.previous()?.as_ref())
            .with_context(|| self.root.display().to_string())?;
        for warning in &plan.warnings {
            log::warn!("{warning}");
        }
        for unmet in softdeps.describe_unmet(&tree) {
            log::info!("softdep: {unmet}");
        }
        Ok(PlannedKernel {
            tree,
            resolution,
            softdeps,
            policy,
            plan,
        })
    }

    fn policy(&self) -> Result<Policy> {
        let layers = policy::layers(Some(self.system_policy), self.policy)?;
        Ok(Policy::from_layers(&layers)?)
    }

    fn previous(&self) -> Result<Option<PreviousPlan>> {
        let read = |path: &Path| {
            let document = fs::read(path).map_err(Into::into);
            let document = document.and_then(|json| Document::parse(&json));
            let document = document.with_context(|| path.display().to_string())?;
            Ok(document.previous())
        };
        self.previous.map(read).transpose()
    }
}

/// Checks that a copy has the modules of the original. The packages may have been planned from the
/// original already.
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
        bail!(
            "{}: this module is not in the kernel tree that was split",
            path.display()
        );
    }
    if let Some((_, path)) = planned
        .iter()
        .find(|(plain, _)| !found.contains_key(*plain))
    {
        bail!(
            "{}: {path} is missing; remove it from the kernel tree as well, or exclude it by a rule",
            copied.path().display()
        );
    }
    Ok(())
}
