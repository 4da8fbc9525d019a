//! Modules that left packages in, what the packages must say about it out, so that an update of an
//! installed system brings them where they were.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::Identity;
use crate::plan::{Left, Location, PackageId, Plan};

/// What a package has to say about another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Obsoletes and provides a package that is no more.
    Replaces {
        /// Stem of that package.
        stem: String,
        /// The first version and release without the modules.
        since: String,
    },
    /// Conflicts with builds of a package that still had the modules.
    TakesFrom {
        /// Stem of that package.
        stem: String,
        /// The first version and release without the modules.
        since: String,
    },
    /// Conflicts with builds of the image package that still had the modules.
    TakesFromImage {
        /// The first version and release without them.
        since: String,
    },
    /// Recommends the package that has its modules now.
    Gives(PackageId),
    /// Requires the image package of its build, which has its modules now.
    GivesToImage,
}

/// What the packages of a plan have to say about where modules were before.
///
/// Where kernels stand side by side, an obsoleted package would be one of a kernel that is still
/// there (libsolv honours Obsoletes of multiversion packages), and files never get into each
/// other's way. So a package that is no more lives on without files, as a name that leads to its
/// modules. Where packages are updated in place they are replaced.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    words: BTreeMap<String, BTreeSet<Word>>,
    /// Packages without files, by stem, and those that have their modules.
    pub names: BTreeMap<String, BTreeSet<PackageId>>,
}

impl Moves {
    /// Reads them off a plan.
    pub fn of(plan: &Plan, identity: &Identity) -> Self {
        let stems = plan.packages.values().map(|package| package.stem.as_str());
        let stems: BTreeSet<&str> = stems.collect();
        let mut moves = Self::default();
        for left in &plan.left {
            let since = left.since.as_ref().unwrap_or(&identity.evr);
            let Some(stem) = &left.stem else {
                moves.leave_image(plan, identity, left, since);
                continue;
            };
            let now: BTreeSet<Location> = left
                .modules
                .iter()
                .map(|&module| plan.location[module])
                .collect();
            for location in now {
                match (location, stems.contains(stem.as_str())) {
                    (Location::Excluded, _) => {}
                    (Location::Image, true) if identity.is_multiversion() => {}
                    (Location::Image, true) => moves.say(stem, Word::GivesToImage),
                    (Location::Image, false) => {
                        moves.names.entry(stem.clone()).or_default();
                    }
                    (Location::Package(id), false) if identity.is_multiversion() => {
                        moves.names.entry(stem.clone()).or_default().insert(id);
                    }
                    (Location::Package(id), false) => {
                        let to = &plan.packages[id].stem;
                        moves.say(to, Word::replaces(stem, since));
                    }
                    (Location::Package(id), true) => {
                        moves.say(stem, Word::Gives(id));
                        if !identity.is_multiversion() {
                            let to = &plan.packages[id].stem;
                            moves.say(to, Word::takes_from(stem, since));
                        }
                    }
                }
            }
        }
        moves
    }

    /// The image gives modules away for good: whoever has the image is not meant to have them all.
    fn leave_image(&mut self, plan: &Plan, identity: &Identity, left: &Left, since: &str) {
        if identity.is_multiversion() {
            return;
        }
        for id in left.modules.iter().filter_map(|&id| plan.package_of(id)) {
            let since = since.to_owned();
            let stem = &plan.packages[id].stem;
            self.say(stem, Word::TakesFromImage { since });
        }
    }

    /// What the package `stem` has to say.
    pub fn words(&self, stem: &str) -> impl Iterator<Item = &Word> {
        self.words.get(stem).into_iter().flatten()
    }

    fn say(&mut self, stem: &str, word: Word) {
        self.words.entry(stem.to_owned()).or_default().insert(word);
    }
}

impl Word {
    fn replaces(stem: &str, since: &str) -> Self {
        Self::Replaces {
            stem: stem.to_owned(),
            since: since.to_owned(),
        }
    }

    fn takes_from(stem: &str, since: &str) -> Self {
        Self::TakesFrom {
            stem: stem.to_owned(),
            since: since.to_owned(),
        }
    }
}
