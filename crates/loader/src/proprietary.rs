//! Finds the modules that the kernel takes for proprietary, because of their licence or because
//! they use symbols of such a module (linux/kernel/module/main.c, `inherit_taint`).

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::ModuleId;
use crate::scope::{Exporter, Scope};

/// Those of the members of a scope. A module that also uses GPL-only symbols is among them,
/// though it does not load.
pub(crate) fn modules(scope: &Scope<'_>, members: &[ModuleId]) -> BTreeSet<ModuleId> {
    let is_proprietary = |module: &&ModuleId| scope.modules.get(**module).is_proprietary;
    let mut found: BTreeSet<ModuleId> = members.iter().filter(is_proprietary).copied().collect();
    let mut exporting = found
        .iter()
        .filter(|&&module| !scope.modules.exports(module).is_empty());
    if exporting.next().is_none() {
        return found;
    }
    let users = users(scope, members);
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
fn users(scope: &Scope<'_>, members: &[ModuleId]) -> BTreeMap<ModuleId, Vec<ModuleId>> {
    let mut users: BTreeMap<ModuleId, Vec<ModuleId>> = BTreeMap::new();
    for &user in members {
        let mut used = BTreeSet::new();
        for import in scope.modules.imports(user) {
            if let Some(Exporter::Module(module)) = scope.exporter(user, import, |_| false) {
                used.insert(module);
            }
        }
        for module in used {
            users.entry(module).or_default().push(user);
        }
    }
    users
}
