//! Refuses rules that make packages need each other in a circle, and says how to mend each circle.

use std::collections::{BTreeMap, BTreeSet};

use modtree::{ModuleId, Tree};
use petgraph::algo::tarjan_scc;

use super::circle::{Circle, NamedCure};
use super::cures::{Cure, cures};
use super::error::PlanError;
use super::groups::{GroupId, Groups};

impl Groups<'_> {
    /// Refuses groups that need each other in a circle.
    ///
    /// # Errors
    /// There are circles. The error shows one module by module for all packages that need each other.
    pub fn refuse_circles(
        &self,
        tree: &Tree,
        names: &BTreeMap<GroupId, String>,
    ) -> Result<(), PlanError> {
        let parts = tarjan_scc(&self.graph()).into_iter();
        let parts = parts.filter(|part| part.len() > 1);
        let mut parts: Vec<BTreeSet<GroupId>> = parts.map(BTreeSet::from_iter).collect();
        parts.sort();
        let circles = parts.iter().map(|part| self.describe(tree, names, part));
        let circles: Vec<_> = circles.collect();
        match circles.is_empty() {
            true => Ok(()),
            false => Err(PlanError::Circles(circles)),
        }
    }

    fn describe(
        &self,
        tree: &Tree,
        names: &BTreeMap<GroupId, String>,
        part: &BTreeSet<GroupId>,
    ) -> Circle {
        let circle = self.circle(part);
        let path = |id: ModuleId| tree.modules[id].file.plain_path().to_owned();
        let paths = |modules: Vec<ModuleId>| modules.into_iter().map(path).collect();
        let name = |id| names.get(&id).cloned().unwrap_or_default();
        let cures = cures(self, part).into_iter().map(|cure| match cure {
            Cure::Join(id, modules) => NamedCure::Join(name(id), paths(modules)),
            Cure::Leave(id, modules) => NamedCure::Leave(name(id), paths(modules)),
            Cure::Together(modules) => NamedCure::Together(paths(modules)),
        });
        Circle {
            of_modules: circle.iter().all(|&id| self.get(id).members.len() == 1),
            steps: self.steps(tree, names, &circle),
            cures: cures.collect(),
        }
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
    fn steps(&self, tree: &Tree, names: &BTreeMap<GroupId, String>, circle: &[GroupId]) -> String {
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
