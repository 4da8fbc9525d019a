//! An earlier plan: modules stay in the packages it had them in.

use std::collections::BTreeMap;

use modtree::{ModuleId, Tree};

use super::groups::{GroupId, Groups, Origin};
use super::package::{Location, Plan, Why};

/// Where an earlier plan had each module.
#[derive(Clone, Debug, Default)]
pub struct Previous {
    /// The package of each module, by its path without `.ko`; none if that was the image.
    pub homes: BTreeMap<String, Option<Home>>,
    /// How it grouped what no rule claimed.
    pub grouping: String,
    /// What left packages before.
    pub left: Vec<LeftBefore>,
}

/// A package of an earlier plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Its stem.
    pub stem: String,
    /// Whether it was one for unsupported modules alone, which its name says.
    pub unsupported: bool,
}

/// Modules that left a package in an earlier build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBefore {
    /// Stem of the package; none if that was the image.
    pub stem: Option<String>,
    /// The version and release of the package that was the first without them.
    pub since: String,
    /// Their paths without `.ko`.
    pub modules: Vec<String>,
}

/// Modules that a package had once and another one has now, so that who installed the one needs
/// the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Stem of the package they left, which need not exist any more; none if that was the image.
    pub stem: Option<String>,
    /// The version and release of the package that was the first without them; none if that is
    /// this build.
    pub since: Option<String>,
    /// The modules.
    pub modules: Vec<ModuleId>,
}

/// A module that is elsewhere than in the earlier plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The module.
    pub module: ModuleId,
    /// Stem of the package that had it; none if that was the image.
    pub from: Option<String>,
    /// Where it is now.
    pub to: Location,
}

impl Previous {
    /// Joins the modules that shared a package and that no rule claims now, and names their groups.
    /// One that would close a circle is left for the grouping.
    pub(super) fn gather(
        &self,
        tree: &Tree,
        groups: &mut Groups<'_>,
        names: &mut BTreeMap<GroupId, String>,
    ) {
        let named = names.iter().map(|(&id, name)| (name.clone(), id));
        let mut by_stem: BTreeMap<String, GroupId> = named.collect();
        // What needs a set by way of another module of its package can join only after that one.
        while self.join(tree, groups, names, &mut by_stem) {}
    }

    /// Lets modules join one by one; whether any did.
    fn join(
        &self,
        tree: &Tree,
        groups: &mut Groups<'_>,
        names: &mut BTreeMap<GroupId, String>,
        by_stem: &mut BTreeMap<String, GroupId>,
    ) -> bool {
        let mut joined = false;
        for id in groups.users_first() {
            let group = groups.get(id);
            let (Origin::Free, Some(&member)) = (group.origin, group.members.first()) else {
                continue;
            };
            let Some(Home { stem, unsupported }) = self.home(tree, member) else {
                continue;
            };
            match by_stem.get(stem) {
                None if *unsupported != (group.supported == Some(false)) => continue,
                None => {
                    by_stem.insert(stem.to_owned(), id);
                    names.insert(id, stem.to_owned());
                    groups.set_origin(id, Origin::Previous);
                }
                Some(&package) if groups.may_merge(package, id) => {
                    groups.merge(package, id);
                    joined = true;
                }
                Some(_) => continue,
            }
            groups.why[member] = Why::Previous;
        }
        joined
    }

    /// The package a module was in, other than the image.
    fn home(&self, tree: &Tree, module: ModuleId) -> Option<&Home> {
        let path = tree.modules[module].file.plain_path();
        self.homes.get(path)?.as_ref()
    }

    /// All that ever left a package and is in another one now.
    pub(super) fn left(&self, tree: &Tree, plan: &Plan) -> Vec<Left> {
        let elsewhere = |module: ModuleId, from: Option<&str>| match plan.location[module] {
            Location::Package(id) => Some(plan.packages[id].stem.as_str()) != from,
            Location::Image => from.is_some(),
            Location::Excluded => false,
        };
        let by_path: BTreeMap<_, _> = tree
            .modules
            .iter()
            .map(|(id, record)| (record.file.plain_path(), id))
            .collect();
        let before = self.left.iter().map(|left| Left {
            stem: left.stem.clone(),
            since: Some(left.since.clone()),
            modules: left
                .modules
                .iter()
                .filter_map(|path| by_path.get(path.as_str()).copied())
                .collect(),
        });
        let mut now: BTreeMap<Option<&String>, Vec<ModuleId>> = BTreeMap::new();
        for moved in &plan.moved {
            now.entry(moved.from.as_ref())
                .or_default()
                .push(moved.module);
        }
        let now = now.into_iter().map(|(stem, modules)| Left {
            stem: stem.cloned(),
            since: None,
            modules,
        });
        before
            .chain(now)
            .map(|mut left| {
                left.modules
                    .retain(|&module| elsewhere(module, left.stem.as_deref()));
                left
            })
            .filter(|left| !left.modules.is_empty())
            .collect()
    }

    /// The modules that are elsewhere now.
    pub(super) fn moved(&self, tree: &Tree, plan: &Plan) -> Vec<Moved> {
        let moved = |module: ModuleId| {
            let path = tree.modules[module].file.plain_path();
            let from = self.homes.get(path)?.as_ref().map(|home| &home.stem);
            let to = plan.location[module];
            let stayed = match (from, to) {
                (None, Location::Image) => true,
                (Some(stem), Location::Package(id)) => plan.packages[id].stem == *stem,
                _ => false,
            };
            (!stayed).then(|| Moved {
                module,
                from: from.cloned(),
                to,
            })
        };
        tree.modules.ids().filter_map(moved).collect()
    }
}
