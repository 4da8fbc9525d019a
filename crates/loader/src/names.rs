//! Gives symbols and namespaces numbers, so that they are compared without looking at letters.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use id_table::{Id, id};

id! {
    /// The name of a symbol or a namespace.
    NameId
}

/// All names, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    text: Vec<u8>,
    /// Where each name ends in the text.
    ends: Vec<usize>,
    by_name: HashTable<NameId>,
    hasher: DefaultHashBuilder,
}

impl Names {
    /// The number of a name; a new one if it was not there.
    pub(crate) fn add(&mut self, name: &[u8]) -> NameId {
        let hash = self.hasher.hash_one(name);
        let (text, ends) = (&self.text, &self.ends);
        let is_it = |id: &NameId| name_in(text, ends, *id) == name;
        if let Some(id) = self.by_name.find(hash, is_it) {
            return *id;
        }
        let id = NameId::from_index(self.ends.len());
        self.text.extend_from_slice(name);
        self.ends.push(self.text.len());
        let (text, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        let rehash = |id: &NameId| hasher.hash_one(name_in(text, ends, *id));
        self.by_name.insert_unique(hash, id, rehash);
        id
    }

    /// The number of a name that is there.
    pub(crate) fn find(&self, name: &[u8]) -> Option<NameId> {
        let is_it = |id: &NameId| self.name(*id) == name;
        self.by_name
            .find(self.hasher.hash_one(name), is_it)
            .copied()
    }

    pub(crate) fn name(&self, id: NameId) -> &[u8] {
        name_in(&self.text, &self.ends, id)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

fn name_in<'t>(text: &'t [u8], ends: &[usize], id: NameId) -> &'t [u8] {
    let index = id.index();
    let start = index.checked_sub(1).and_then(|before| ends.get(before));
    let end = ends.get(index).copied().unwrap_or_default();
    text.get(start.copied().unwrap_or_default()..end)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_number() {
        let mut names = Names::default();
        let ids: Vec<_> = (0..1000)
            .map(|number| names.add(format!("name_{}", number % 100).as_bytes()))
            .collect();
        assert_eq!(names.len(), 100);
        for (number, id) in ids.into_iter().enumerate() {
            let name = format!("name_{}", number % 100);
            assert_eq!(names.name(id), name.as_bytes());
            assert_eq!(names.find(name.as_bytes()), Some(id));
        }
        assert_eq!(names.find(b"name_"), None);
        let empty = names.add(b"");
        assert_eq!(
            (names.name(empty), names.find(b"")),
            (&b""[..], Some(empty))
        );
    }
}
