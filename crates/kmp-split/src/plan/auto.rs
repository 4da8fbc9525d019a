//! Groups modules that no rule claims by what they need and how likely machines want them.
//!
//! 1. A helper joins the only group that needs it. A helper is a group without aliases, so that
//!    nothing asks for it by itself. As for other groups, both are of one part of the kernel and
//!    together not larger than the policy wants, unless the other group is one of a rule.
//! 2. Small modules of one directory that need exactly the same others join. Whoever installs one
//!    of them gets no dependency for the others.
//! 3. While there are more groups than the policy allows, `clusters` merges the pair with the
//!    lowest cost: the extra bytes a machine would get, times the probability that it wants one
//!    group but not the other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use id_table::Table;
use modtree::{ModuleId, Tree};
use policy::Grouping;

use super::clusters::Clusters;
use super::directories::{area, common_directory};
use super::groups::{Group, GroupId, GroupOrigin, Groups};
use super::likelihood::Likelihood;
use super::model::PlacementReason;
use super::obstacles::unmet;

/// Modules with equal needs join up to this fraction of the largest size of a package.
const SIBLINGS: u64 = 64;

/// Merges groups until there are as few as the policy wants. Returns a warning if there are more, or
/// if there are fewer.
pub fn gather(
    tree: &Tree,
    groups: &mut Groups<'_>,
    grouping: &Grouping,
    hardware: &Table<ModuleId, bool>,
) -> Option<String> {
    let before = groups.count();
    absorb_helpers(tree, groups, grouping);
    join_siblings(tree, groups, grouping);
    absorb_helpers(tree, groups, grouping);
    Clusters::new(tree, groups, Likelihood::new(tree, hardware)).merge(grouping);
    absorb_helpers(tree, groups, grouping);
    unmet(tree, groups, grouping, before)
}

fn absorb_helpers(tree: &Tree, groups: &mut Groups<'_>, grouping: &Grouping) {
    let is_helper = |group: &Group| {
        let mut members = group.members.iter();
        group.origin == GroupOrigin::Free && members.all(|&id| tree.modules[id].aliases.is_empty())
    };
    let mut open: BTreeSet<GroupId> = groups.iter().map(|(id, _)| id).collect();
    while let Some(id) = open.pop_first() {
        let group = groups.get(id);
        let mut users = group.users.iter();
        let (Some(&user), None) = (users.next(), users.next()) else {
            continue;
        };
        let allowed = !group.members.is_empty()
            && is_helper(group)
            && groups.rules_allow(id, user)
            && may_hold(tree, groups.get(user), group, grouping);
        if !allowed {
            continue;
        }
        // The helper was a user of what it needs, which may be a helper now, too.
        open.extend(group.needs.iter().copied());
        for &member in &group.members.clone() {
            if matches!(groups.reasons[member], PlacementReason::Alone) {
                groups.reasons[member] = PlacementReason::Helper;
            }
        }
        groups.merge(user, id);
    }
}

/// Whether a group may take a helper. What a rule wants together may have any size and be anywhere.
fn may_hold(tree: &Tree, user: &Group, helper: &Group, grouping: &Grouping) -> bool {
    let [ours, its] = [user, helper].map(|group| area(common_directory(tree, group)));
    user.origin == GroupOrigin::Rules
        || (ours == its && user.size + helper.size <= grouping.largest)
}

fn join_siblings(tree: &Tree, groups: &mut Groups<'_>, grouping: &Grouping) {
    let largest = grouping.largest / SIBLINGS;
    let mut spare = groups.count().saturating_sub(*grouping.packages.start());
    let mut siblings: BTreeMap<_, Vec<GroupId>> = BTreeMap::new();
    let open = groups
        .iter()
        .filter(|(_, group)| group.origin != GroupOrigin::Rules);
    for (id, group) in open {
        let directory = common_directory(tree, group);
        let needs: Vec<_> = group.needs.iter().copied().collect();
        siblings
            .entry((directory, needs, group.class))
            .or_default()
            .push(id);
    }
    for (_, mut siblings) in siblings {
        siblings.sort_by_key(|&id| {
            let group = groups.get(id);
            (Reverse(group.origin), group.size, id)
        });
        let mut packages: Vec<GroupId> = Vec::new();
        for id in siblings {
            let group = groups.get(id);
            let fits = |into: &&GroupId| groups.get(**into).size + group.size <= largest;
            let free = group.origin == GroupOrigin::Free;
            match packages.iter().find(fits).filter(|_| free && spare > 0) {
                Some(&into) => {
                    groups.merge_for(into, id, PlacementReason::SameNeeds);
                    spare -= 1;
                }
                None => packages.push(id),
            }
        }
    }
}
