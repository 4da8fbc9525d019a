//! Modules in, groups of modules out that never need each other in a circle.
//!
//! A group becomes a package. At first each module is a group of its own; merging two keeps who
//! needs whom up to date.

use std::collections::{BTreeMap, BTreeSet};

use id_table::{Table, id};
use modtree::{ModuleId, Resolution, Tree};
use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graphmap::DiGraphMap;

use super::claims::{Claim, Claims};
use super::error::PlanError;
use super::package::Why;

id! {
    /// A group; once merged into another one it has no members.
    GroupId
}

/// Who says what is in a group; the greater wins when two merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody yet.
    #[default]
    Free,
    /// An earlier plan.
    Previous,
    /// The policy.
    Rules,
}

/// Modules that share a package.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its modules, sorted; none if it was merged into another.
    pub members: Vec<ModuleId>,
    /// The groups it needs.
    pub needs: BTreeSet<GroupId>,
    /// The groups that need it.
    pub users: BTreeSet<GroupId>,
    /// Bytes of its modules in memory.
    pub size: u64,
    /// Who says what is in it.
    pub origin: Origin,
    /// Whether unsupported modules may not join it; `None` where that does not matter.
    pub supported: Option<bool>,
    /// Modules that the set it is says it does not have.
    pub excepted: BTreeSet<ModuleId>,
}

/// All groups, and why each module is where it is.
#[derive(Clone, Debug)]
pub struct Groups<'t> {
    resolution: &'t Resolution,
    groups: Table<GroupId, Group>,
    of: Table<ModuleId, Option<GroupId>>,
    /// Why each module is where it is.
    pub why: Table<ModuleId, Why>,
}

impl<'t> Groups<'t> {
    /// A group for each module that the image does not have and that is not excluded.
    pub fn new(tree: &Tree, resolution: &'t Resolution, claims: &Claims, apart: bool) -> Self {
        let mut groups: Table<GroupId, Group> = Table::from_iter([]);
        let of = claims.claims.map(|(id, claim)| {
            let packaged = matches!(
                claim,
                Claim::Set(..) | Claim::Package(..) | Claim::Unclaimed
            );
            packaged.then(|| {
                groups.push(Group {
                    members: vec![id],
                    size: tree.modules[id].size,
                    supported: apart.then_some(claims.supported[id]),
                    ..Group::default()
                })
            })
        });
        for (id, needed) in resolution.needs.iter() {
            let Some(user) = of[id] else { continue };
            for group in needed.iter().filter_map(|&needed| of[needed]) {
                groups[user].needs.insert(group);
                groups[group].users.insert(user);
            }
        }
        Self {
            resolution,
            groups,
            of,
            why: claims.claims.map(|(_, claim)| Why::of_claim(claim)),
        }
    }

    /// The group of a module; none if the image has it or it is excluded.
    pub fn of(&self, module: ModuleId) -> Option<GroupId> {
        self.of[module]
    }

    /// A group.
    pub fn get(&self, id: GroupId) -> &Group {
        &self.groups[id]
    }

    /// All groups that have members, in the order of their first ids.
    pub fn iter(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        self.groups
            .iter()
            .filter(|(_, group)| !group.members.is_empty())
    }

    /// How many groups have members.
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// Says who made this group.
    pub fn set_origin(&mut self, id: GroupId, origin: Origin) {
        self.groups[id].origin = origin;
    }

    /// The modules a module needs.
    pub fn needs(&self, module: ModuleId) -> &'t [ModuleId] {
        &self.resolution.needs[module]
    }

    /// The modules that need a module.
    pub fn users(&self, module: ModuleId) -> &'t [ModuleId] {
        &self.resolution.users[module]
    }

    /// Joins the modules of each set and of each package that a rule names; their names.
    pub fn gather_claimed(&mut self, claims: &Claims) -> BTreeMap<GroupId, String> {
        let mut by_name: BTreeMap<&str, GroupId> = BTreeMap::new();
        for (module, claim) in claims.claims.iter() {
            let (Claim::Set(name, _) | Claim::Package(name, _)) = claim else {
                continue;
            };
            let Some(group) = self.of(module) else {
                continue;
            };
            match by_name.get(name.as_str()) {
                Some(&into) => self.merge(into, group),
                None => {
                    by_name.insert(name, group);
                    self.set_origin(group, Origin::Rules);
                    let excepted = claims.excepted.get(name).cloned();
                    self.groups[group].excepted = excepted.unwrap_or_default();
                }
            }
        }
        let names = by_name.into_iter();
        names.map(|(name, id)| (id, name.to_owned())).collect()
    }

    /// Puts the members of `from` into `into`.
    pub fn merge(&mut self, into: GroupId, from: GroupId) {
        if into == from {
            return;
        }
        let Group {
            members,
            needs,
            users,
            size,
            origin,
            ..
        } = std::mem::take(&mut self.groups[from]);
        for &module in &members {
            self.of[module] = Some(into);
        }
        for &needed in &needs {
            self.groups[needed].users.remove(&from);
            self.groups[needed].users.insert(into);
        }
        for &user in &users {
            self.groups[user].needs.remove(&from);
            self.groups[user].needs.insert(into);
        }
        let group = &mut self.groups[into];
        group.members.extend(members);
        group.members.sort_unstable();
        group.needs.extend(needs);
        group.users.extend(users);
        for ids in [&mut group.needs, &mut group.users] {
            ids.remove(&into);
            ids.remove(&from);
        }
        group.size += size;
        group.origin = group.origin.max(origin);
    }

    /// Whether two groups may share a package: no third one would have to come between them, and
    /// no rule forbids it.
    pub fn may_merge(&self, a: GroupId, b: GroupId) -> bool {
        self.rules_allow(a, b) && !self.leads_around(a, b) && !self.leads_around(b, a)
    }

    /// Whether no rule forbids that two groups share a package: neither is a set that says it does
    /// not have modules of the other, and both are supported or both are not.
    pub fn rules_allow(&self, a: GroupId, b: GroupId) -> bool {
        self.are_of_a_kind(a, b) && !self.excepts(a, b) && !self.excepts(b, a)
    }

    fn excepts(&self, set: GroupId, other: GroupId) -> bool {
        let excepted = &self.groups[set].excepted;
        let mut members = self.groups[other].members.iter();
        members.any(|member| excepted.contains(member))
    }

    /// Whether both are supported or both are not, or a rule has gathered one of them, which rules
    /// do without regard to that.
    fn are_of_a_kind(&self, a: GroupId, b: GroupId) -> bool {
        let groups = [a, b].map(|id| &self.groups[id]);
        let by_rule = groups.iter().any(|group| group.origin == Origin::Rules);
        let [a, b] = groups.map(|group| group.supported);
        by_rule || a == b
    }

    /// Whether `from` needs `to` by way of another group.
    fn leads_around(&self, from: GroupId, to: GroupId) -> bool {
        let first = self.groups[from].needs.iter().copied();
        let mut open: Vec<_> = first.filter(|&id| id != to).collect();
        let mut seen: BTreeSet<_> = open.iter().copied().collect();
        while let Some(id) = open.pop() {
            for &needed in &self.groups[id].needs {
                if needed == to {
                    return true;
                }
                if seen.insert(needed) {
                    open.push(needed);
                }
            }
        }
        false
    }

    /// A group and all it needs, directly or not, sorted.
    pub fn closure(&self, id: GroupId) -> Vec<GroupId> {
        self.reach(id, |group| &group.needs)
    }

    /// A group and all that need it, directly or not, sorted.
    pub fn dependents(&self, id: GroupId) -> Vec<GroupId> {
        self.reach(id, |group| &group.users)
    }

    fn reach(&self, id: GroupId, next: impl Fn(&Group) -> &BTreeSet<GroupId>) -> Vec<GroupId> {
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let next = next(&self.groups[id]).iter().copied();
            open.extend(next.filter(|&id| seen.insert(id)));
        }
        seen.into_iter().collect()
    }

    /// All groups, each before those it needs. In this order modules that can share a package can
    /// be put together one by one: what would lie between two of them comes before the second.
    pub fn users_first(&self) -> Vec<GroupId> {
        toposort(&self.graph(), None).unwrap_or_else(|_| self.iter().map(|(id, _)| id).collect())
    }

    fn graph(&self) -> DiGraphMap<GroupId, ()> {
        let mut graph = DiGraphMap::new();
        for (id, group) in self.iter() {
            graph.add_node(id);
            for &needed in &group.needs {
                graph.add_edge(id, needed, ());
            }
        }
        graph
    }

    /// # Errors
    /// Groups need each other in a circle: told module by module.
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
        let told = self.tell(tree, names, &circle);
        let single = circle.iter().all(|&id| self.groups[id].members.len() == 1);
        Err(match single {
            true => PlanError::ModuleCycle(told),
            false => PlanError::PackageCycle(told),
        })
    }

    /// One circle through groups that all reach each other: forward until a group comes again.
    fn circle(&self, within: &BTreeSet<GroupId>) -> Vec<GroupId> {
        let mut path: Vec<GroupId> = Vec::new();
        let mut next = within.first().copied();
        while let Some(id) = next {
            if let Some(start) = path.iter().position(|&seen| seen == id) {
                return path.split_off(start);
            }
            path.push(id);
            next = self.groups[id].needs.intersection(within).next().copied();
        }
        path
    }

    /// `a: x needs y of b; b: …`.
    fn tell(&self, tree: &Tree, names: &BTreeMap<GroupId, String>, circle: &[GroupId]) -> String {
        let path = |id: ModuleId| tree.modules[id].file.path.as_str();
        let name = |id: GroupId| match (names.get(&id), &self.groups[id].members[..]) {
            (Some(name), _) => name.clone(),
            (None, [first, ..]) => tree.modules[*first].file.name.clone(),
            (None, []) => String::new(),
        };
        let next = circle.iter().cycle().skip(1);
        let steps = circle.iter().zip(next).map(|(&from, &to)| {
            let members = self.groups[from].members.iter();
            let needs = |&user: &ModuleId| {
                let needed = self.needs(user).iter();
                let needed = needed.copied().find(|&needed| self.of[needed] == Some(to));
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
