//! Writes the table of packages for a terminal.

use std::fmt::Write;

use modtree::{ModuleId, Tree};

use crate::identity::Identity;
use crate::machine::MachineHardware;
use crate::plan::{FormerPackage, Location, Plan};
use crate::planned::PlannedKernel;

/// Returns packages, patterns, machines, moved modules and softdeps that nothing meets, one a line.
pub fn text(planned: &PlannedKernel, identity: &Identity, machines: &[MachineHardware]) -> String {
    let table = TextTable {
        tree: &planned.tree,
        plan: &planned.plan,
        identity,
    };
    let unmet = planned.softdeps.describe_unmet(&planned.tree);
    [
        table.packages(),
        table.patterns(),
        table.machines(machines),
        table.moved(),
        unmet.map(|unmet| format!("softdep: {unmet}\n")).collect(),
        table.sum(),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join("\n")
}

struct TextTable<'t> {
    tree: &'t Tree,
    plan: &'t Plan,
    identity: &'t Identity,
}

impl TextTable<'_> {
    fn packages(&self) -> String {
        let names = self.plan.packages.values();
        let names: Vec<_> = names
            .map(|package| self.identity.kmp(&package.stem))
            .collect();
        let wide = names.iter().map(String::len).max().unwrap_or_default();
        let mut out = format!(
            "{:wide$} {:>8} {:>7}  modules\n",
            "package", "KiB", "modules"
        );
        for (name, package) in names.iter().zip(self.plan.packages.values()) {
            let modules = package.modules.iter().copied();
            let _ = writeln!(
                out,
                "{name:wide$} {:>8} {:>7}  {}",
                kib(self.bytes(modules.clone())),
                package.modules.len(),
                self.names(modules)
            );
        }
        let image: Vec<_> = self.plan.image().collect();
        if !image.is_empty() {
            let _ = writeln!(
                out,
                "{:wide$} {:>8} {:>7}  {}",
                self.identity.image,
                kib(self.bytes(image.iter().copied())),
                image.len(),
                self.names(image.into_iter())
            );
        }
        out
    }

    fn patterns(&self) -> String {
        let line = |pattern: &crate::plan::PatternPackage| {
            let name = self.identity.pattern(&pattern.name);
            let count = pattern.packages.len();
            format!("{name}: {count} packages: {}\n", pattern.summary)
        };
        self.plan.patterns.iter().map(line).collect()
    }

    fn machines(&self, machines: &[MachineHardware]) -> String {
        let whole = self.bytes(self.tree.modules.ids());
        let line = |machine: &MachineHardware| {
            let installed = machine.installs(self.tree, self.plan).packages;
            let modules = installed.iter();
            let modules = modules.flat_map(|&id| self.plan.packages[id].modules.iter().copied());
            let bytes = self.bytes(modules.chain(self.plan.image()));
            let part = bytes as f64 / whole.max(1) as f64;
            format!(
                "{}: {} packages, {} KiB, {part:.3} of all modules\n",
                machine.name,
                installed.len(),
                kib(bytes)
            )
        };
        machines.iter().map(line).collect()
    }

    fn moved(&self) -> String {
        let line = |moved: &crate::plan::Moved| {
            let to = match moved.to {
                Location::Package(id) => self.plan.packages[id].stem.as_str(),
                Location::Image => &self.identity.image,
                Location::Excluded => "nowhere",
            };
            let module = &self.tree.modules[moved.module].file.path;
            let from = match &moved.from {
                FormerPackage::Image => &self.identity.image,
                FormerPackage::Stem(stem) => stem,
            };
            format!("moved: {module} from {from} to {to}\n")
        };
        self.plan.moved.iter().map(line).collect()
    }

    fn sum(&self) -> String {
        format!(
            "{} modules, {} KiB, in {} packages and {} in the image; {} excluded, {} moved\n",
            self.tree.modules.len(),
            kib(self.bytes(self.tree.modules.ids())),
            self.plan.packages.len(),
            self.plan.image().count(),
            self.plan.excluded().count(),
            self.plan.moved.len()
        )
    }

    fn bytes(&self, modules: impl Iterator<Item = ModuleId>) -> u64 {
        modules.map(|id| self.tree.modules[id].bytes).sum()
    }

    fn names(&self, modules: impl Iterator<Item = ModuleId>) -> String {
        let names = modules.map(|id| self.tree.modules[id].file.name.as_str());
        names.collect::<Vec<_>>().join(" ")
    }
}

fn kib(bytes: u64) -> u64 {
    bytes.div_ceil(1024)
}
