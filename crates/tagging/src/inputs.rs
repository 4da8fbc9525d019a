//! What tags are made from, besides the files themselves.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use deptag::TagRules;

/// What tags are made from, besides the files themselves: options of generators, and the files
/// these name.
#[derive(Clone, Debug, Default)]
pub struct TagInputs {
    /// How tags are written.
    pub rules: TagRules,
    /// The symvers file of the kernel. Without it the installed ones are searched.
    pub symvers: Option<PathBuf>,
    /// What the softdeps of a kernel's modules lead to, as `kmp-split lists` writes it. It need not
    /// exist.
    pub softdeps: Option<PathBuf>,
    /// The directory of the system's policies. It need not exist.
    pub system_policy: PathBuf,
    /// Policies that are applied after those of the system.
    pub policy: Vec<PathBuf>,
    /// The buildroot, whose path is no part of the paths in a package.
    pub build_root: Option<PathBuf>,
}

impl TagInputs {
    /// The options of a generator, written as the macros of kmpkit-macros(7) write them.
    pub(crate) fn options(&self) -> String {
        let TagRules {
            dialect,
            flavor,
            kabi,
            two_dashes,
        } = &self.rules;
        let option = |name: &str, value: &dyn Display| format!("{name} {value}");
        let path = |name: &str, path: &Path| option(name, &path.display());
        let flavor = flavor.as_ref().map(|flavor| option("--flavor", flavor));
        let kabi = kabi.as_ref().map(|kabi| option("--kabi", kabi));
        let symvers = self.symvers.as_deref().map(|file| path("--symvers", file));
        let softdeps = self.softdeps.as_deref();
        let softdeps = softdeps.map(|file| path("--softdeps", file));
        let dialect = Some(option("--dialect", dialect));
        let two_dashes = two_dashes.then(|| "--two-dashes".to_owned());
        let options = [dialect, flavor, kabi, two_dashes, symvers, softdeps];
        let policies = self.policy.iter().map(|file| path("--policy", file));
        let options: Vec<_> = options
            .into_iter()
            .flatten()
            .chain([path("--system-policy", &self.system_policy)])
            .chain(policies)
            .collect();
        options.join(" ")
    }

    /// The files that tags depend on, and the directory of the system's policies, which changes
    /// when one is added or removed.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, policy::Error> {
        let mut files = vec![self.system_policy.clone()];
        files.extend(policy::system_files(&self.system_policy)?);
        files.extend(self.policy.iter().cloned());
        files.extend(self.symvers.clone());
        Ok(files)
    }
}
