//! Finds the modules that the kernel takes for proprietary, because of their licence or because
//! they use symbols of such a module (linux/kernel/module/main.c, `inherit_taint`).

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::{Import, ModuleId, Modules};

/// Those of the members of a scope, where `exporter` names the module whose symbol an import of a
/// module gets. A module that also uses GPL-only symbols is among them, though it does not load.
pub(crate) fn modules(
    modules: &Modules,
    members: &[ModuleId],
    exporter: impl Fn(ModuleId, &Import) -> Option<ModuleId>,
) -> BTreeSet<ModuleId> {
    let is_proprietary = |module: &&ModuleId| modules.get(**module).is_proprietary;
    let mut found: BTreeSet<ModuleId> = members.iter().filter(is_proprietary).copied().collect();
    let mut exporting = found
        .iter()
        .filter(|&&module| !modules.exports(module).is_empty());
    if exporting.next().is_none() {
        return found;
    }
    let users = users(modules, members, exporter);
    let mut left: Vec<ModuleId> = found.iter().copied().collect();
    while let Some(module) = left.pop() {
        for &user in users.get(&module).map(Vec::as_slice).unwrap_or_default() {
            if found.insert(user) {
                left.push(user);
            }
        }
    }
    found
}

/// The modules that use symbols of each module.
fn users(
    modules: &Modules,
    members: &[ModuleId],
    exporter: impl Fn(ModuleId, &Import) -> Option<ModuleId>,
) -> BTreeMap<ModuleId, Vec<ModuleId>> {
    let mut users: BTreeMap<ModuleId, Vec<ModuleId>> = BTreeMap::new();
    for &user in members {
        let imports = modules.imports(user).iter();
        let used: BTreeSet<_> = imports
            .filter_map(|import| exporter(user, import))
            .collect();
        for module in used {
            users.entry(module).or_default().push(user);
        }
    }
    users
}
