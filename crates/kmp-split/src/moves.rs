//! Modules that moved since an earlier plan in, what the packages must say about it out.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::Identity;
use crate::plan::{Location, Moved, Plan};

/// What a package has to do with one of an earlier plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Successor {
    /// It has modules of a package that is no more.
    Replaces {
        /// Stem of that package.
        stem: String,
        /// Version and release of which all that come before had the modules.
        before: String,
    },
    /// It has modules of a package that goes on without them.
    TakesFrom {
        /// Stem of that package.
        stem: String,
        /// Version and release of which all that come before had the modules.
        before: String,
    },
    /// Modules of it are now in another one, which those who had it need too.
    Gives {
        /// Stem of that package.
        stem: String,
    },
}

/// What each package has to do with packages of an earlier plan.
#[derive(Clone, Debug, Default)]
pub struct Moves(BTreeMap<String, BTreeSet<Successor>>);

impl Moves {
    /// Reads them off a plan.
    ///
    /// Where kernels stand side by side, files of one never get into the way of another's, so
    /// nothing conflicts; a package that is no more is still replaced, so that an update finds
    /// where its modules went.
    pub fn of(plan: &Plan, identity: &Identity) -> Self {
        let stems: BTreeSet<&str> = plan
            .packages
            .values()
            .map(|package| package.stem.as_str())
            .collect();
        let mut moves: BTreeMap<String, BTreeSet<Successor>> = BTreeMap::new();
        for Moved { from, to, .. } in &plan.moved {
            let Location::Package(to) = *to else { continue };
            let to = &plan.packages[to].stem;
            let before = || identity.evr.clone();
            let stem = || from.clone();
            let into = moves.entry(to.clone()).or_default();
            if !stems.contains(from.as_str()) {
                into.insert(Successor::Replaces {
                    stem: stem(),
                    before: before(),
                });
                continue;
            }
            if !identity.is_multiversion() {
                into.insert(Successor::TakesFrom {
                    stem: stem(),
                    before: before(),
                });
            }
            let giver = moves.entry(from.clone()).or_default();
            giver.insert(Successor::Gives { stem: to.clone() });
        }
        Self(moves)
    }

    /// What the package `stem` has to do with earlier ones.
    pub fn into(&self, stem: &str) -> impl Iterator<Item = &Successor> {
        self.0.get(stem).into_iter().flatten()
    }
}
