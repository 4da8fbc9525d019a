//! Decides which tags packages need because modules moved. The tags make an update of an installed
//! system bring the modules wherever they were before.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::Identity;
use crate::plan::{Departure, FormerPackage, Location, PackageId, Plan};

/// The tags that a package needs because modules moved. They are written in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoveTag {
    /// It obsoletes and provides a package that is gone, and has modules of it.
    Replaces {
        /// The stem of the package that is gone.
        stem: String,
        /// Version and release of the first build without the modules.
        since: String,
    },
    /// It conflicts with builds of a package that still had modules which it has now.
    TakesFrom {
        /// The stem of the other package.
        stem: String,
        /// Version and release of the first build without the modules.
        since: String,
    },
    /// It conflicts with builds of the image package that still had modules which it has now.
    TakesFromImage {
        /// Version and release of the first build without the modules.
        since: String,
    },
    /// It recommends the package that has modules which it had.
    Gives(PackageId),
    /// It requires the image package of its build, which has modules which it had.
    GivesToImage,
}

/// The tags that the packages of a plan need because modules moved.
///
/// Where kernels are installed side by side, a package that is gone stays as one without files. It
/// requires the packages that have its modules. Obsoletes would be wrong: libsolv honours them for
/// multiversion packages too, and would remove the package of another kernel. Where packages are
/// updated in place, the new package replaces the one that is gone.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    tags: BTreeMap<String, BTreeSet<MoveTag>>,
    /// The packages without files, by stem, and the packages that have their modules.
    pub emptied: BTreeMap<String, BTreeSet<PackageId>>,
}

impl Moves {
    /// Decides which tags the packages of a plan need.
    pub fn of(plan: &Plan, identity: &Identity) -> Self {
        let stems = plan.packages.values().map(|package| package.stem.as_str());
        let stems: BTreeSet<&str> = stems.collect();
        let mut moves = Self::default();
        for departure in &plan.departures {
            let since = departure.since.evr(&identity.evr);
            let FormerPackage::Stem(stem) = &departure.from else {
                moves.leave_image(plan, identity, departure, since);
                continue;
            };
            let modules = departure.modules.iter();
            let now: BTreeSet<Location> = modules.map(|&id| plan.location[id]).collect();
            for location in now {
                match stems.contains(stem.as_str()) {
                    true => moves.leave_package(plan, identity, stem, since, location),
                    false => moves.empty_package(plan, identity, stem, since, location),
                }
            }
        }
        moves
    }

    /// Modules left a package that still has others.
    fn leave_package(
        &mut self,
        plan: &Plan,
        identity: &Identity,
        stem: &str,
        since: &str,
        to: Location,
    ) {
        match to {
            Location::Package(id) => {
                self.add(stem, MoveTag::Gives(id));
                if !identity.is_multiversion() {
                    let (stem, since) = (stem.to_owned(), since.to_owned());
                    let to = &plan.packages[id].stem;
                    self.add(to, MoveTag::TakesFrom { stem, since });
                }
            }
            Location::Image if !identity.is_multiversion() => {
                self.add(stem, MoveTag::GivesToImage);
            }
            Location::Image | Location::Excluded => {}
        }
    }

    /// Modules left a package that is gone.
    fn empty_package(
        &mut self,
        plan: &Plan,
        identity: &Identity,
        stem: &str,
        since: &str,
        to: Location,
    ) {
        let stem = stem.to_owned();
        match to {
            Location::Package(id) if identity.is_multiversion() => {
                self.emptied.entry(stem).or_default().insert(id);
            }
            Location::Package(id) => {
                let since = since.to_owned();
                let to = &plan.packages[id].stem;
                self.add(to, MoveTag::Replaces { stem, since });
            }
            Location::Image => {
                self.emptied.entry(stem).or_default();
            }
            Location::Excluded => {}
        }
    }

    /// Modules left the image package. It does not recommend the packages that have them now: whoever
    /// has the image package is not meant to have all of those.
    fn leave_image(
        &mut self,
        plan: &Plan,
        identity: &Identity,
        departure: &Departure,
        since: &str,
    ) {
        if identity.is_multiversion() {
            return;
        }
        for id in departure
            .modules
            .iter()
            .filter_map(|&id| plan.package_of(id))
        {
            let since = since.to_owned();
            let stem = &plan.packages[id].stem;
            self.add(stem, MoveTag::TakesFromImage { since });
        }
    }

    /// The tags of the package `stem`.
    pub fn tags(&self, stem: &str) -> impl Iterator<Item = &MoveTag> {
        self.tags.get(stem).into_iter().flatten()
    }

    fn add(&mut self, stem: &str, tag: MoveTag) {
        self.tags.entry(stem.to_owned()).or_default().insert(tag);
    }
}
