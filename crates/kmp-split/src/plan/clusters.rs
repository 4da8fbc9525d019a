//! Merges groups of one area of the kernel while the policy wants fewer packages.
//!
//! The pair with the lowest cost is merged first. The cost is the extra bytes a machine would get,
//! times the probability that it wants one group but not the other, plus what a package costs by
//! itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use modtree::Tree;
use policy::Grouping;

use super::directories::{area, common_directory, distance};
use super::groups::{Group, GroupId, GroupOrigin, Groups};
use super::likelihood::Likelihood;
use super::model::PlacementReason;

/// What one more package costs, in bytes: its header, its metadata and a line in every list.
const PACKAGE: f64 = 300.0;

/// By which part the cost of a union grows for each level between the directories of its groups.
const DISTANCE: f64 = 0.5;

/// About how many pairs of an area are considered. The largest areas of kernels have 400 groups.
const PAIRS: usize = 512 * 512;

/// How many neighbours on either side of a group are considered, however large the area is.
const NEAREST: usize = 32;

/// How many neighbours of a group, by path, are considered on either side. In areas as kernels have
/// them these are all groups. In larger areas there are fewer, since the number of pairs grows with
/// the square of the size.
fn reach(area: usize) -> usize {
    (PAIRS / area.max(1)).max(NEAREST)
}

/// The groups that are left, and the unions to consider.
pub struct Clusters<'g, 't> {
    groups: &'g mut Groups<'t>,
    likelihood: Likelihood,
    clusters: BTreeMap<GroupId, Cluster>,
    areas: BTreeMap<String, BTreeSet<GroupId>>,
    queue: BinaryHeap<Reverse<Union>>,
}

/// What a union needs to know of a group.
struct Cluster {
    directory: String,
    /// How many unions it has been through. Unions that were considered before are out of date.
    version: u32,
    /// The group and all that it needs.
    closure: Vec<GroupId>,
    /// The group and all that need it.
    dependents: Vec<GroupId>,
}

/// Two groups that could merge. The cost is a whole number, so that the order does not depend on the
/// last digit of a logarithm.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Union {
    cost: u64,
    groups: [GroupId; 2],
    versions: [u32; 2],
}

impl Union {
    fn is_current(&self, clusters: &BTreeMap<GroupId, Cluster>) -> bool {
        let versions = self
            .groups
            .map(|id| clusters.get(&id).map(|cluster| cluster.version));
        versions == self.versions.map(Some)
    }
}

impl<'g, 't> Clusters<'g, 't> {
    pub fn new(tree: &Tree, groups: &'g mut Groups<'t>, likelihood: Likelihood) -> Self {
        let mut areas: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut clusters = BTreeMap::new();
        for (id, group) in groups.iter() {
            let directory = common_directory(tree, group);
            areas.entry(area(directory)).or_default().insert(id);
            let cluster = Cluster {
                directory: directory.to_owned(),
                version: 0,
                closure: groups.closure(id),
                dependents: groups.dependents(id),
            };
            clusters.insert(id, cluster);
        }
        Self {
            groups,
            likelihood,
            clusters,
            areas,
            queue: BinaryHeap::new(),
        }
    }

    /// Merges groups until there are as few as the policy wants, or no two may merge.
    pub fn merge(mut self, grouping: &Grouping) {
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
            for (index, &a) in area.iter().enumerate() {
                for &b in area.iter().skip(index + 1).take(reach) {
                    self.consider(a, b, grouping);
                }
            }
        }
        let mut tidied = count;
        while count > *grouping.packages.end() {
            let Some(Reverse(union)) = self.queue.pop() else {
                return;
            };
            if union.is_current(&self.clusters) && self.is_still_cheapest(&union) {
                let mut groups = union.groups;
                // A group that an earlier plan named keeps its name.
                groups.sort_by_key(|&id| Reverse(self.groups.get(id).origin));
                let [a, b] = groups;
                if self.groups.may_merge(a, b) {
                    self.unite(a, b, grouping);
                    count -= 1;
                    // Most unions in the queue are about groups that changed or are gone.
                    if count < tidied - tidied / 4 {
                        let clusters = &self.clusters;
                        self.queue
                            .retain(|Reverse(union)| union.is_current(clusters));
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
        let free = origins.contains(&GroupOrigin::Free)
            && !origins.contains(&GroupOrigin::Rules)
            && first.class == second.class;
        if fits && free {
            self.queue.extend(self.union(a, b).map(Reverse));
        }
    }

    /// Whether no other union costs less. Groups change while a union is in the queue, so its cost may
    /// have grown.
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
        if let Some(cluster) = self.clusters.get_mut(&id) {
            cluster.closure = self.groups.closure(id);
            cluster.dependents = self.groups.dependents(id);
        }
    }

    fn unite(&mut self, a: GroupId, b: GroupId, grouping: &Grouping) {
        self.groups.merge_for(a, b, PlacementReason::Near);
        let Some(gone) = self.clusters.remove(&b) else {
            return;
        };
        self.refresh(a);
        let Some(cluster) = self.clusters.get_mut(&a) else {
            return;
        };
        cluster.version += 1;
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
        let (first, second) = (self.clusters.get(&a)?, self.clusters.get(&b)?);
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

    /// The probability that a machine wants `this` and not `other`.
    fn wanted_alone(&self, this: &Cluster, other: &Cluster) -> f64 {
        let members = |id: &GroupId| self.groups.get(*id).members.iter().copied();
        let others = other.dependents.iter().flat_map(members);
        let alone = this.dependents.iter();
        let alone = alone.filter(|id| other.dependents.binary_search(id).is_err());
        let none_of_others = self.likelihood.none_of(others).exp();
        none_of_others * -self.likelihood.none_of(alone.flat_map(members)).exp_m1()
    }

    /// The sum over the groups that are in `these` and not in `others`.
    fn only(&self, these: &[GroupId], others: &[GroupId], of: impl Fn(&Group) -> u64) -> u64 {
        let only = these.iter().filter(|id| others.binary_search(id).is_err());
        only.map(|&id| of(self.groups.get(id))).sum()
    }
}
