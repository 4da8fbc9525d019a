//! Names the groups.
//!
//! A group of one module and its helpers is named after that module. Any other group is named after
//! the directory that its modules share. If several groups would have the same name, each of them
//! takes a longer one.

use std::collections::{BTreeMap, BTreeSet};

use modtree::{ModuleId, Tree};

use super::directories::{common_directory, directory_name};
use super::groups::{Group, GroupId, GroupOrigin, Groups, SupportClass};
use crate::reach::reachable;

/// Names all groups. Groups in `given` keep their names. Groups in `wanted` get the name there, with
/// a number behind it if another group has it. Groups of unsupported modules that no rule made get
/// `unsupported` behind their names.
pub fn names(
    tree: &Tree,
    groups: &Groups<'_>,
    given: BTreeMap<GroupId, String>,
    wanted: &BTreeMap<GroupId, String>,
    unsupported: Option<&str>,
) -> BTreeMap<GroupId, String> {
    let taken: BTreeSet<&String> = given.values().collect();
    let mut open: BTreeMap<GroupId, NameCandidates> = groups
        .iter()
        .filter(|(id, _)| !given.contains_key(id))
        .map(|(id, group)| {
            let names = match wanted.get(&id) {
                Some(name) => vec![name.clone()],
                None => candidates(tree, groups, id, group),
            };
            let apart =
                group.class == SupportClass::Unsupported && group.origin != GroupOrigin::Rules;
            (
                id,
                NameCandidates::new(names, unsupported.filter(|_| apart)),
            )
        })
        .collect();
    loop {
        let mut by_name: BTreeMap<String, Vec<GroupId>> = BTreeMap::new();
        for (&id, candidates) in &open {
            by_name.entry(candidates.name()).or_default().push(id);
        }
        let mut settled = true;
        for (name, ids) in by_name {
            let others = if taken.contains(&name) {
                0
            } else {
                clashing(&open, &ids)
            };
            for id in ids.iter().skip(others) {
                if let Some(candidates) = open.get_mut(id) {
                    candidates.index += 1;
                    settled = false;
                }
            }
        }
        if settled {
            let named = open.iter().map(|(&id, candidates)| (id, candidates.name()));
            return named.collect::<Vec<_>>().into_iter().chain(given).collect();
        }
    }
}

/// How many of the groups that would have the same name may keep it. Of several none may, unless all
/// of them can only be numbered. Then the first one may.
fn clashing(open: &BTreeMap<GroupId, NameCandidates>, ids: &[GroupId]) -> usize {
    let numbered = |id: &GroupId| open.get(id).is_some_and(NameCandidates::is_at_end);
    match ids {
        [_] => 1,
        _ if ids.iter().all(numbered) => 1,
        _ => 0,
    }
}

/// The names that a group could have: from short to long, then the longest one with a number.
struct NameCandidates {
    names: Vec<String>,
    suffix: String,
    index: usize,
}

impl NameCandidates {
    fn new(names: Vec<String>, suffix: Option<&str>) -> Self {
        let mut names: Vec<_> = names.iter().map(|name| valid(name)).collect();
        names.dedup();
        Self {
            names,
            suffix: suffix.unwrap_or_default().to_owned(),
            index: 0,
        }
    }

    fn name(&self) -> String {
        let last = self.names.last().map_or("modules", String::as_str);
        let name = match self.names.get(self.index) {
            Some(name) => name.clone(),
            None => format!("{last}-{}", self.index + 2 - self.names.len()),
        };
        name + &self.suffix
    }

    fn is_at_end(&self) -> bool {
        self.index + 1 >= self.names.len()
    }
}

/// Removes what a package name cannot begin with, and replaces what it cannot contain: of the
/// characters that modtree allows in paths, that is `~`.
fn valid(name: &str) -> String {
    let begins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match name.trim_start_matches(|c| !begins(c)) {
        "" => "modules".to_owned(),
        name => name.replace('~', "_"),
    }
}

/// The names that a group could have, from short to long.
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
    // The module's name, behind more and more of its directories.
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

/// The module for which all others of a group are there. It needs each of them, directly or not,
/// and they have no aliases.
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
    let reached = reachable([root], needs);
    let mut others = group.members.iter().filter(|&&member| member != root);
    let helpers = others.all(|&member| tree.modules[member].aliases.is_empty());
    (helpers && reached.len() == group.members.len()).then_some(root)
}

fn largest(tree: &Tree, group: &Group) -> Option<ModuleId> {
    let members = group.members.iter().copied();
    members.max_by_key(|&id| (tree.modules[id].size, std::cmp::Reverse(id)))
}

/// Joins names: `hid` and `hid-sony` give `hid-sony`, `hid` and `usbkbd` give `hid-usbkbd`.
fn followed_by(directory: &str, module: &str) -> String {
    let last = directory.rsplit('-').next().unwrap_or_default();
    let rest = module.strip_prefix(last);
    match rest.and_then(|rest| rest.strip_prefix(['-', '_'])) {
        Some(rest) => format!("{directory}-{rest}"),
        None => format!("{directory}-{module}"),
    }
}
