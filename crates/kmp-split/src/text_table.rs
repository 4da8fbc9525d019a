//! Writes the table of packages for a terminal.

use std::cmp::Reverse;
use std::fmt::Write;

use modtree::{ModuleId, Tree};

use crate::cli::SortKey;
use crate::identity::Identity;
use crate::machine::{Cause, MachineHardware};
use crate::plan::{FormerPackage, Location, Package, Plan};
use crate::planned::PlannedKernel;

/// Returns packages, patterns, machines, moved modules and softdeps that nothing meets, one a line.
pub fn text(
    planned: &PlannedKernel,
    identity: &Identity,
    machines: &[MachineHardware],
    sort: SortKey,
) -> String {
    let table = TextTable {
        tree: &planned.tree,
        plan: &planned.plan,
        identity,
    };
    let unmet = planned.softdeps.describe_unmet(&planned.tree);
    [
        table.packages(sort),
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
    fn packages(&self, sort: SortKey) -> String {
        let mut packages: Vec<(String, u64, &Package)> = self
            .plan
            .packages
            .values()
            .map(|package| {
                let bytes = self.bytes(package.modules.iter().copied());
                (self.identity.kmp(&package.stem), bytes, package)
            })
            .collect();
        match sort {
            SortKey::Name => {}
            SortKey::Size => packages.sort_by_key(|(_, bytes, _)| Reverse(*bytes)),
            SortKey::Modules => packages.sort_by_key(|(.., one)| Reverse(one.modules.len())),
        }
        let names = packages.iter().map(|(name, ..)| name.len());
        let wide = names.max().unwrap_or_default();
        let mut out = format!(
            "{:wide$} {:>8} {:>7}  modules\n",
            "package", "KiB", "modules"
        );
        for (name, bytes, package) in packages {
            let modules = package.modules.iter().copied();
            let _ = writeln!(
                out,
                "{name:wide$} {:>8} {:>7}  {}",
                kib(bytes),
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
        let of_machine = |machine: &MachineHardware| {
            let installed = machine.installs(self.tree, self.plan);
            let modules = installed.packages.iter();
            let modules = modules.flat_map(|&id| self.plan.packages[id].modules.iter().copied());
            let bytes = self.bytes(modules.chain(self.plan.image()));
            let part = bytes as f64 / whole.max(1) as f64;
            let mut out = format!(
                "{}: {} packages, {} KiB, {part:.3} of all modules\n",
                machine.name,
                installed.packages.len(),
                kib(bytes)
            );
            for &id in &installed.packages {
                let name = self.identity.kmp(&self.plan.packages[id].stem);
                let _ = writeln!(
                    out,
                    "  {name}: {}",
                    self.cause(&installed.cause(self.plan, id))
                );
            }
            out
        };
        let machines: Vec<_> = machines.iter().map(of_machine).collect();
        machines.join("\n")
    }

    fn cause(&self, cause: &Cause) -> String {
        if !cause.drivers.is_empty() {
            return format!(
                "hardware asks for {}",
                self.names(cause.drivers.iter().copied())
            );
        }
        let users = cause
            .needed_by
            .iter()
            .map(|&id| self.plan.packages[id].stem.as_str());
        format!("needed by {}", users.collect::<Vec<_>>().join(" "))
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
