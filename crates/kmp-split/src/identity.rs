//! What a kernel is called in the names and tags of its packages.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use deptag::{Dialect, Flavor, Kabi};
use policy::{Depends, Naming};

use crate::plan::{Package, PackageId, Plan, is_name};

/// Names and versions that all packages of a kernel share.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Whose package habits.
    pub dialect: Dialect,
    /// The kernel's flavor.
    pub flavor: Flavor,
    /// Its kABI.
    pub kabi: Kabi,
    /// `[epoch:]version-release` of the packages.
    pub evr: String,
    /// Name of the image package.
    pub image: String,
    /// How packages are named and tied.
    pub naming: Naming,
}

impl Identity {
    /// The name of a kernel module package.
    pub fn kmp(&self, stem: &str) -> String {
        self.with_kabi(self.kmp_of_any_kabi(stem))
    }

    /// The same for whatever kABI.
    pub fn kmp_of_any_kabi(&self, stem: &str) -> String {
        self.naming.kmp.name(stem, self.flavor.as_str())
    }

    /// The name of a pattern package.
    pub fn pattern(&self, name: &str) -> String {
        self.with_kabi(self.naming.pattern.name(name, self.flavor.as_str()))
    }

    /// The name of the package that requires all others of supported, or of unsupported modules.
    pub fn all(&self, supported: bool) -> Option<String> {
        let all = self.naming.all.as_ref()?.name("", self.flavor.as_str());
        match (supported, &self.naming.unsupported) {
            (true, _) => Some(all),
            (false, suffix) => Some(all + suffix.as_deref()?),
        }
    }

    /// Requires exactly this package, of whatever build for this kABI: by its name, and by one of
    /// its modules, whose tag carries the kABI.
    pub fn requirement(&self, package: &Package, module: &str) -> String {
        let name = self.kmp(&package.stem);
        match self.naming.depends {
            Depends::Package => format!("{name} = {}", self.evr),
            Depends::Kmod => {
                let rules = deptag::TagRules {
                    dialect: self.dialect,
                    flavor: Some(self.flavor.clone()),
                    kabi: Some(self.kabi.clone()),
                };
                let mut kmod = Vec::new();
                deptag::kmod(module.as_bytes(), &rules, &mut kmod);
                format!("({name} with {})", String::from_utf8_lossy(&kmod))
            }
        }
    }

    /// Whether kernels stand side by side under the same package names.
    pub fn is_multiversion(&self) -> bool {
        !self.naming.kabi
    }

    /// The groups of packages that a metapackage stands for, each with its name: supported ones,
    /// and unsupported ones where they are kept apart.
    pub fn metapackages(&self, plan: &Plan) -> Vec<(String, Vec<PackageId>)> {
        let apart = self.naming.unsupported.is_some();
        [true, false]
            .into_iter()
            .filter_map(|supported| {
                let packages = plan.packages.iter();
                let wanted = packages.filter(|(_, package)| match apart {
                    true => package.supported == supported,
                    false => supported,
                });
                let wanted: Vec<_> = wanted.map(|(id, _)| id).collect();
                let name = self.all(supported)?;
                (supported || !wanted.is_empty()).then_some((name, wanted))
            })
            .collect()
    }

    /// # Errors
    /// Two packages would have one name, or one would have that of the image package; a name is
    /// none, which an earlier plan or a module's file may bring about.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        for left in &plan.left {
            if let Some(stem) = &left.stem {
                name(&self.kmp(stem))?;
            }
            version(left.since.as_deref().unwrap_or(&self.evr))?;
        }
        let kmps = plan
            .packages
            .values()
            .map(|package| self.kmp(&package.stem));
        let patterns = plan
            .patterns
            .iter()
            .map(|pattern| self.pattern(&pattern.name));
        let all = self.metapackages(plan).into_iter().map(|(name, _)| name);
        let mut names = BTreeSet::from([self.image.clone()]);
        for package in kmps.chain(patterns).chain(all) {
            name(&package)?;
            if !names.insert(package.clone()) {
                bail!(
                    "two packages would be {package}: [naming] of the policy must tell them apart"
                );
            }
        }
        Ok(())
    }

    fn with_kabi(&self, name: String) -> String {
        match self.naming.kabi {
            true => format!("{name}-{}", self.kabi),
            false => name,
        }
    }
}

fn name(text: &str) -> Result<()> {
    ensure!(
        is_name(text),
        "{text:?} is no package name: letters, digits and _ . + -, the first a letter, digit or _"
    );
    Ok(())
}

/// A version that rpm takes, with epoch and release.
fn version(text: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+~^:-".contains(c);
    match text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain) {
        true => Ok(()),
        false => bail!("{text:?} is no version of a package"),
    }
}
