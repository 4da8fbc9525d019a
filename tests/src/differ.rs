//! Turns two collections that should be equal into nothing, or into the first differences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use anyhow::{Result, bail};

const SHOWN: usize = 5;

/// Compares ours with theirs.
pub fn sets<T: Ord + Debug>(what: &str, ours: &BTreeSet<T>, theirs: &BTreeSet<T>) -> Result<()> {
    if ours == theirs {
        return Ok(());
    }
    let few = |of: &BTreeSet<T>, not_in: &BTreeSet<T>| {
        let found: Vec<String> = of
            .difference(not_in)
            .take(SHOWN)
            .map(|item| format!("{item:?}"))
            .collect();
        format!("{} ({})", of.difference(not_in).count(), found.join(", "))
    };
    bail!(
        "{what} differ: only ours {}; only theirs {}",
        few(ours, theirs),
        few(theirs, ours)
    )
}

/// Compares ours with theirs, key by key.
pub fn maps<K, V>(what: &str, ours: &BTreeMap<K, V>, theirs: &BTreeMap<K, V>) -> Result<()>
where
    K: Ord + Debug,
    V: Ord + Debug,
{
    sets(what, &ours.iter().collect(), &theirs.iter().collect())
}
