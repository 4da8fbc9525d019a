//! Modules that need each other in, the circles they form out, told one by one.

use std::collections::BTreeSet;

use crate::module_file::ModuleFile;

/// Tells the circles among the modules that still have users when all others are ranked; gives
/// the names of the modules in them.
pub(crate) fn cycles(files: &[ModuleFile], direct: &[Vec<usize>], users: &[usize]) -> Vec<String> {
    let name = |module: usize| {
        let name = files.get(module).map(ModuleFile::name);
        String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
    };
    let mut rest: BTreeSet<usize> = (0..direct.len())
        .filter(|&module| users.get(module).is_some_and(|&users| users > 0))
        .collect();
    let mut members = BTreeSet::new();
    while let Some(root) = rest.pop_first() {
        for circle in through(root, direct) {
            let names: Vec<_> = circle.iter().map(|&module| name(module)).collect();
            log::error!("Cycle detected: {} -> {}", names.join(" -> "), name(root));
            for module in circle {
                rest.remove(&module);
            }
            members.extend(names);
        }
    }
    members.into_iter().collect()
}

/// Ways from a module back to itself, each module entered once.
fn through(root: usize, direct: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut circles = Vec::new();
    let mut seen = BTreeSet::new();
    // A module and its place in `steps`, the way that led to it.
    let mut steps: Vec<(usize, Option<usize>)> = Vec::new();
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
        let needed = direct.get(module).into_iter().flatten();
        stack.extend(needed.map(|&needed| (needed, Some(here))));
    }
    circles
}

fn way(steps: &[(usize, Option<usize>)], last: Option<usize>) -> Vec<usize> {
    let step = |place: &Option<usize>| steps.get((*place)?);
    let mut way: Vec<_> = std::iter::successors(step(&last), |(_, from)| step(from))
        .map(|(module, _)| *module)
        .collect();
    way.reverse();
    way
}
