//! Collects what is said of a module, a package or a pattern.

use std::collections::BTreeSet;

use modtree::ModuleId;
use policy::{ModulePath, Override};
use serde::Serialize;

use super::found::Found;
use crate::identity::Identity;
use crate::plan::{Location, PackageId};
use crate::planned::PlannedKernel;
use crate::reach::reachable;
use crate::reason_text::reason_text;

/// What is said of one thing. The keys are those of the JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Explained {
    Module(ExplainedModule),
    Package(ExplainedPackage),
    Pattern(ExplainedPattern),
}

#[derive(Debug, Serialize)]
pub struct ExplainedModule {
    pub module: String,
    pub description: Option<String>,
    /// Nothing has an excluded module.
    pub package: Option<String>,
    pub because: String,
    pub together_with: Option<Vec<String>>,
    pub needs: Vec<NamedModule>,
    pub needed_by: Vec<NamedModule>,
    /// Whether hardware may ask for it.
    pub by_hardware: bool,
    pub hardware: Vec<String>,
    pub other_aliases: Vec<String>,
    pub kmod: String,
    /// How many modules are loaded with it, itself among them.
    pub loads: usize,
    pub installs: Vec<String>,
    pub installs_bytes: u64,
    pub rules: Vec<AppliedRule>,
    pub patterns: Vec<String>,
}

/// Another module.
#[derive(Debug, Serialize)]
pub struct NamedModule {
    pub name: String,
    /// The `{name}` of its package, if that is another one.
    pub package: Option<String>,
}

/// What a rule decides about a module.
#[derive(Debug, Serialize)]
pub struct AppliedRule {
    pub key: &'static str,
    pub value: String,
    pub line: String,
}

#[derive(Debug, Serialize)]
pub struct ExplainedPackage {
    pub package: String,
    pub summary: Option<String>,
    pub bytes: u64,
    pub modules: Vec<PackagedModule>,
    pub needs: Vec<String>,
    pub needed_by: Vec<String>,
    pub installs: Vec<String>,
    pub installs_bytes: u64,
    pub patterns: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct PackagedModule {
    pub name: String,
    pub because: String,
}

#[derive(Debug, Serialize)]
pub struct ExplainedPattern {
    pub pattern: String,
    pub summary: String,
    pub packages: Vec<String>,
    pub bytes: u64,
}

/// Where all is taken from.
pub struct Facts<'f> {
    pub planned: &'f PlannedKernel,
    pub identity: &'f Identity,
}

impl Facts<'_> {
    pub fn of(&self, found: Found) -> Explained {
        let plan = &self.planned.plan;
        match found {
            Found::Module(id) => Explained::Module(self.module(id)),
            Found::Package(id) => Explained::Package(self.package(id)),
            Found::Image => Explained::Package(self.image()),
            Found::Pattern(index) => Explained::Pattern(self.pattern(plan.patterns.get(index))),
        }
    }

    fn module(&self, id: ModuleId) -> ExplainedModule {
        let PlannedKernel {
            tree,
            plan,
            resolution,
            ..
        } = self.planned;
        let record = &tree.modules[id];
        let (hardware, other_aliases): (Vec<_>, Vec<_>) = record
            .aliases
            .iter()
            .cloned()
            .partition(|alias| alias.contains(':'));
        let loads = reachable([id], |id: ModuleId| resolution.needs[id].iter().copied());
        let package = plan.package_of(id);
        let installs = self.installs(package);
        let together_with = package.map(|package| {
            let others = plan.packages[package].modules.iter();
            let others = others.filter(|&&other| other != id);
            others.map(|&other| self.name(other)).collect()
        });
        ExplainedModule {
            module: record.file.path.clone(),
            description: record.description.clone(),
            package: match plan.location[id] {
                Location::Image => Some(self.identity.image.clone()),
                Location::Excluded => None,
                Location::Package(package) => Some(self.package_name(package)),
            },
            because: reason_text(tree, &plan.reasons[id]),
            together_with,
            needs: self.others(&resolution.needs[id], package),
            needed_by: self.others(&resolution.users[id], package),
            by_hardware: plan.hardware[id],
            hardware,
            other_aliases,
            kmod: format!("kmod({}.ko)", kmodule::normalized_str(&record.file.name)),
            loads: loads.len(),
            installs_bytes: self.bytes(&installs),
            installs: installs
                .into_iter()
                .map(|id| self.package_name(id))
                .collect(),
            rules: self.rules(id),
            patterns: package.map_or_else(Vec::new, |package| self.patterns(package)),
        }
    }

    fn package(&self, id: PackageId) -> ExplainedPackage {
        let plan = &self.planned.plan;
        let package = &plan.packages[id];
        let users = plan
            .packages
            .iter()
            .filter(|(_, user)| user.needs.contains(&id));
        let installs = self.installs(Some(id));
        ExplainedPackage {
            package: self.package_name(id),
            summary: package.summary.clone(),
            bytes: self.bytes(&BTreeSet::from([id])),
            modules: package
                .modules
                .iter()
                .map(|&id| self.packaged(id))
                .collect(),
            needs: package
                .needs
                .iter()
                .map(|&id| self.package_name(id))
                .collect(),
            needed_by: users.map(|(id, _)| self.package_name(id)).collect(),
            installs_bytes: self.bytes(&installs),
            installs: installs
                .into_iter()
                .map(|id| self.package_name(id))
                .collect(),
            patterns: self.patterns(id),
        }
    }

    fn image(&self) -> ExplainedPackage {
        let modules: Vec<_> = self.planned.plan.image().collect();
        let bytes = modules
            .iter()
            .map(|&id| self.planned.tree.modules[id].bytes)
            .sum();
        ExplainedPackage {
            package: self.identity.image.clone(),
            summary: None,
            bytes,
            modules: modules.into_iter().map(|id| self.packaged(id)).collect(),
            needs: Vec::new(),
            needed_by: Vec::new(),
            installs: vec![self.identity.image.clone()],
            installs_bytes: bytes,
            patterns: Vec::new(),
        }
    }

    fn pattern(&self, pattern: Option<&crate::plan::PatternPackage>) -> ExplainedPattern {
        let packages: BTreeSet<_> = pattern
            .iter()
            .flat_map(|one| one.packages.iter().copied())
            .collect();
        ExplainedPattern {
            pattern: pattern
                .map(|one| self.identity.pattern(&one.name))
                .unwrap_or_default(),
            summary: pattern.map(|one| one.summary.clone()).unwrap_or_default(),
            bytes: self.bytes(&packages),
            packages: packages
                .into_iter()
                .map(|id| self.package_name(id))
                .collect(),
        }
    }

    /// The package and all that it needs.
    fn installs(&self, package: Option<PackageId>) -> BTreeSet<PackageId> {
        let needs = |id: PackageId| self.planned.plan.packages[id].needs.iter().copied();
        reachable(package, needs)
    }

    fn bytes(&self, packages: &BTreeSet<PackageId>) -> u64 {
        let modules = packages
            .iter()
            .flat_map(|&id| &self.planned.plan.packages[id].modules);
        modules.map(|&id| self.planned.tree.modules[id].bytes).sum()
    }

    fn patterns(&self, package: PackageId) -> Vec<String> {
        let patterns = self.planned.plan.patterns.iter();
        let patterns = patterns.filter(|pattern| pattern.packages.contains(&package));
        patterns
            .map(|pattern| self.identity.pattern(&pattern.name))
            .collect()
    }

    fn rules(&self, id: ModuleId) -> Vec<AppliedRule> {
        let file = &self.planned.tree.modules[id].file;
        // Without a new key of rules this does not compile. Package and exclusion are said elsewhere.
        let Override {
            package: _,
            exclude: _,
            hardware,
            initrd,
            supported,
            tags,
        } = self.planned.policy.overrides(ModulePath::new(&file.path));
        let mut all = Vec::new();
        let mut add = |key, value, line: &policy::FileLine| {
            all.push(AppliedRule {
                key,
                value,
                line: line.to_string(),
            });
        };
        if let Some((value, line)) = hardware {
            add("hardware", value.to_string(), line);
        }
        if let Some((value, line)) = initrd {
            add("initrd", value.to_string(), line);
        }
        if let Some((value, line)) = supported {
            add("supported", value.as_str().to_owned(), line);
        }
        for (kind, (tags, line)) in tags {
            add(kind.as_str(), tags.join(", "), line);
        }
        all
    }

    fn packaged(&self, id: ModuleId) -> PackagedModule {
        PackagedModule {
            name: self.name(id),
            because: reason_text(&self.planned.tree, &self.planned.plan.reasons[id]),
        }
    }

    fn others(&self, modules: &[ModuleId], package: Option<PackageId>) -> Vec<NamedModule> {
        let plan = &self.planned.plan;
        let named = modules.iter().map(|&id| NamedModule {
            name: self.name(id),
            package: plan
                .package_of(id)
                .filter(|&of| Some(of) != package)
                .map(|of| plan.packages[of].stem.clone()),
        });
        named.collect()
    }

    fn name(&self, id: ModuleId) -> String {
        self.planned.tree.modules[id].file.name.clone()
    }

    fn package_name(&self, id: PackageId) -> String {
        self.identity.kmp(&self.planned.plan.packages[id].stem)
    }
}
