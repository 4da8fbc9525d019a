//! Refuses rules that make packages need each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use modtree::{ModuleId, Tree};
use petgraph::algo::tarjan_scc;

use super::error::PlanError;
use super::groups::{GroupId, Groups};

impl Groups<'_> {
    /// Refuses groups that need each other in a circle.
    ///
    /// # Errors
    /// There is a circle. The error shows it module by module.
    pub fn refuse_circles(
        &self,
        tree: &Tree,
        names: &BTreeMap<GroupId, String>,
    ) -> Result<(), PlanError> {
        let parts = tarjan_scc(&self.graph());
        let Some(part) = parts.into_iter().find(|part| part.len() > 1) else {
            return Ok(());
        };
        let within: BTreeSet<GroupId> = part.into_iter().collect();
        let circle = self.circle(&within);
        let steps = self.describe(tree, names, &circle);
        let single = circle.iter().all(|&id| self.get(id).members.len() == 1);
        Err(match single {
            true => PlanError::ModuleCycle(steps),
            false => PlanError::PackageCycle(steps),
        })
    }

    /// One circle through groups that all reach each other: a walk until a group comes again.
    fn circle(&self, within: &BTreeSet<GroupId>) -> Vec<GroupId> {
        let mut path: Vec<GroupId> = Vec::new();
        let mut next = within.first().copied();
        while let Some(id) = next {
            if let Some(start) = path.iter().position(|&seen| seen == id) {
                return path.split_off(start);
            }
            path.push(id);
            next = self.get(id).needs.intersection(within).next().copied();
        }
        path
    }

    /// `a -> b: x needs y; b -> a: …`.
    fn describe(
        &self,
        tree: &Tree,
        names: &BTreeMap<GroupId, String>,
        circle: &[GroupId],
    ) -> String {
        let path = |id: ModuleId| tree.modules[id].file.path.as_str();
        let name = |id: GroupId| match (names.get(&id), &self.get(id).members[..]) {
            (Some(name), _) => name.clone(),
            (None, [first, ..]) => tree.modules[*first].file.name.clone(),
            (None, []) => String::new(),
        };
        let next = circle.iter().cycle().skip(1);
        let steps = circle.iter().zip(next).map(|(&from, &to)| {
            let members = self.get(from).members.iter();
            let needs = |&user: &ModuleId| {
                let needed = self.needs(user).iter();
                let needed = needed.copied().find(|&needed| self.of(needed) == Some(to));
                Some((user, needed?))
            };
            let step = members.filter_map(needs).next();
            let step = step.map_or_else(String::new, |(user, needed)| {
                format!("{} needs {}", path(user), path(needed))
            });
            match name(from) == name(to) {
                true => step,
                false => format!("{} -> {}: {step}", name(from), name(to)),
            }
        });
        steps.collect::<Vec<_>>().join("; ")
    }
}
