//! Checks a plan against the promises that every plan keeps, whatever the policy says.

use std::collections::BTreeSet;

use modtree::{ModuleId, Resolution, Tree};
use petgraph::algo::is_cyclic_directed;
use petgraph::graphmap::DiGraphMap;
use policy::{Problem, check_package_name};

use super::error::PlanError;
use super::model::{Location, PackageId, PlacementReason, Plan};

/// Checks the promises of DESIGN.md: each module is in one place, packages need what their modules
/// need, there is no circle, names are valid and unique, and the image needs no other package.
///
/// # Errors
/// The plan breaks a promise. That is a defect of the planner.
pub fn check(tree: &Tree, resolution: &Resolution, plan: &Plan) -> Result<(), PlanError> {
    let broken = |what: String| Err(PlanError::Broken(what));
    let path = |id: ModuleId| tree.modules[id].file.path.as_str();
    let mut packaged = BTreeSet::new();
    let mut stems = BTreeSet::new();
    for (id, package) in plan.packages.iter() {
        if !is_name(&package.stem) || !stems.insert(&package.stem) {
            return broken(format!("{:?} is not a unique package name", package.stem));
        }
        if package.modules.is_empty() {
            return broken(format!("{} is empty", package.stem));
        }
        for &module in &package.modules {
            if !packaged.insert(module) || plan.location[module] != Location::Package(id) {
                return broken(format!("{} is in several packages", path(module)));
            }
        }
    }
    for (module, location) in plan.location.iter() {
        let meant = match location {
            Location::Package(_) => packaged.contains(&module),
            Location::Image => {
                matches!(
                    plan.reasons[module],
                    PlacementReason::Base(_) | PlacementReason::BaseNeeds(_)
                )
            }
            Location::Excluded => matches!(plan.reasons[module], PlacementReason::Excluded(_)),
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

fn graph(plan: &Plan) -> DiGraphMap<PackageId, ()> {
    let edges = plan.packages.iter().flat_map(|(id, package)| {
        let needs = package.needs.iter();
        needs.map(move |&needed| (id, needed, ()))
    });
    DiGraphMap::from_edges(edges)
}

/// Whether a package can have a name. How long it may be depends on the version of the package,
/// which a plan does not know.
fn is_name(stem: &str) -> bool {
    matches!(
        check_package_name(stem),
        Ok(()) | Err(Problem::LongName { .. })
    )
}
