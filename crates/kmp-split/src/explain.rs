//! A module in, all that decides about it out: which rule gave it its package, what it pulls in and
//! what pulls it in.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Result, bail};
use id_table::Table;
use modtree::ModuleId;
use policy::{FileLine, ModulePath};

use crate::identity::Identity;
use crate::plan::Location;
use crate::planned::Planned;
use crate::why::tell;

/// Explains the modules of a name, or the one at a path.
///
/// # Errors
/// There is none.
pub fn explain(planned: &Planned, identity: &Identity, module: &str) -> Result<String> {
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
    planned: &'e Planned,
    identity: &'e Identity,
    id: ModuleId,
}

impl Explanation<'_> {
    fn text(&self) -> String {
        let Planned {
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
        line("package", &self.place());
        line("because", &tell(tree, &plan.why[self.id]));
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
        for (key, value, place) in self.overrides() {
            line(key, &format!("{value} ({place})"));
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

    fn place(&self) -> String {
        match self.planned.plan.location[self.id] {
            Location::Image => self.identity.image.clone(),
            Location::Excluded => "none".to_owned(),
            Location::Package(id) => self.identity.kmp(&self.planned.plan.packages[id].stem),
        }
    }

    /// What can ask for the module itself.
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
        ways.push(format!("kmod({}.ko)", modtree::spelled(&record.file.name)));
        ways.join("; ")
    }

    /// The modules and packages that come along.
    fn in_all(&self, needs: &Table<ModuleId, Vec<ModuleId>>) -> String {
        let plan = &self.planned.plan;
        let mut modules = BTreeSet::from([self.id]);
        let mut open = vec![self.id];
        while let Some(id) = open.pop() {
            open.extend(
                needs[id]
                    .iter()
                    .copied()
                    .filter(|&needed| modules.insert(needed)),
            );
        }
        let mut packages: BTreeSet<_> = plan.package_of(self.id).into_iter().collect();
        let mut open: Vec<_> = packages.iter().copied().collect();
        while let Some(id) = open.pop() {
            let needed = plan.packages[id].needs.iter().copied();
            open.extend(needed.filter(|&needed| packages.insert(needed)));
        }
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
        let rule = self.planned.policy.overrides(ModulePath::new(&file.path));
        let mut all = Vec::new();
        if let Some((value, place)) = rule.hardware {
            all.push(("hardware", value.to_string(), place));
        }
        if let Some((value, place)) = rule.initrd {
            all.push(("initrd", value.to_string(), place));
        }
        if let Some((value, place)) = rule.supported {
            all.push(("supported", value.as_str().to_owned(), place));
        }
        for (kind, (tags, place)) in rule.tags {
            all.push((kind.as_str(), tags.join(", "), place));
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
