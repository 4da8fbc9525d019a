//! A list whose entries have unique names and keep the order in which they were first named.

use std::collections::HashMap;
use std::hash::Hash;

/// Entries in the order in which their names first came up.
#[derive(Debug)]
pub(crate) struct ByName<T, K = String> {
    entries: Vec<T>,
    /// The index of each entry. A search through the entries would make a policy of n sets cost
    /// n² comparisons.
    indexes: HashMap<K, usize>,
}

impl<T, K> Default for ByName<T, K> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            indexes: HashMap::new(),
        }
    }
}

impl<T, K: Eq + Hash + Clone> ByName<T, K> {
    /// The entry `name`. If there is none yet, `new` makes it.
    #[allow(
        clippy::indexing_slicing,
        reason = "`indexes` has indexes of entries alone"
    )]
    pub(crate) fn entry(&mut self, name: &K, new: impl FnOnce() -> T) -> &mut T {
        let index = match self.indexes.get(name) {
            Some(&index) => index,
            None => {
                self.indexes.insert(name.clone(), self.entries.len());
                self.entries.push(new());
                self.entries.len() - 1
            }
        };
        &mut self.entries[index]
    }

    /// All entries.
    pub(crate) fn into_entries(self) -> Vec<T> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    /// A name that counts how often it is compared.
    #[derive(Clone, Debug, Eq)]
    struct Counted(usize);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0 == other.0
        }
    }

    impl Hash for Counted {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    #[test]
    fn entries_keep_their_first_order() {
        let mut list: ByName<Vec<u32>, &str> = ByName::default();
        for (name, number) in [("b", 1), ("a", 2), ("b", 3)] {
            list.entry(&name, Vec::new).push(number);
        }
        assert_eq!(list.into_entries(), [vec![1, 3], vec![2]]);
    }

    #[test]
    fn a_name_is_compared_a_few_times_however_many_there_are() {
        for count in [1_000, 16_000] {
            COMPARISONS.set(0);
            let mut list: ByName<(), Counted> = ByName::default();
            for name in (0..count).chain(0..count) {
                list.entry(&Counted(name), || ());
            }
            // One comparison finds each name; collisions of hashes add a few.
            assert!(COMPARISONS.get() < 2 * count, "{count}");
        }
    }
}
