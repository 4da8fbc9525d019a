//! Groups of modules, each of which becomes a package. Groups never need each other in a circle.
//!
//! At first each module is a group of its own. Merging two groups keeps what they need up to date.

use std::collections::{BTreeMap, BTreeSet};

use id_table::{Table, id};
use modtree::{ModuleId, Resolution, Tree};
use petgraph::algo::toposort;
use petgraph::graphmap::DiGraphMap;

use super::claims::{Claim, Claims};
use super::model::PlacementReason;
use crate::reach::reachable;

id! {
    /// A group. Once it is merged into another one it has no members.
    GroupId
}

/// Who decides what is in a group. When two groups merge, the greater origin remains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupOrigin {
    /// Nobody has decided yet.
    #[default]
    Free,
    /// An earlier plan.
    Previous,
    /// The policy.
    Rules,
}

/// Which modules may join a group, as far as support decides that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SupportClass {
    /// All of them: the policy does not keep unsupported modules apart.
    #[default]
    Any,
    /// Unsupported modules alone.
    Unsupported,
    /// Supported modules alone.
    Supported,
}

/// Modules that share a package.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its modules, sorted. There are none if it was merged into another group.
    pub members: Vec<ModuleId>,
    /// The groups it needs.
    pub needs: BTreeSet<GroupId>,
    /// The groups that need it.
    pub users: BTreeSet<GroupId>,
    /// Bytes of its modules in memory.
    pub size: u64,
    /// Who decides what is in it.
    pub origin: GroupOrigin,
    /// Whether supported or unsupported modules may join it.
    pub class: SupportClass,
    /// If the group is a set: the modules that the set excepts.
    pub excepted: BTreeSet<ModuleId>,
}

/// All groups, and why each module is where it is.
#[derive(Clone, Debug)]
pub struct Groups<'t> {
    resolution: &'t Resolution,
    groups: Table<GroupId, Group>,
    of: Table<ModuleId, Option<GroupId>>,
    /// Why each module is where it is.
    pub reasons: Table<ModuleId, PlacementReason>,
}

impl<'t> Groups<'t> {
    /// Makes a group of each module that is not in the image package and not excluded. `apart` says
    /// whether the policy keeps unsupported modules apart.
    pub fn new(tree: &Tree, resolution: &'t Resolution, claims: &Claims, apart: bool) -> Self {
        let class = |id: ModuleId| match (apart, claims.supported[id]) {
            (false, _) => SupportClass::Any,
            (true, true) => SupportClass::Supported,
            (true, false) => SupportClass::Unsupported,
        };
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
                    class: class(id),
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
            reasons: claims.claims.map(|(_, claim)| claim.reason()),
        }
    }

    /// The group of a module. Modules of the image package and excluded ones have none.
    pub fn of(&self, module: ModuleId) -> Option<GroupId> {
        self.of[module]
    }

    /// The group with this id.
    pub fn get(&self, id: GroupId) -> &Group {
        &self.groups[id]
    }

    /// All groups that have members.
    pub fn iter(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        self.groups
            .iter()
            .filter(|(_, group)| !group.members.is_empty())
    }

    /// How many groups have members.
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// Sets who decides what is in a group.
    pub fn set_origin(&mut self, id: GroupId, origin: GroupOrigin) {
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

    /// Joins the modules of each set, and of each package that a rule names. Returns the names of
    /// these groups.
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
                    self.set_origin(group, GroupOrigin::Rules);
                    let excepted = claims.excepted.get(name).cloned();
                    self.groups[group].excepted = excepted.unwrap_or_default();
                }
            }
        }
        let names = by_name.into_iter();
        names.map(|(name, id)| (id, name.to_owned())).collect()
    }

    /// Moves the members of `from` to `into`.
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

    /// Merges `from` into `into`. For members that no rule claims, `reason` is why they are there.
    pub fn merge_for(&mut self, into: GroupId, from: GroupId, reason: PlacementReason) {
        let joined = [into, from].map(|id| self.groups[id].members.clone());
        for member in joined.into_iter().flatten() {
            if matches!(
                self.reasons[member],
                PlacementReason::Alone | PlacementReason::SameNeeds
            ) {
                self.reasons[member] = reason.clone();
            }
        }
        self.merge(into, from);
    }

    /// Whether two groups may share a package. No rule may forbid it, and no third group may lie
    /// between them, because that would close a circle.
    pub fn may_merge(&self, a: GroupId, b: GroupId) -> bool {
        self.rules_allow(a, b) && !self.leads_around(a, b) && !self.leads_around(b, a)
    }

    /// Whether the rules allow that two groups share a package. They forbid it if one group is a set
    /// that excepts a module of the other, or if only one of them is supported.
    pub fn rules_allow(&self, a: GroupId, b: GroupId) -> bool {
        self.class_allows(a, b) && !self.excepts(a, b) && !self.excepts(b, a)
    }

    fn excepts(&self, set: GroupId, other: GroupId) -> bool {
        let excepted = &self.groups[set].excepted;
        let mut members = self.groups[other].members.iter();
        members.any(|member| excepted.contains(member))
    }

    /// Whether support allows that two groups share a package. It does if a rule made one of them:
    /// rules may put supported and unsupported modules together.
    fn class_allows(&self, a: GroupId, b: GroupId) -> bool {
        let groups = [a, b].map(|id| &self.groups[id]);
        let by_rule = groups
            .iter()
            .any(|group| group.origin == GroupOrigin::Rules);
        let [a, b] = groups.map(|group| group.class);
        by_rule || a == b
    }

    /// Whether `from` needs `to` through another group.
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

    /// A group and all that it needs, directly or not, sorted.
    pub fn closure(&self, id: GroupId) -> Vec<GroupId> {
        let needs = |id| self.groups[id].needs.iter().copied();
        reachable([id], needs).into_iter().collect()
    }

    /// A group and all that need it, directly or not, sorted.
    pub fn dependents(&self, id: GroupId) -> Vec<GroupId> {
        let users = |id| self.groups[id].users.iter().copied();
        reachable([id], users).into_iter().collect()
    }

    /// All groups, each before those that it needs. In this order groups that may share a package can
    /// be merged one by one: whatever lies between two of them comes before the second.
    pub fn users_first(&self) -> Vec<GroupId> {
        toposort(&self.graph(), None).unwrap_or_else(|_| self.iter().map(|(id, _)| id).collect())
    }

    /// Which group needs which.
    pub fn graph(&self) -> DiGraphMap<GroupId, ()> {
        let mut graph = DiGraphMap::new();
        for (id, group) in self.iter() {
            graph.add_node(id);
            for &needed in &group.needs {
                graph.add_edge(id, needed, ());
            }
        }
        graph
    }
}
