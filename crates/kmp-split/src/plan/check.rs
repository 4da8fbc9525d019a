//! What every plan promises, whatever the policy.

use std::collections::BTreeSet;

use modtree::{ModuleId, Resolution, Tree};
use petgraph::algo::is_cyclic_directed;
use petgraph::graphmap::DiGraphMap;

use super::error::PlanError;
use super::package::{Location, Plan, Why};

/// Holds a plan against the promises of DESIGN.md: each module in one place, all needs between
/// packages expressed, no circle, names that are valid and unique, the image complete in itself.
///
/// # Errors
/// A promise is broken, which is a defect of the planner.
pub fn check(tree: &Tree, resolution: &Resolution, plan: &Plan) -> Result<(), PlanError> {
    let broken = |what: String| Err(PlanError::Broken(what));
    let path = |id: ModuleId| tree.modules[id].file.path.as_str();
    let mut packaged = BTreeSet::new();
    let mut stems = BTreeSet::new();
    for (id, package) in plan.packages.iter() {
        if !is_name(&package.stem) || !stems.insert(&package.stem) {
            return broken(format!("{:?} is no package name of its own", package.stem));
        }
        if package.modules.is_empty() {
            return broken(format!("{} is empty", package.stem));
        }
        for &module in &package.modules {
            if !packaged.insert(module) || plan.location[module] != Location::Package(id) {
                return broken(format!("{} is in several places", path(module)));
            }
        }
    }
    for (module, location) in plan.location.iter() {
        let meant = match location {
            Location::Package(_) => packaged.contains(&module),
            Location::Image => matches!(plan.why[module], Why::Base(_) | Why::BaseNeeds(_)),
            Location::Excluded => matches!(plan.why[module], Why::Excluded(_)),
        };
        if !meant {
            return broken(format!("{} is in no package", path(module)));
        }
        for &needed in &resolution.needs[module] {
            let expressed = match (location, plan.location[needed]) {
                (Location::Excluded, _) | (_, Location::Image) => true,
                (_, Location::Excluded) | (Location::Image, _) => false,
                (Location::Package(from), Location::Package(to)) => {
                    *from == to || plan.packages[*from].needs.contains(&to)
                }
            };
            if !expressed {
                return broken(format!("{} does not get {}", path(module), path(needed)));
            }
        }
    }
    match is_cyclic_directed(&graph(plan)) {
        true => broken("packages need each other".to_owned()),
        false => Ok(()),
    }
}

fn graph(plan: &Plan) -> DiGraphMap<super::PackageId, ()> {
    let edges = plan.packages.iter().flat_map(|(id, package)| {
        let needs = package.needs.iter();
        needs.map(move |&needed| (id, needed, ()))
    });
    DiGraphMap::from_edges(edges)
}

/// Whether rpm takes a text for a name (parsePreamble.c: no `~`), and it is nothing else in a spec.
pub fn is_name(stem: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    stem.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && stem.chars().all(plain)
}
