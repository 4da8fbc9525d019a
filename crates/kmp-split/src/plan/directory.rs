//! Groups modules that no rule claims by their directories.

use std::collections::BTreeMap;

use modtree::{ModuleId, Tree};

use super::directories::name_at;
use super::groups::{GroupId, GroupOrigin, Groups};
use super::model::PlacementReason;

/// Joins modules of one directory, `depth` levels below `kernel/`. Returns the names that their
/// groups should have.
///
/// Many directories need each other in both directions. A module that would close a circle goes to
/// a second group of its directory, and so on.
pub fn gather(tree: &Tree, groups: &mut Groups<'_>, depth: usize) -> BTreeMap<GroupId, String> {
    let directory = |id: ModuleId| name_at(tree.modules[id].file.directory(), depth);
    let mut parts: BTreeMap<String, Vec<GroupId>> = BTreeMap::new();
    for (id, group) in groups
        .iter()
        .filter(|(_, group)| group.origin == GroupOrigin::Previous)
    {
        if let Some(&member) = group.members.first() {
            parts.entry(directory(member)).or_default().push(id);
        }
    }
    let mut names = BTreeMap::new();
    for id in groups.users_first() {
        let group = groups.get(id);
        let (GroupOrigin::Free, Some(&member)) = (group.origin, group.members.first()) else {
            continue;
        };
        let name = directory(member);
        groups.reasons[member] = PlacementReason::Directory(name.clone());
        let parts = parts.entry(name.clone()).or_default();
        match parts.iter().find(|&&part| groups.may_merge(part, id)) {
            Some(&part) => groups.merge(part, id),
            None => {
                parts.push(id);
                names.insert(id, name);
            }
        }
    }
    names
}
