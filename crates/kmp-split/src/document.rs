//! The plan as a JSON document. kmp-plan(5) describes the keys.
//!
//! The next plan reads the document as its previous plan, and the HTML report is made from it.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use modtree::{ModuleId, Tree};
use policy::check_package_name;
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::machine_document::MachineEntry;
use crate::plan::{
    FormerPackage, Location, PackageId, PackageSupport, PreviousDeparture, PreviousLocation,
    PreviousPackage, PreviousPlan,
};
use crate::planned::PlannedKernel;
use crate::reason_text::reason_text;

/// The version of the schema.
const FORMAT: &str = "kmpkit-plan-1";

/// A plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// The version of the schema.
    pub format: String,
    /// What `uname -r` prints.
    pub kernelrelease: String,
    /// The kernel's flavor.
    pub flavor: String,
    /// The kernel's kABI.
    pub kabi: String,
    /// Version and release of the packages.
    pub evr: String,
    /// How modules that no rule claims are grouped.
    pub grouping: String,
    /// The suffix in names of packages of unsupported modules, where these are kept apart.
    pub unsupported: Option<String>,
    /// The name of the image package.
    pub image: String,
    /// The modules in the image package.
    pub base: Vec<ModuleEntry>,
    /// The kernel module packages.
    pub packages: Vec<PackageEntry>,
    /// The pattern packages.
    pub patterns: Vec<PatternEntry>,
    /// The modules that no package has.
    pub excluded: Vec<ModuleEntry>,
    /// The modules that are elsewhere than in the previous plan.
    pub moved: Vec<MovedEntry>,
    /// The modules that left packages, in this build or an earlier one.
    pub left: Vec<LeftEntry>,
    /// Softdeps and weakdeps that nothing in the kernel meets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet_softdeps: Vec<UnmetSoftdep>,
    /// Rules that match no module, and modules whose symbols and `depends=` differ.
    pub warnings: Vec<String>,
    /// What machines install, if that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<MachineEntry>,
}

/// A softdep or weakdep that nothing meets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnmetSoftdep {
    /// The path of the module whose softdep it is.
    pub module: String,
    /// What it names.
    pub name: String,
}

/// A kernel module package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageEntry {
    /// The name that the template gets.
    pub stem: String,
    /// The whole name.
    pub name: String,
    /// The summary of the set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Whether some of its modules are supported.
    pub supported: bool,
    /// Whether the package is one that the policy keeps apart: none of its modules is supported,
    /// and the name says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub apart: bool,
    /// Its modules.
    pub modules: Vec<ModuleEntry>,
    /// The stems of the packages that it needs.
    pub needs: Vec<String>,
}

/// A module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModuleEntry {
    /// The name.
    pub name: String,
    /// The path below lib/modules/KERNELRELEASE, up to .ko.
    pub path: String,
    /// The size of the file.
    pub bytes: u64,
    /// The size in memory.
    pub size: u64,
    /// The number of aliases.
    pub aliases: usize,
    /// The paths of the modules that it needs.
    pub needs: Vec<String>,
    /// Why it is where it is.
    pub why: String,
}

/// A pattern package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PatternEntry {
    /// The name that the template gets.
    pub pattern: String,
    /// The whole name.
    pub name: String,
    /// The summary.
    pub summary: String,
    /// The stems of the packages that it requires.
    pub packages: Vec<String>,
}

/// A module that moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MovedEntry {
    /// The path.
    pub module: String,
    /// The package that had it.
    #[serde(with = "stem_or_null")]
    pub from: FormerPackage,
    /// The stem of the package that has it. The schema has no stem for the image package, nor for
    /// an excluded module.
    pub to: Option<String>,
}

/// Modules that left a package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeftEntry {
    /// The package.
    #[serde(with = "stem_or_null")]
    pub stem: FormerPackage,
    /// Version and release of the first build without them.
    pub since: String,
    /// Their paths.
    pub modules: Vec<String>,
}

/// A package of an earlier plan as the schema spells it: the image package is null.
mod stem_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::plan::FormerPackage;

    pub(super) fn serialize<S: Serializer>(
        package: &FormerPackage,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let stem = match package {
            FormerPackage::Image => None,
            FormerPackage::Stem(stem) => Some(stem),
        };
        stem.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<FormerPackage, D::Error> {
        let stem: Option<String> = Option::deserialize(deserializer)?;
        Ok(stem.map_or(FormerPackage::Image, FormerPackage::Stem))
    }
}

impl Document {
    /// Makes the document of a plan.
    pub fn new(planned: &PlannedKernel, identity: &Identity) -> Self {
        let (tree, plan) = (&planned.tree, &planned.plan);
        let path = |id: ModuleId| plain_path(tree, id);
        let module = |id: ModuleId| ModuleEntry::new(planned, id);
        let stem = |id: PackageId| plan.packages[id].stem.clone();
        let packages = plan.packages.values().map(|package| PackageEntry {
            stem: package.stem.clone(),
            name: identity.kmp(&package.stem),
            summary: package.summary.clone(),
            supported: package.support.is_supported(),
            apart: package.support == PackageSupport::Apart,
            modules: package.modules.iter().copied().map(module).collect(),
            needs: package.needs.iter().copied().map(stem).collect(),
        });
        let patterns = plan.patterns.iter().map(|pattern| PatternEntry {
            pattern: pattern.name.clone(),
            name: identity.pattern(&pattern.name),
            summary: pattern.summary.clone(),
            packages: pattern.packages.iter().copied().map(stem).collect(),
        });
        let moved = plan.moved.iter().map(|moved| MovedEntry {
            module: path(moved.module),
            from: moved.from.clone(),
            to: match moved.to {
                Location::Package(id) => Some(stem(id)),
                Location::Image | Location::Excluded => None,
            },
        });
        let left = plan.departures.iter().map(|departure| LeftEntry {
            stem: departure.from.clone(),
            since: departure.since.evr(&identity.evr).to_owned(),
            modules: (departure.modules.iter().copied().map(path))
                .chain(departure.absent.iter().cloned())
                .collect(),
        });
        let unmet = planned.softdeps.unmet.iter();
        let unmet = unmet.map(|(user, name)| UnmetSoftdep {
            module: path(*user),
            name: name.clone(),
        });
        Self {
            format: FORMAT.to_owned(),
            kernelrelease: tree.release.to_string(),
            flavor: identity.flavor.as_str().to_owned(),
            kabi: identity.kabi.to_string(),
            evr: identity.evr.clone(),
            grouping: planned.policy.grouping.by.as_str().to_owned(),
            unsupported: identity.naming.unsupported.clone(),
            image: identity.image.clone(),
            base: plan.image().map(module).collect(),
            packages: packages.collect(),
            patterns: patterns.collect(),
            excluded: plan.excluded().map(module).collect(),
            moved: moved.collect(),
            left: left.collect(),
            unmet_softdeps: unmet.collect(),
            warnings: plan.warnings.clone(),
            machines: Vec::new(),
        }
    }

    /// Returns the document as JSON.
    ///
    /// # Errors
    /// None in practice: everything in it can be written as JSON.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a document.
    ///
    /// # Errors
    /// The text is not JSON, follows another schema, or names packages that cannot exist.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let document: Self = serde_json::from_slice(json)?;
        ensure!(
            document.format == FORMAT,
            "the format of this plan is {:?}; only {FORMAT:?} is known",
            document.format
        );
        let left = document.left.iter().filter_map(|left| match &left.stem {
            FormerPackage::Image => None,
            FormerPackage::Stem(stem) => Some(stem),
        });
        let packages = document.packages.iter().map(|package| &package.stem);
        for stem in packages.chain(left) {
            check_package_name(stem)?;
        }
        Ok(document)
    }

    /// Returns what the next plan has to know of this one.
    pub fn previous(self) -> PreviousPlan {
        let mut locations = BTreeMap::new();
        for package in self.packages {
            let previous = PreviousPackage {
                stem: package.stem,
                apart: package.apart,
            };
            for module in package.modules {
                locations.insert(module.path, PreviousLocation::Package(previous.clone()));
            }
        }
        for module in self.base {
            locations.insert(module.path, PreviousLocation::Image);
        }
        let departures = self.left.into_iter().map(|left| PreviousDeparture {
            from: left.stem,
            since: left.since,
            modules: left.modules,
        });
        PreviousPlan {
            locations,
            grouping: self.grouping,
            departures: departures.collect(),
        }
    }
}

impl ModuleEntry {
    fn new(planned: &PlannedKernel, id: ModuleId) -> Self {
        let tree = &planned.tree;
        let record = &tree.modules[id];
        let needs = planned.resolution.needs[id].iter();
        Self {
            name: record.file.name.clone(),
            path: plain_path(tree, id),
            bytes: record.bytes,
            size: record.size,
            aliases: record.aliases.len(),
            needs: needs.map(|&needed| plain_path(tree, needed)).collect(),
            why: reason_text(tree, &planned.plan.reasons[id]),
        }
    }
}

fn plain_path(tree: &Tree, id: ModuleId) -> String {
    tree.modules[id].file.plain_path().to_owned()
}
