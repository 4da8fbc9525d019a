//! Finds small changes of packages after which they do not need each other in a circle.
//!
//! There are three for a package on a circle, and the one that names the fewest modules is taken:
//!
//! - The modules between join it. That mends all its circles if no other package with a name is on
//!   them.
//! - Its modules that need what is outside leave it. What remains needs nothing on a circle.
//! - Its modules that something outside needs leave it. Nothing on a circle needs what remains.

use std::collections::{BTreeMap, BTreeSet};

use modtree::ModuleId;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::groups::{GroupId, GroupOrigin, Groups};
use crate::reach::reachable;

/// A change of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cure {
    /// Modules join a package.
    Join(GroupId, Vec<ModuleId>),
    /// Modules leave a package.
    Leave(GroupId, Vec<ModuleId>),
    /// Modules that need each other share a package.
    Together(Vec<ModuleId>),
}

/// What shares a package while circles are mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shared {
    /// The package of a rule.
    Package(GroupId),
    /// Modules that no rule names. The number is that of one of them.
    Free(ModuleId),
}

/// The modules of packages that need each other.
struct Part<'p, 'g> {
    groups: &'p Groups<'g>,
    shared: BTreeMap<ModuleId, Shared>,
}

/// The changes that mend all circles between the packages of `part`.
pub fn cures(groups: &Groups<'_>, part: &BTreeSet<GroupId>) -> Vec<Cure> {
    let mut shared = BTreeMap::new();
    for &id in part {
        let group = groups.get(id);
        for &module in &group.members {
            let by_rule = group.origin == GroupOrigin::Rules;
            let what = if by_rule {
                Shared::Package(id)
            } else {
                Shared::Free(module)
            };
            shared.insert(module, what);
        }
    }
    let mut part = Part { groups, shared };
    let mut cures = Vec::new();
    // Each change dissolves a circle, or makes a package smaller, so this ends.
    while let Some(circle) = part.circular() {
        let cure = part.cheapest(&circle);
        part.apply(&cure);
        cures.push(cure);
    }
    cures
}

impl Part<'_, '_> {
    fn needs(&self, module: ModuleId) -> impl Iterator<Item = ModuleId> {
        let needs = self.groups.needs(module).iter().copied();
        needs.filter(|needed| self.shared.contains_key(needed))
    }

    fn users(&self, module: ModuleId) -> impl Iterator<Item = ModuleId> {
        let users = self.groups.users(module).iter().copied();
        users.filter(|user| self.shared.contains_key(user))
    }

    /// Packages that all need each other, if there are any.
    fn circular(&self) -> Option<BTreeSet<Shared>> {
        let mut graph: DiGraphMap<Shared, ()> = DiGraphMap::new();
        for (&module, &from) in &self.shared {
            for to in self.needs(module).filter_map(|id| self.shared.get(&id)) {
                if from != *to {
                    graph.add_edge(from, *to, ());
                }
            }
        }
        let parts = tarjan_scc(&graph).into_iter();
        let parts = parts.filter(|part| part.len() > 1);
        parts.map(BTreeSet::from_iter).min()
    }

    fn modules(&self, of: impl Fn(Shared) -> bool) -> Vec<ModuleId> {
        let all = self.shared.iter();
        let all = all.filter(|(_, shared)| of(**shared));
        all.map(|(&id, _)| id).collect()
    }

    fn cheapest(&self, circle: &BTreeSet<Shared>) -> Cure {
        let packages = circle.iter().filter_map(|shared| match shared {
            Shared::Package(id) => Some(*id),
            Shared::Free(_) => None,
        });
        let packages: Vec<GroupId> = packages.collect();
        let mut found = Vec::new();
        for &package in &packages {
            let inside = Shared::Package(package);
            let outside = self.modules(|shared| shared != inside && circle.contains(&shared));
            let reached = [
                reachable(outside.iter().copied(), |id| {
                    self.users(id).collect::<Vec<_>>()
                }),
                reachable(outside.iter().copied(), |id| {
                    self.needs(id).collect::<Vec<_>>()
                }),
            ];
            if packages.len() == 1 {
                found.push((outside.len(), 0, Cure::Join(package, outside)));
            }
            for (order, reached) in (1..).zip(reached) {
                let leave = self.modules(|shared| shared == inside);
                let leave: Vec<_> = leave
                    .into_iter()
                    .filter(|id| reached.contains(id))
                    .collect();
                found.push((leave.len(), order, Cure::Leave(package, leave)));
            }
        }
        let fewest = found
            .into_iter()
            .min_by_key(|(count, order, _)| (*count, *order));
        fewest.map_or_else(
            || Cure::Together(self.modules(|shared| circle.contains(&shared))),
            |(.., cure)| cure,
        )
    }

    fn apply(&mut self, cure: &Cure) {
        let (modules, into) = match cure {
            Cure::Join(package, modules) => (modules, Some(Shared::Package(*package))),
            Cure::Leave(_, modules) => (modules, None),
            Cure::Together(modules) => (modules, modules.first().map(|&first| Shared::Free(first))),
        };
        for &module in modules {
            self.shared
                .insert(module, into.unwrap_or(Shared::Free(module)));
        }
    }
}
