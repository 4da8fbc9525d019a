//! The plan: packages, and for each module where it is and why.

use std::collections::{BTreeMap, BTreeSet};

use id_table::{Table, id};
use modtree::{ModuleId, Tree};
use policy::{FileLine, Policy};

use super::claims::{Claim, Claims};
use super::groups::{GroupId, Groups};
use super::patterns::PatternPackage;
use super::previous::{Left, Moved};

id! {
    /// A package of a [`Plan`].
    PackageId
}

/// Which package has each module of a kernel.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The kernel module packages, by stem.
    pub packages: Table<PackageId, Package>,
    /// Where each module is.
    pub location: Table<ModuleId, Location>,
    /// Why it is there.
    pub why: Table<ModuleId, Why>,
    /// Whether hardware may ask for it.
    pub hardware: Table<ModuleId, bool>,
    /// Packages that require others.
    pub patterns: Vec<PatternPackage>,
    /// What changed since the previous plan.
    pub moved: Vec<Moved>,
    /// Modules that left packages, in this build or earlier.
    pub left: Vec<Left>,
    /// Rules that match nothing, and where symbols and `depends=` differ.
    pub warnings: Vec<String>,
}

/// A kernel module package.
#[derive(Clone, Debug)]
pub struct Package {
    /// What the naming template calls `{name}`.
    pub stem: String,
    /// One line, where a set has one.
    pub summary: Option<String>,
    /// A paragraph, where a set has one.
    pub description: Option<String>,
    /// Its modules, by path; at least one.
    pub modules: Vec<ModuleId>,
    /// The packages it needs, by stem.
    pub needs: Vec<PackageId>,
    /// Whether any of its modules is a supported one.
    pub supported: bool,
}

/// Where a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// In the image package.
    Image,
    /// In a kernel module package.
    Package(PackageId),
    /// Nowhere: a rule excludes it.
    Excluded,
}

/// Why a module is where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A rule keeps it in the image package.
    Base(FileLine),
    /// A module of the image package needs it.
    BaseNeeds(ModuleId),
    /// A set claims it.
    Set(String, FileLine),
    /// A rule names its package.
    Package(String, FileLine),
    /// A rule excludes it.
    Excluded(FileLine),
    /// The previous plan had it there.
    Previous,
    /// It lies in that directory.
    Directory(String),
    /// Nothing can ask for it, and only this package needs it.
    Helper,
    /// Small, and others of its directory need the same modules.
    SameNeeds,
    /// Small, and cheap to have along with others nearby.
    Near,
    /// Its package has no other module, or only its helpers.
    Alone,
}

impl Why {
    pub(super) fn of_claim(claim: &Claim) -> Self {
        match claim.clone() {
            Claim::Base(place) => Self::Base(place),
            Claim::BaseNeeds(user) => Self::BaseNeeds(user),
            Claim::Set(name, place) => Self::Set(name, place),
            Claim::Package(name, place) => Self::Package(name, place),
            Claim::Excluded(place) => Self::Excluded(place),
            Claim::Unclaimed => Self::Alone,
        }
    }
}

impl Plan {
    /// The modules of the image package, by path.
    pub fn image(&self) -> impl Iterator<Item = ModuleId> {
        self.at(Location::Image)
    }

    /// The modules no package has, by path.
    pub fn excluded(&self) -> impl Iterator<Item = ModuleId> {
        self.at(Location::Excluded)
    }

    fn at(&self, location: Location) -> impl Iterator<Item = ModuleId> {
        let all = self.location.iter();
        all.filter(move |(_, at)| **at == location)
            .map(|(id, _)| id)
    }

    /// The package of a module.
    pub fn package_of(&self, module: ModuleId) -> Option<PackageId> {
        match self.location[module] {
            Location::Package(package) => Some(package),
            Location::Image | Location::Excluded => None,
        }
    }
}

/// Makes packages of named groups.
pub(super) fn assemble(
    tree: &Tree,
    policy: &Policy,
    claims: Claims,
    groups: Groups<'_>,
    names: BTreeMap<GroupId, String>,
) -> Plan {
    let by_stem: BTreeMap<String, GroupId> =
        names.into_iter().map(|(id, name)| (name, id)).collect();
    let ids: BTreeMap<GroupId, PackageId> = by_stem
        .values()
        .zip(0..)
        .map(|(&group, place)| (group, id_table::Id::from_index(place)))
        .collect();
    let set = |stem: &str| policy.sets.iter().find(|set| set.name == stem);
    let packages = by_stem.into_iter().map(|(stem, id)| {
        let group = groups.get(id);
        let needs: BTreeSet<_> = group.needs.iter().filter_map(|id| ids.get(id)).collect();
        Package {
            summary: set(&stem).and_then(|set| set.summary.clone()),
            description: set(&stem).and_then(|set| set.description.clone()),
            modules: group.members.clone(),
            needs: needs.into_iter().copied().collect(),
            supported: group.members.iter().any(|&id| claims.supported[id]),
            stem,
        }
    });
    let packages = packages.collect();
    let location = tree.modules.map(|(id, _)| {
        let package = groups.of(id).and_then(|group| ids.get(&group));
        match (package, &claims.claims[id]) {
            (Some(&package), _) => Location::Package(package),
            (None, Claim::Excluded(_)) => Location::Excluded,
            (None, _) => Location::Image,
        }
    });
    Plan {
        packages,
        location,
        why: groups.why,
        hardware: claims.hardware,
        patterns: Vec::new(),
        moved: Vec::new(),
        left: Vec::new(),
        warnings: claims.warnings,
    }
}
