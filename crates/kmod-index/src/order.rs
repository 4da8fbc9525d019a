//! Puts entries into the order of an index.

use byte_sort::{Keyed, sort_by_bytes};

use crate::entry::Entry;

/// Entries sorted by key, then by priority; of those with the same, the last given comes first.
pub(crate) fn ordered<'a>(entries: &[Entry<'a>]) -> Vec<Entry<'a>> {
    let mut places: Vec<Keyed<usize>> = (0..entries.len()).map(Keyed::from).collect();
    let key = |&place: &usize| entries.get(place).map_or(&[][..], |entry| entry.key);
    let priority = |place: usize| entries.get(place).map(|entry| entry.priority);
    sort_by_bytes(&mut places, key, |&a, &b| {
        priority(a).cmp(&priority(b)).then(b.cmp(&a))
    });
    let mut ordered = Vec::with_capacity(entries.len());
    let entry = |keyed: Keyed<usize>| entries.get(keyed.item).copied();
    ordered.extend(places.into_iter().filter_map(entry));
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_then_priorities_then_the_last_given() {
        let entry = |key: &'static str, value: &'static str, priority| Entry {
            key: key.as_bytes(),
            value: value.as_bytes(),
            priority,
        };
        let entries = [
            entry("b", "1", 0),
            entry("a", "2", 1),
            entry("a", "3", 0),
            entry("a", "4", 0),
            entry("ab", "5", 0),
            entry("", "6", 9),
        ];
        let values: Vec<_> = ordered(&entries).iter().map(|entry| entry.value).collect();
        assert_eq!(values.concat(), b"643251");
        assert!(ordered(&[]).is_empty());
    }
}
