//! Keeps modules in the packages in which an earlier plan had them.

use std::collections::BTreeMap;

use modtree::{ModuleId, Tree};

use super::groups::{GroupId, GroupOrigin, Groups, SupportClass};
use super::model::{FormerPackage, PlacementReason};

/// What the next plan has to know of an earlier one.
#[derive(Clone, Debug, Default)]
pub struct PreviousPlan {
    /// Where each module was, by its path without `.ko`.
    pub locations: BTreeMap<String, PreviousLocation>,
    /// How modules that no rule claimed were grouped, as the policy spells it.
    pub grouping: String,
    /// The modules that had left packages by then.
    pub departures: Vec<PreviousDeparture>,
}

/// Where an earlier plan had a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreviousLocation {
    /// In the image package.
    Image,
    /// In a kernel module package.
    Package(PreviousPackage),
}

/// A kernel module package of an earlier plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousPackage {
    /// What the naming templates call `{name}`.
    pub stem: String,
    /// Whether it had unsupported modules alone and a name that says so.
    pub apart: bool,
}

/// Modules that left a package in an earlier build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousDeparture {
    /// The package that had them.
    pub from: FormerPackage,
    /// Version and release of the first build without them.
    pub since: String,
    /// Their paths without `.ko`.
    pub modules: Vec<String>,
}

/// The names of groups, and the groups by name.
struct GroupNames<'n> {
    by_group: &'n mut BTreeMap<GroupId, String>,
    by_stem: BTreeMap<String, GroupId>,
}

impl PreviousPlan {
    /// Joins the modules that shared a package and that no rule claims now, and names their groups.
    /// A module that would close a circle is left to the grouping.
    pub(super) fn gather(
        &self,
        tree: &Tree,
        groups: &mut Groups<'_>,
        names: &mut BTreeMap<GroupId, String>,
    ) {
        let named = names.iter().map(|(&id, name)| (name.clone(), id));
        let by_stem = named.collect();
        let by_group = names;
        let mut names = GroupNames { by_group, by_stem };
        // A module that needs a set through another module of its package can only join after that
        // one has.
        while self.join(tree, groups, &mut names) {}
    }

    /// Lets modules join one by one, and returns whether any did.
    fn join(&self, tree: &Tree, groups: &mut Groups<'_>, names: &mut GroupNames<'_>) -> bool {
        let mut joined = false;
        for id in groups.users_first() {
            let group = groups.get(id);
            let (GroupOrigin::Free, Some(&member)) = (group.origin, group.members.first()) else {
                continue;
            };
            let Some(PreviousPackage { stem, apart }) = self.package(tree, member) else {
                continue;
            };
            match names.by_stem.get(stem) {
                None if *apart != (group.class == SupportClass::Unsupported) => continue,
                None => {
                    names.by_stem.insert(stem.clone(), id);
                    names.by_group.insert(id, stem.clone());
                    groups.set_origin(id, GroupOrigin::Previous);
                }
                Some(&package) if groups.may_merge(package, id) => {
                    groups.merge(package, id);
                    joined = true;
                }
                Some(_) => continue,
            }
            groups.reasons[member] = PlacementReason::Previous;
        }
        joined
    }

    /// The kernel module package that had a module.
    fn package(&self, tree: &Tree, module: ModuleId) -> Option<&PreviousPackage> {
        let path = tree.modules[module].file.plain_path();
        match self.locations.get(path)? {
            PreviousLocation::Image => None,
            PreviousLocation::Package(package) => Some(package),
        }
    }
}
