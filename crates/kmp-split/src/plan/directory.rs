//! Groups modules by the directories they lie in.

use std::collections::BTreeMap;

use modtree::{ModuleId, Tree};

use super::groups::{GroupId, Groups, Origin};
use super::package::Why;

/// Joins free modules of one directory, `depth` levels below `kernel/`; gives the names their
/// groups should have.
///
/// Where directories need each other in both directions, as many do, the modules that would close
/// a circle become a second group of their directory, and so on.
pub fn gather(tree: &Tree, groups: &mut Groups<'_>, depth: usize) -> BTreeMap<GroupId, String> {
    let directory = |id: ModuleId| name_at(tree.modules[id].file.directory(), depth);
    let mut parts: BTreeMap<String, Vec<GroupId>> = BTreeMap::new();
    for (id, group) in groups
        .iter()
        .filter(|(_, group)| group.origin == Origin::Previous)
    {
        if let Some(&member) = group.members.first() {
            parts.entry(directory(member)).or_default().push(id);
        }
    }
    let mut names = BTreeMap::new();
    for id in groups.users_first() {
        let group = groups.get(id);
        let (Origin::Free, Some(&member)) = (group.origin, group.members.first()) else {
            continue;
        };
        let name = directory(member);
        groups.why[member] = Why::Directory(name.clone());
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

fn name_at(path: &str, depth: usize) -> String {
    let inside = path.strip_prefix("kernel/").unwrap_or(path);
    let parts: Vec<_> = inside.split('/').take(depth.max(1)).collect();
    parts.join("-")
}
