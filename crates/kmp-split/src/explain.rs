//! Explains a module: which rule gave it its package, what installs it, and what it installs.

use std::fmt::Write;

use anyhow::{Result, bail};
use id_table::Table;
use modtree::ModuleId;
use policy::{FileLine, ModulePath, Override};

use crate::identity::Identity;
use crate::plan::{Location, PackageId};
use crate::planned::PlannedKernel;
use crate::reach::reachable;
use crate::reason_text::reason_text;

/// Explains the modules with a name, or the one at a path.
///
/// # Errors
/// There is no such module.
pub fn explain(planned: &PlannedKernel, identity: &Identity, module: &str) -> Result<String> {
    let tree = &planned.tree;
    let name = module.rsplit('/').next().unwrap_or(module);
    let name = name.split(".ko").next().unwrap_or(name);
    let ids = tree.named(name).iter().copied();
    let at_path =
        |id: &ModuleId| !module.contains('/') || tree.modules[*id].file.path.starts_with(module);
    let ids: Vec<_> = ids.filter(at_path).collect();
    if ids.is_empty() {
        let builtin = match tree.is_builtin(name) {
            true => ": it is linked into the kernel",
            false => "",
        };
        bail!(
            "no module {module} in {}{builtin}",
            tree.directory.path().display()
        );
    }
    let explained = ids.into_iter().map(|id| {
        let explanation = Explanation {
            planned,
            identity,
            id,
        };
        explanation.text()
    });
    Ok(explained.collect::<Vec<_>>().join("\n"))
}

struct Explanation<'e> {
    planned: &'e PlannedKernel,
    identity: &'e Identity,
    id: ModuleId,
}

impl Explanation<'_> {
    fn text(&self) -> String {
        let PlannedKernel {
            tree,
            plan,
            resolution,
            ..
        } = self.planned;
        let record = &tree.modules[self.id];
        let mut out = format!("{}\n", record.file.path);
        let mut line = |key: &str, value: &str| {
            let _ = writeln!(out, "  {key:<12} {value}");
        };
        if let Some(description) = &record.description {
            line("is", description);
        }
        line("package", &self.package());
        line("because", &reason_text(tree, &plan.reasons[self.id]));
        if let Some(package) = plan.package_of(self.id) {
            let others = plan.packages[package].modules.iter();
            let others = others.copied().filter(|&id| id != self.id);
            line("together with", &self.or_none(self.names(others)));
        }
        line(
            "needs",
            &self.or_none(self.with_packages(&resolution.needs[self.id])),
        );
        line(
            "needed by",
            &self.or_none(self.with_packages(&resolution.users[self.id])),
        );
        line("pulled in by", &self.pulled_in());
        line("in all", &self.in_all(&resolution.needs));
        for (key, value, of_rule) in self.overrides() {
            line(key, &format!("{value} ({of_rule})"));
        }
        let patterns = plan.patterns.iter().filter(|pattern| {
            plan.package_of(self.id)
                .is_some_and(|id| pattern.packages.contains(&id))
        });
        let patterns: Vec<_> = patterns
            .map(|pattern| self.identity.pattern(&pattern.name))
            .collect();
        line("patterns", &self.or_none(patterns.join(" ")));
        out
    }

    fn package(&self) -> String {
        match self.planned.plan.location[self.id] {
            Location::Image => self.identity.image.clone(),
            Location::Excluded => "none".to_owned(),
            Location::Package(id) => self.identity.kmp(&self.planned.plan.packages[id].stem),
        }
    }

    /// Everything that can ask for the module itself.
    fn pulled_in(&self) -> String {
        let record = &self.planned.tree.modules[self.id];
        let (hardware, others): (Vec<_>, Vec<_>) =
            record.aliases.iter().partition(|alias| alias.contains(':'));
        let examples: Vec<_> = hardware
            .iter()
            .take(3)
            .map(|alias| alias.as_str())
            .collect();
        let more = match hardware.len() {
            0..=3 => String::new(),
            count => format!(" and {} more", count - 3),
        };
        let mut ways = Vec::new();
        if !hardware.is_empty() {
            ways.push(format!("hardware {}{more}", examples.join(" ")));
        }
        if !others.is_empty() {
            let others: Vec<_> = others.iter().map(|alias| alias.as_str()).collect();
            ways.push(format!("kernel or user by {}", others.join(" ")));
        }
        let overridden = self
            .overrides()
            .into_iter()
            .any(|(key, value, _)| key == "hardware" && value == "false");
        if overridden {
            ways.push("not by hardware: the policy says so".to_owned());
        }
        ways.push(format!(
            "kmod({}.ko)",
            kmodule::normalized_str(&record.file.name)
        ));
        ways.join("; ")
    }

    /// How much the module needs in all, and how much is installed with it.
    fn in_all(&self, needs: &Table<ModuleId, Vec<ModuleId>>) -> String {
        let plan = &self.planned.plan;
        let modules = reachable([self.id], |id: ModuleId| needs[id].iter().copied());
        let needed = |id: PackageId| plan.packages[id].needs.iter().copied();
        let packages = reachable(plan.package_of(self.id), needed);
        let installed = packages.iter().flat_map(|&id| &plan.packages[id].modules);
        let bytes: u64 = installed
            .map(|&id| self.planned.tree.modules[id].bytes)
            .sum();
        format!(
            "{} modules to load, {} packages of {} KiB to install",
            modules.len(),
            packages.len(),
            bytes.div_ceil(1024)
        )
    }

    fn overrides(&self) -> Vec<(&'static str, String, &FileLine)> {
        let file = &self.planned.tree.modules[self.id].file;
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
        if let Some((value, line)) = hardware {
            all.push(("hardware", value.to_string(), line));
        }
        if let Some((value, line)) = initrd {
            all.push(("initrd", value.to_string(), line));
        }
        if let Some((value, line)) = supported {
            all.push(("supported", value.as_str().to_owned(), line));
        }
        for (kind, (tags, line)) in tags {
            all.push((kind.as_str(), tags.join(", "), line));
        }
        all
    }

    fn names(&self, modules: impl Iterator<Item = ModuleId>) -> String {
        let names = modules.map(|id| self.planned.tree.modules[id].file.name.as_str());
        names.collect::<Vec<_>>().join(" ")
    }

    fn with_packages(&self, modules: &[ModuleId]) -> String {
        let plan = &self.planned.plan;
        let named = modules.iter().map(|&id| {
            let name = &self.planned.tree.modules[id].file.name;
            match plan.package_of(id) {
                Some(package) if Some(package) != plan.package_of(self.id) => {
                    format!("{name} ({})", plan.packages[package].stem)
                }
                _ => name.clone(),
            }
        });
        named.collect::<Vec<_>>().join(" ")
    }

    fn or_none(&self, text: String) -> String {
        match text.is_empty() {
            true => "nothing".to_owned(),
            false => text,
        }
    }
}
