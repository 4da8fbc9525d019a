//! Groups modules that no rule claims, without a list of sets.
//!
//! 1. A helper, which nothing can ask for by an alias and only one group needs, joins that group.
//! 2. Small modules of one directory that need exactly the same others join: whoever installs one
//!    gets no dependency for the other.
//! 3. While there are more groups than the policy allows, the two of one area of the kernel join
//!    whose union costs least: the bytes a machine gets on top, times how likely it is that it
//!    wants the one without the other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use id_table::Table;
use modtree::{ModuleId, Tree};
use policy::Grouping;

use super::groups::{Group, GroupId, Groups, Origin};
use super::likelihood::Likelihood;
use super::package::Why;

/// Of the bytes a package may have, those that modules of equal needs are joined up to.
const SIBLINGS: u64 = 64;

/// What one more package costs: its header and metadata, and a line in every list, in bytes.
const PACKAGE: f64 = 300.0;

/// How much dearer a union is for each directory that its parts lie apart.
const DISTANCE: f64 = 0.5;

/// About as many pairs of an area are considered; the largest areas of kernels have 400 groups.
const PAIRS: usize = 512 * 512;

/// Groups on either side of one that are considered however large the area is.
const NEAREST: usize = 32;

/// Joins groups until there are as many as the policy allows.
pub fn gather(
    tree: &Tree,
    groups: &mut Groups<'_>,
    grouping: &Grouping,
    hardware: &Table<ModuleId, bool>,
) {
    absorb_helpers(tree, groups);
    join_siblings(tree, groups, grouping);
    absorb_helpers(tree, groups);
    Clusters::new(tree, groups, Likelihood::new(tree, hardware)).join(grouping);
    absorb_helpers(tree, groups);
}

fn absorb_helpers(tree: &Tree, groups: &mut Groups<'_>) {
    let is_helper = |group: &Group| {
        let mut members = group.members.iter();
        group.origin == Origin::Free && members.all(|&id| tree.modules[id].aliases.is_empty())
    };
    let mut open: BTreeSet<GroupId> = groups.iter().map(|(id, _)| id).collect();
    while let Some(id) = open.pop_first() {
        let group = groups.get(id);
        let mut users = group.users.iter();
        let (Some(&user), None) = (users.next(), users.next()) else {
            continue;
        };
        if group.members.is_empty() || !is_helper(group) || !groups.rules_allow(id, user) {
            continue;
        }
        // What the helper needs may be a helper with one user less now.
        open.extend(group.needs.iter().copied());
        for &member in &group.members.clone() {
            if matches!(groups.why[member], Why::Alone) {
                groups.why[member] = Why::Helper;
            }
        }
        groups.merge(user, id);
    }
}

fn join_siblings(tree: &Tree, groups: &mut Groups<'_>, grouping: &Grouping) {
    let largest = grouping.largest / SIBLINGS;
    let mut spare = groups.count().saturating_sub(*grouping.packages.start());
    let mut kin: BTreeMap<_, Vec<GroupId>> = BTreeMap::new();
    let open = groups
        .iter()
        .filter(|(_, group)| group.origin != Origin::Rules);
    for (id, group) in open {
        let directory = common_directory(tree, group);
        let needs: Vec<_> = group.needs.iter().copied().collect();
        kin.entry((directory, needs, group.supported))
            .or_default()
            .push(id);
    }
    for (_, mut kin) in kin {
        kin.sort_by_key(|&id| {
            let group = groups.get(id);
            (Reverse(group.origin), group.size, id)
        });
        let mut packages: Vec<GroupId> = Vec::new();
        for id in kin {
            let group = groups.get(id);
            let fits = |into: &&GroupId| groups.get(**into).size + group.size <= largest;
            let free = group.origin == Origin::Free;
            match packages.iter().find(fits).filter(|_| free && spare > 0) {
                Some(&into) => {
                    join(groups, into, id, Why::SameNeeds);
                    spare -= 1;
                }
                None => packages.push(id),
            }
        }
    }
}

fn join(groups: &mut Groups<'_>, into: GroupId, from: GroupId, why: Why) {
    let joined = [into, from].map(|id| groups.get(id).members.clone());
    for member in joined.into_iter().flatten() {
        if matches!(groups.why[member], Why::Alone | Why::SameNeeds) {
            groups.why[member] = why.clone();
        }
    }
    groups.merge(into, from);
}

/// The directory that has all modules of a group.
pub fn common_directory<'t>(tree: &'t Tree, group: &Group) -> &'t str {
    let mut directories = group
        .members
        .iter()
        .map(|&id| tree.modules[id].file.directory());
    let first = directories.next().unwrap_or_default();
    directories.fold(first, |common, directory| {
        let equal = common.split('/').zip(directory.split('/'));
        let equal: usize = equal
            .take_while(|(a, b)| a == b)
            .map(|(part, _)| part.len() + 1)
            .sum();
        common.get(..equal.saturating_sub(1)).unwrap_or(common)
    })
}

/// The part of the kernel a directory belongs to; modules of different parts do not join.
fn area(directory: &str) -> String {
    let inside = directory.strip_prefix("kernel/").unwrap_or(directory);
    let parts: Vec<_> = inside.split('/').collect();
    let depth = match parts.first() {
        Some(&"drivers" | &"arch") => 2,
        _ => 1,
    };
    parts.into_iter().take(depth).collect::<Vec<_>>().join("/")
}

/// How many directories two lie apart: from the deeper one up to their common one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.split('/').collect(), b.split('/').collect());
    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    a.len().max(b.len()) - common
}

/// How many groups on either side of one, by path, may join it: all in an area such as kernels
/// have, fewer in a larger one, whose pairs would grow with the square of its size.
fn reach(area: usize) -> usize {
    (PAIRS / area.max(1)).max(NEAREST)
}

/// Groups on their way to becoming fewer.
struct Clusters<'g, 't> {
    groups: &'g mut Groups<'t>,
    likelihood: Likelihood,
    places: BTreeMap<GroupId, Place>,
    areas: BTreeMap<String, BTreeSet<GroupId>>,
    queue: BinaryHeap<Reverse<Union>>,
}

/// A group, what it brings and what brings it.
struct Place {
    directory: String,
    /// Counts its unions, so that those considered before are known to be out of date.
    version: u32,
    closure: Vec<GroupId>,
    dependents: Vec<GroupId>,
}

/// Two groups that could join. The cost is a whole number, so that the order does not hang on the
/// last digit of a logarithm.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Union {
    cost: u64,
    groups: [GroupId; 2],
    versions: [u32; 2],
}

impl Union {
    fn is_current(&self, places: &BTreeMap<GroupId, Place>) -> bool {
        let versions = self
            .groups
            .map(|id| places.get(&id).map(|place| place.version));
        versions == self.versions.map(Some)
    }
}

impl<'g, 't> Clusters<'g, 't> {
    fn new(tree: &Tree, groups: &'g mut Groups<'t>, likelihood: Likelihood) -> Self {
        let mut areas: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (id, group) in groups.iter() {
            let directory = common_directory(tree, group);
            areas.entry(area(directory)).or_default().insert(id);
            let place = Place {
                directory: directory.to_owned(),
                version: 0,
                closure: groups.closure(id),
                dependents: groups.dependents(id),
            };
            places.insert(id, place);
        }
        Self {
            groups,
            likelihood,
            places,
            areas,
            queue: BinaryHeap::new(),
        }
    }

    fn join(mut self, grouping: &Grouping) {
        let mut count = self.groups.count();
        if count <= *grouping.packages.end() {
            return;
        }
        let areas: Vec<Vec<GroupId>> = self
            .areas
            .values()
            .map(|area| area.iter().copied().collect())
            .collect();
        for area in areas {
            let reach = reach(area.len());
            for (place, &a) in area.iter().enumerate() {
                for &b in area.iter().skip(place + 1).take(reach) {
                    self.consider(a, b, grouping);
                }
            }
        }
        let mut tidied = count;
        while count > *grouping.packages.end() {
            let Some(Reverse(union)) = self.queue.pop() else {
                return;
            };
            if union.is_current(&self.places) && self.is_still_cheapest(&union) {
                let mut groups = union.groups;
                // One that an earlier plan has named keeps its name.
                groups.sort_by_key(|&id| Reverse(self.groups.get(id).origin));
                let [a, b] = groups;
                if self.groups.may_merge(a, b) {
                    self.unite(a, b, grouping);
                    count -= 1;
                    // Most unions wait with a group that has changed or gone since.
                    if count < tidied - tidied / 4 {
                        let places = &self.places;
                        self.queue.retain(|Reverse(union)| union.is_current(places));
                        tidied = count;
                    }
                }
            }
        }
    }

    fn consider(&mut self, a: GroupId, b: GroupId, grouping: &Grouping) {
        let [first, second] = [a, b].map(|id| self.groups.get(id));
        let fits = first.size + second.size <= grouping.largest;
        let origins = [first.origin, second.origin];
        let free = origins.contains(&Origin::Free)
            && !origins.contains(&Origin::Rules)
            && first.supported == second.supported;
        if fits && free {
            self.queue.extend(self.union(a, b).map(Reverse));
        }
    }

    /// Groups change while they wait, so a union may have become dearer than the next one.
    fn is_still_cheapest(&mut self, union: &Union) -> bool {
        for id in union.groups {
            self.refresh(id);
        }
        let [a, b] = union.groups;
        let Some(fresh) = self.union(a, b) else {
            return false;
        };
        let next = self.queue.peek();
        let cheapest = next.is_none_or(|Reverse(next)| fresh.cost <= next.cost);
        if !cheapest {
            self.queue.push(Reverse(fresh));
        }
        cheapest
    }

    fn refresh(&mut self, id: GroupId) {
        if let Some(place) = self.places.get_mut(&id) {
            place.closure = self.groups.closure(id);
            place.dependents = self.groups.dependents(id);
        }
    }

    fn unite(&mut self, a: GroupId, b: GroupId, grouping: &Grouping) {
        join(self.groups, a, b, Why::Near);
        let Some(gone) = self.places.remove(&b) else {
            return;
        };
        self.refresh(a);
        let Some(place) = self.places.get_mut(&a) else {
            return;
        };
        place.version += 1;
        let area = area(&gone.directory);
        let Some(others) = self.areas.get_mut(&area) else {
            return;
        };
        others.remove(&b);
        let reach = reach(others.len());
        let before = others.range(..a).rev().take(reach);
        let after = others.range(a..).skip(1).take(reach);
        let others: Vec<_> = before.chain(after).copied().collect();
        for other in others {
            self.consider(a.min(other), a.max(other), grouping);
        }
    }

    fn union(&self, a: GroupId, b: GroupId) -> Option<Union> {
        let (first, second) = (self.places.get(&a)?, self.places.get(&b)?);
        let [only_a, only_b] = [(first, second), (second, first)]
            .map(|(this, other)| self.only(&this.closure, &other.closure, |group| group.size));
        let extra = self.wanted_alone(first, second) * only_b as f64
            + self.wanted_alone(second, first) * only_a as f64;
        let apart = distance(&first.directory, &second.directory) as f64;
        let cost = (extra + PACKAGE) * (1.0 + DISTANCE * apart);
        Some(Union {
            cost: cost.round() as u64,
            groups: [a, b],
            versions: [first.version, second.version],
        })
    }

    /// The chance that a machine wants `this` and not `other`.
    fn wanted_alone(&self, this: &Place, other: &Place) -> f64 {
        let members = |id: &GroupId| self.groups.get(*id).members.iter().copied();
        let others = other.dependents.iter().flat_map(members);
        let alone = this.dependents.iter();
        let alone = alone.filter(|id| other.dependents.binary_search(id).is_err());
        let none_of_others = self.likelihood.none_of(others).exp();
        none_of_others * -self.likelihood.none_of(alone.flat_map(members)).exp_m1()
    }

    fn only(&self, these: &[GroupId], others: &[GroupId], of: impl Fn(&Group) -> u64) -> u64 {
        let only = these.iter().filter(|id| others.binary_search(id).is_err());
        only.map(|&id| of(self.groups.get(id))).sum()
    }
}
