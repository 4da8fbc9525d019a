//! Groups modules by the directories they lie in.

use std::collections::BTreeMap;

use modtree::Tree;

use super::groups::{GroupId, Groups, Origin};
use super::package::Why;

/// Joins free modules of one directory, `depth` levels below `kernel/`, and names their groups.
///
/// Where directories need each other in both directions, as many do, the modules that would close
/// a circle become a second group of their directory, and so on.
pub fn gather(tree: &Tree, groups: &mut Groups<'_>, depth: usize) -> BTreeMap<GroupId, String> {
    let mut of_directory: BTreeMap<String, Vec<GroupId>> = BTreeMap::new();
    let free: Vec<GroupId> = groups
        .iter()
        .filter(|(_, group)| group.origin == Origin::Free)
        .map(|(id, _)| id)
        .collect();
    for id in free {
        let Some(&member) = groups.get(id).members.first() else {
            continue;
        };
        let directory = directory(tree.modules[member].file.directory(), depth);
        groups.why[member] = Why::Directory(directory.clone());
        let parts = of_directory.entry(directory).or_default();
        match parts.iter().find(|&&part| groups.may_merge(part, id)) {
            Some(&part) => groups.merge(part, id),
            None => parts.push(id),
        }
    }
    let mut names = BTreeMap::new();
    for (directory, parts) in of_directory {
        for (part, number) in parts.into_iter().zip(1..) {
            let name = match number {
                1 => directory.clone(),
                _ => format!("{directory}-{number}"),
            };
            names.insert(part, name);
        }
    }
    names
}

fn directory(path: &str, depth: usize) -> String {
    let inside = path.strip_prefix("kernel/").unwrap_or(path);
    let parts: Vec<_> = inside.split('/').take(depth.max(1)).collect();
    match parts.join("-") {
        name if name.is_empty() => "modules".to_owned(),
        name => name,
    }
}
