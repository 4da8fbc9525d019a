//! Finds the circles of modules that need each other, and logs them one by one.

use std::collections::BTreeSet;

use id_table::Table;

use crate::module::ModuleNumber;
use crate::module_path::ModulePath;

/// Logs the circles among the modules that still have users when all others are ranked; gives the
/// names of the modules in them.
pub(crate) fn cycles(
    modules: &Table<ModuleNumber, ModulePath>,
    direct: &Table<ModuleNumber, Vec<ModuleNumber>>,
    users: &Table<ModuleNumber, usize>,
) -> Vec<String> {
    let name = |module: ModuleNumber| String::from_utf8_lossy(modules[module].name());
    let has_users = |module: &ModuleNumber| users[*module] > 0;
    let mut rest: BTreeSet<ModuleNumber> = direct.ids().filter(has_users).collect();
    let mut members = BTreeSet::new();
    while let Some(root) = rest.pop_first() {
        for circle in circles_through(root, direct) {
            let names: Vec<_> = circle.iter().map(|&module| name(module)).collect();
            log::error!("Cycle detected: {} -> {}", names.join(" -> "), name(root));
            for module in &circle {
                rest.remove(module);
            }
            members.extend(names.into_iter().map(|name| name.into_owned()));
        }
    }
    members.into_iter().collect()
}

/// A module on the way, and the place in the list of such steps of the one before it.
type Step = (ModuleNumber, Option<usize>);

/// Ways from a module back to itself, on which each module is entered once.
fn circles_through(
    root: ModuleNumber,
    direct: &Table<ModuleNumber, Vec<ModuleNumber>>,
) -> Vec<Vec<ModuleNumber>> {
    let mut circles = Vec::new();
    let mut seen = BTreeSet::new();
    let mut steps: Vec<Step> = Vec::new();
    let mut stack = vec![(root, None)];
    while let Some((module, from)) = stack.pop() {
        if module == root && from.is_some() {
            circles.push(way(&steps, from));
            continue;
        }
        if !seen.insert(module) {
            continue;
        }
        steps.push((module, from));
        let here = steps.len() - 1;
        let needed = direct[module].iter();
        stack.extend(needed.map(|&needed| (needed, Some(here))));
    }
    circles
}

fn way(steps: &[Step], last: Option<usize>) -> Vec<ModuleNumber> {
    let step = |place: &Option<usize>| steps.get((*place)?);
    let mut way: Vec<_> = std::iter::successors(step(&last), |(_, from)| step(from))
        .map(|(module, _)| *module)
        .collect();
    way.reverse();
    way
}
