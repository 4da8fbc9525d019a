//! The names and versions of a kernel's packages.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use deptag::{Dialect, Flavor, Kabi};
use kmodule::Kernelrelease;
use policy::{Depends, LONGEST_FILE_NAME, Naming, check_package_name};

use crate::plan::{FormerPackage, Package, PackageId, Plan};

/// What the file name of a package has behind name, version and release (rpm's
/// `%_build_name_fmt`). The architecture is not known here, so this is the longest one that rpm
/// knows (rpmrc).
const BEHIND_RELEASE: &str = ".ppc64iseries.rpm";

/// What the names and versions of all packages of a kernel have in common.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The distribution whose conventions the packages follow.
    pub dialect: Dialect,
    /// The kernel's flavor.
    pub flavor: Flavor,
    /// The kernel's kABI.
    pub kabi: Kabi,
    /// Whether rpm takes versions with two dashes.
    pub two_dashes: bool,
    /// `[epoch:]version-release` of the packages.
    pub evr: String,
    /// The name of the image package.
    pub image: String,
    /// How packages are named, and how they require each other.
    pub naming: Naming,
}

impl Identity {
    /// The name of a kernel module package.
    pub fn kmp(&self, stem: &str) -> String {
        self.with_kabi(self.kmp_of_any_kabi(stem))
    }

    /// The name of a kernel module package without the kABI.
    pub fn kmp_of_any_kabi(&self, stem: &str) -> String {
        self.naming.kmp.name(stem, self.flavor.as_str())
    }

    /// The name of a pattern package.
    pub fn pattern(&self, name: &str) -> String {
        self.with_kabi(self.naming.pattern.name(name, self.flavor.as_str()))
    }

    /// The name of the metapackage for all supported, or for all unsupported modules.
    pub fn all(&self, supported: bool) -> Option<String> {
        let all = self.naming.all.as_ref()?.name("", self.flavor.as_str());
        match (supported, &self.naming.unsupported) {
            (true, _) => Some(all),
            (false, suffix) => Some(all + suffix.as_deref()?),
        }
    }

    /// The tag that makes libzypp take a package for a kernel.
    pub fn uname_r(&self, release: &Kernelrelease) -> String {
        deptag::kernel_uname_r(release, &self.tag_rules())
    }

    fn tag_rules(&self) -> deptag::TagRules {
        deptag::TagRules {
            dialect: self.dialect,
            flavor: Some(self.flavor.clone()),
            kabi: Some(self.kabi.clone()),
            two_dashes: self.two_dashes,
        }
    }

    /// The requirement of exactly this package, from any build for this kABI. It has the package's
    /// name and one of its modules, because a module's tag has the kABI.
    pub fn requirement(&self, package: &Package, module: &str) -> String {
        let name = self.kmp(&package.stem);
        match self.naming.depends {
            Depends::Package => format!("{name} = {}", self.evr),
            Depends::Kmod => {
                let mut kmod = Vec::new();
                deptag::kmod(module.as_bytes(), &self.tag_rules(), &mut kmod);
                format!("({name} with {})", String::from_utf8_lossy(&kmod))
            }
        }
    }

    /// Whether packages of several kernels are installed side by side under the same names.
    pub fn is_multiversion(&self) -> bool {
        !self.naming.kabi
    }

    /// The metapackages with the packages that they require: one for supported modules, and one for
    /// unsupported modules if they are kept apart.
    pub fn metapackages(&self, plan: &Plan) -> Vec<(String, Vec<PackageId>)> {
        let apart = self.naming.unsupported.is_some();
        [true, false]
            .into_iter()
            .filter_map(|supported| {
                let packages = plan.packages.iter();
                let wanted = packages.filter(|(_, package)| match apart {
                    true => package.support.is_supported() == supported,
                    false => supported,
                });
                let wanted: Vec<_> = wanted.map(|(id, _)| id).collect();
                let name = self.all(supported)?;
                (supported || !wanted.is_empty()).then_some((name, wanted))
            })
            .collect()
    }

    /// Checks all names and versions. Policies are checked when they are read, but names also come
    /// from the command line, from an earlier plan and from the files of modules.
    ///
    /// # Errors
    /// A name or a version is not possible, or two packages would have the same name.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        version(&self.evr)?;
        self.check_name(&self.image)?;
        for departure in &plan.departures {
            if let FormerPackage::Stem(stem) = &departure.from {
                self.check_name(&self.kmp(stem))?;
            }
            version(departure.since.evr(&self.evr))?;
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
            self.check_name(&package)?;
            if !names.insert(package.clone()) {
                bail!(
                    "two packages would be called {package}: change [naming] in the policy so that \
                     their names differ"
                );
            }
        }
        Ok(())
    }

    /// Checks that a package can have a name, and that its file can, too.
    fn check_name(&self, name: &str) -> Result<()> {
        check_package_name(name)?;
        let version = self
            .evr
            .split_once(':')
            .map_or(&*self.evr, |(_, rest)| rest);
        let room = LONGEST_FILE_NAME.saturating_sub(1 + version.len() + BEHIND_RELEASE.len());
        ensure!(
            name.len() <= room,
            "{name}: this package name has {} bytes, but with version {version} it may have {room}, \
             because file names end at {LONGEST_FILE_NAME} bytes: choose a shorter name in the policy",
            name.len()
        );
        Ok(())
    }

    fn with_kabi(&self, name: String) -> String {
        match self.naming.kabi {
            true => format!("{name}-{}", self.kabi),
            false => name,
        }
    }
}

/// Checks a version, with epoch and release, as rpm does.
fn version(text: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+~^:-".contains(c);
    match text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain) {
        true => Ok(()),
        false => bail!("{text:?} is not a version of a package"),
    }
}
