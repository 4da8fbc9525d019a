//! Turns a kernel tree and options into what `kmp-split plan --json` says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::stage::Stage;
use crate::tools::run;

/// What a plan says.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Names of packages by stem.
    pub names: BTreeMap<String, String>,
    /// Stem of the package of each module, by path below the release directory, up to `.ko`.
    pub stems: BTreeMap<String, String>,
    /// The modules each module needs, likewise.
    pub needs: BTreeMap<String, BTreeSet<String>>,
    /// Names of the packages each pattern requires, by the name of the pattern's package.
    pub patterns: BTreeMap<String, BTreeSet<String>>,
    /// Modules that moved: stem of the package before and now, where there is one.
    pub moved: BTreeMap<String, [Option<String>; 2]>,
}

impl Plan {
    /// Plans a tree without the system's policy.
    pub fn of(root: &Path, options: &[&str]) -> Result<Plan> {
        Plan::parse(&json(root, options)?)
    }

    /// Reads the plan that a build left.
    pub fn read(file: &Path) -> Result<Plan> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        Plan::parse(&text).with_context(|| file.display().to_string())
    }

    /// Takes the document apart.
    pub fn parse(json: &str) -> Result<Plan> {
        let document: Value = serde_json::from_str(json)?;
        let mut plan = Plan::default();
        for package in list(&document, "packages")? {
            let stem = text(package, "stem")?;
            plan.names.insert(stem.clone(), text(package, "name")?);
            for module in list(package, "modules")? {
                let path = text(module, "path")?;
                let needs = list(module, "needs")?.iter().filter_map(Value::as_str);
                plan.needs
                    .insert(path.clone(), needs.map(str::to_owned).collect());
                plan.stems.insert(path, stem.clone());
            }
        }
        for pattern in list(&document, "patterns")? {
            let packages = list(pattern, "packages")?.iter().map(|stem| {
                let name = stem.as_str().and_then(|stem| plan.names.get(stem));
                name.cloned().with_context(|| format!("no package {stem}"))
            });
            let packages = packages.collect::<Result<_>>()?;
            plan.patterns.insert(text(pattern, "name")?, packages);
        }
        for moved in list(&document, "moved")? {
            let places = ["from", "to"].map(|key| text(moved, key).ok());
            plan.moved.insert(text(moved, "module")?, places);
        }
        Ok(plan)
    }

    /// The modules of a package, by its stem.
    pub fn modules_of(&self, stem: &str) -> BTreeSet<&str> {
        let modules = self.stems.iter().filter(|(_, of)| *of == stem);
        modules.map(|(path, _)| path.as_str()).collect()
    }

    /// The modules that no other one needs.
    pub fn leaves(&self) -> BTreeSet<&str> {
        let needed: BTreeSet<&String> = self.needs.values().flatten().collect();
        let leaves = self.stems.keys().filter(|path| !needed.contains(path));
        leaves.map(String::as_str).collect()
    }

    /// Names of the packages that have modules which `wanted` accepts by path.
    pub fn packages_of(&self, wanted: impl Fn(&str) -> bool) -> BTreeSet<&str> {
        let wanted = self.stems.iter().filter(|(path, _)| wanted(path));
        wanted
            .filter_map(|(_, stem)| self.names.get(stem))
            .map(String::as_str)
            .collect()
    }
}

/// `kmp-split plan --json`, without the system's policy.
pub fn json(root: &Path, options: &[&str]) -> Result<String> {
    let mut command = Stage::get()?.tool("kmp-split");
    command.args(["plan", "--json", "--system-policy", "/nonexistent"]);
    run(command.args(options).arg("--").arg(root))
}

fn list<'v>(value: &'v Value, key: &str) -> Result<&'v [Value]> {
    let list = value.get(key).and_then(Value::as_array);
    list.map(Vec::as_slice)
        .with_context(|| format!("no list {key}"))
}

fn text(value: &Value, key: &str) -> Result<String> {
    let text = value.get(key).and_then(Value::as_str);
    text.map(str::to_owned)
        .with_context(|| format!("no text {key}"))
}
