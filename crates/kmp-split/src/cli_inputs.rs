//! The options that say which kernel and policy to plan, and how its packages are named.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};
use clap::Args;
use deptag::{Dialect, Flavor, Kabi, TagRules};
use kmodule::Kernelrelease;
use tagging::TagInputs;

use crate::identity::Identity;
use crate::plan_inputs::PlanInputs;
use crate::planned::PlannedKernel;
use crate::tree_macros::evr;

/// The kernel to plan, and the names of its packages.
#[derive(Args, Debug)]
pub(crate) struct KernelArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
}

#[derive(Args, Debug)]
pub(crate) struct InputArgs {
    /// A directory with the kernel's modules
    #[arg(value_name = "DIRECTORY")]
    root: PathBuf,
    /// The kernel, if there are several
    #[arg(long, value_name = "KERNELRELEASE")]
    release: Option<Release>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// The JSON of an earlier plan: modules stay in their packages, unless a rule or a circle
    /// forbids it
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    /// A policy file; the system's files and earlier ones count less; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Vec<PathBuf>,
    /// The directory of the system's policy files
    #[arg(long, value_name = "DIRECTORY", default_value = policy::SYSTEM)]
    pub(crate) system_policy: PathBuf,
}

/// What decides the form of tags and names.
#[derive(Args, Debug)]
pub(crate) struct FormArgs {
    /// The distribution whose tags and package conventions to follow: suse or redhat
    #[arg(long, value_name = "NAME", default_value = "suse")]
    dialect: Dialect,
    /// The flavor in tags and names of packages, instead of what follows the last dash of the
    /// kernelrelease
    #[arg(long, value_name = "NAME")]
    flavor: Option<Flavor>,
    /// The name of the kABI; packages use the kernelrelease with _ for each - if it is left out
    #[arg(long, value_name = "VERSION")]
    kabi: Option<Kabi>,
    /// rpm takes versions with two dashes: %_wrong_version_format_terminate_build is 0
    #[arg(long)]
    two_dashes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SymversArgs {
    /// Module.symvers of the kernel, instead of the one beside the image or among the installed
    /// kernel headers
    #[arg(long, value_name = "FILE")]
    symvers: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct IdentityArgs {
    #[command(flatten)]
    pub(crate) form: FormArgs,
    /// The version of the packages, as [EPOCH:]VERSION-RELEASE, instead of the one in the
    /// kernelrelease
    #[arg(long, value_name = "EVR")]
    evr: Option<String>,
    /// The name of the image package, instead of kernel-FLAVOR-image
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Release(pub(crate) Kernelrelease);

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let release = Kernelrelease::try_from(text.as_bytes());
        release.map(Self).map_err(|problem| problem.to_string())
    }
}

impl InputArgs {
    /// The files that a plan is made from. With a buildroot, the modules are read there.
    pub(crate) fn plan_inputs<'s>(&'s self, build_root: Option<&'s Path>) -> PlanInputs<'s> {
        PlanInputs {
            root: &self.root,
            release: self.release.as_ref().map(|release| &release.0),
            build_root,
            system_policy: &self.policy.system_policy,
            policy: &self.policy.policy,
            previous: self.previous.as_deref(),
        }
    }
}

impl FormArgs {
    /// What the tags of a buildroot are made from.
    pub(crate) fn tag_inputs(
        &self,
        policy: &PolicyArgs,
        symvers: &SymversArgs,
        softdeps: Option<&Path>,
        buildroot: &Path,
    ) -> TagInputs {
        TagInputs {
            rules: TagRules {
                dialect: self.dialect,
                flavor: self.flavor.clone(),
                kabi: self.kabi.clone(),
                two_dashes: self.two_dashes,
            },
            symvers: symvers.symvers.clone(),
            softdeps: softdeps.map(Path::to_owned),
            system_policy: policy.system_policy.clone(),
            policy: policy.policy.clone(),
            build_root: Some(buildroot.to_owned()),
        }
    }
}

impl IdentityArgs {
    /// The names and versions of the packages of a plan.
    pub(crate) fn identity(&self, planned: &PlannedKernel) -> Result<Identity> {
        let release = &planned.tree.release;
        let flavor = match &self.form.flavor {
            Some(flavor) => flavor.clone(),
            None => (release.flavor().parse())
                .with_context(|| format!("flavor of {release}: give --flavor"))?,
        };
        let kabi = match &self.form.kabi {
            Some(kabi) => kabi.clone(),
            None => (release.as_str().replace('-', "_").parse())
                .with_context(|| format!("kABI of {release}: give --kabi"))?,
        };
        let image = self.image.clone();
        let identity = Identity {
            dialect: self.form.dialect,
            two_dashes: self.form.two_dashes,
            image: image.unwrap_or_else(|| format!("kernel-{}-image", flavor.as_str())),
            flavor,
            kabi,
            evr: self.evr.clone().unwrap_or_else(|| evr(release)),
            naming: planned.policy.naming.clone(),
        };
        identity.check(&planned.plan)?;
        Ok(identity)
    }
}
