//! Groups in, a name for each out.
//!
//! A group that is one module with its helpers is named after that module, any other after the
//! directory its modules share. Where several would have one name, each takes more into it.

use std::collections::{BTreeMap, BTreeSet};

use modtree::{ModuleId, Tree};

use super::auto::common_directory;
use super::error::PlanError;
use super::groups::{Group, GroupId, Groups};

/// Names all groups; those of `given` have theirs.
///
/// # Errors
/// Two groups cannot be told apart by any name.
pub fn names(
    tree: &Tree,
    groups: &Groups<'_>,
    given: BTreeMap<GroupId, String>,
) -> Result<BTreeMap<GroupId, String>, PlanError> {
    let taken: BTreeSet<&String> = given.values().collect();
    let mut open: BTreeMap<GroupId, Vec<String>> = groups
        .iter()
        .filter(|(id, _)| !given.contains_key(id))
        .map(|(id, group)| {
            let mut candidates = candidates(tree, groups, id, group);
            candidates.retain(|name| !taken.contains(name));
            candidates.reverse();
            (id, candidates)
        })
        .collect();
    loop {
        let mut by_name: BTreeMap<&String, Vec<GroupId>> = BTreeMap::new();
        for (&id, candidates) in &open {
            let name = candidates.last().ok_or_else(|| clash(tree, groups, id))?;
            by_name.entry(name).or_default().push(id);
        }
        let clashing: Vec<GroupId> = by_name
            .values()
            .filter(|ids| ids.len() > 1)
            .flatten()
            .copied()
            .collect();
        if clashing.is_empty() {
            let named = open.into_iter();
            let named = named.filter_map(|(id, mut candidates)| Some((id, candidates.pop()?)));
            let named: BTreeMap<_, _> = named.collect();
            return Ok(given.into_iter().chain(named).collect());
        }
        for id in clashing {
            open.entry(id).and_modify(|candidates| {
                candidates.pop();
            });
        }
    }
}

/// Names from short to long.
fn candidates(tree: &Tree, groups: &Groups<'_>, id: GroupId, group: &Group) -> Vec<String> {
    let main = main_module(tree, groups, id, group);
    let module = main.or_else(|| largest(tree, group));
    let Some(file) = module.map(|id| &tree.modules[id].file) else {
        return Vec::new();
    };
    let mut candidates = Vec::new();
    if main.is_none() {
        let directory = directory_name(common_directory(tree, group));
        candidates.push(directory.clone());
        candidates.push(followed_by(&directory, &file.name));
    }
    // The module's name, preceded by ever more of its directories.
    let mut name = file.name.clone();
    if main.is_some() {
        candidates.push(name.clone());
    }
    for part in file.directory().rsplit('/').filter(|part| !part.is_empty()) {
        name = format!("{part}-{name}");
        candidates.push(name.clone());
    }
    candidates
}

/// The module all others of a group are there for: it needs each of them, directly or not.
fn main_module(tree: &Tree, groups: &Groups<'_>, id: GroupId, group: &Group) -> Option<ModuleId> {
    if let [only] = group.members[..] {
        return Some(only);
    }
    let inside = |needed: &&ModuleId| groups.of(**needed) == Some(id);
    let needs = |user: ModuleId| groups.needs(user).iter().filter(inside).copied();
    let mut roots = group.members.iter().copied().filter(|&member| {
        let users = groups.users(member).iter();
        users.filter(inside).count() == 0
    });
    let (Some(root), None) = (roots.next(), roots.next()) else {
        return None;
    };
    let mut seen = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(user) = open.pop() {
        open.extend(needs(user).filter(|&needed| seen.insert(needed)));
    }
    let aliased = group
        .members
        .iter()
        .filter(|&&member| member != root && !tree.modules[member].aliases.is_empty());
    (seen.len() == group.members.len() && aliased.count() == 0).then_some(root)
}

fn largest(tree: &Tree, group: &Group) -> Option<ModuleId> {
    let members = group.members.iter().copied();
    members.max_by_key(|&id| (tree.modules[id].size, std::cmp::Reverse(id)))
}

/// `kernel/drivers/net/ethernet/intel` as `net-ethernet-intel`.
fn directory_name(directory: &str) -> String {
    let inside = directory.strip_prefix("kernel/").unwrap_or(directory);
    let inside = inside.strip_prefix("drivers/").unwrap_or(inside);
    match inside.is_empty() {
        true => "modules".to_owned(),
        false => inside.replace('/', "-"),
    }
}

/// `hid` and `hid-sony` as `hid-sony`, `hid` and `usbkbd` as `hid-usbkbd`.
fn followed_by(directory: &str, module: &str) -> String {
    let last = directory.rsplit('-').next().unwrap_or_default();
    match module
        .strip_prefix(last)
        .and_then(|rest| rest.strip_prefix(['-', '_']))
    {
        Some(rest) => format!("{directory}-{rest}"),
        None => format!("{directory}-{module}"),
    }
}

fn clash(tree: &Tree, groups: &Groups<'_>, id: GroupId) -> PlanError {
    let full = |id: ModuleId| {
        let file = &tree.modules[id].file;
        file.plain_path().replace('/', "-")
    };
    let member = |group: &Group| group.members.first().copied();
    let path = |id: ModuleId| tree.modules[id].file.path.clone();
    let Some(this) = member(groups.get(id)) else {
        return PlanError::Broken("a package without modules".to_owned());
    };
    let name = full(this);
    let others = groups.iter().filter_map(|(_, group)| member(group));
    let mut same = others.filter(|&other| full(other) == name);
    let mut next = || same.next().map_or_else(String::new, path);
    PlanError::Clash {
        first: next(),
        second: next(),
        name,
    }
}
