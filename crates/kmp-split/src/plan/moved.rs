//! What moved since an earlier plan.

use std::collections::BTreeMap;

use modtree::{ModuleId, Tree};

use super::error::some_of;
use super::model::{Departure, FormerPackage, Location, Moved, Plan, Since};
use super::previous::{PreviousLocation, PreviousPlan};

/// The modules that are elsewhere than in the previous plan.
pub fn moved(previous: &PreviousPlan, tree: &Tree, plan: &Plan) -> Vec<Moved> {
    let moved = |module: ModuleId| {
        let path = tree.modules[module].file.plain_path();
        let from = former(previous.locations.get(path)?);
        let to = plan.location[module];
        (!is_at(plan, to, &from)).then_some(Moved { module, from, to })
    };
    tree.modules.ids().filter_map(moved).collect()
}

/// The modules that ever left a package and are not in it now. A module that no package has now may
/// come back in a later build, and be in another package then. Whoever had it until this build and
/// skips that one needs it there.
pub fn departures(previous: &PreviousPlan, tree: &Tree, plan: &Plan) -> Vec<Departure> {
    let by_path: BTreeMap<_, _> = tree
        .modules
        .iter()
        .map(|(id, record)| (record.file.plain_path(), id))
        .collect();
    let mut earlier: Vec<Departure> = Vec::new();
    for departure in &previous.departures {
        let mut kept = Departure {
            from: departure.from.clone(),
            since: Since::Build(departure.since.clone()),
            modules: Vec::new(),
            absent: Vec::new(),
        };
        for path in &departure.modules {
            match by_path.get(path.as_str()) {
                Some(&id) => kept.modules.push(id),
                None => kept.absent.push(path.clone()),
            }
        }
        let elsewhere = |id: &ModuleId| !is_at(plan, plan.location[*id], &kept.from);
        kept.modules.retain(elsewhere);
        earlier.push(kept);
    }
    let mut now: BTreeMap<FormerPackage, (Vec<ModuleId>, Vec<String>)> = BTreeMap::new();
    for moved in &plan.moved {
        let (modules, _) = now.entry(moved.from.clone()).or_default();
        modules.push(moved.module);
    }
    for (path, location) in &previous.locations {
        if !by_path.contains_key(path.as_str()) {
            let (_, absent) = now.entry(former(location)).or_default();
            absent.push(path.clone());
        }
    }
    let now = now.into_iter().map(|(from, (modules, absent))| Departure {
        from,
        since: Since::ThisBuild,
        modules,
        absent,
    });
    let all = earlier.into_iter().chain(now);
    all.filter(|departure| !departure.modules.is_empty() || !departure.absent.is_empty())
        .collect()
}

fn former(location: &PreviousLocation) -> FormerPackage {
    match location {
        PreviousLocation::Image => FormerPackage::Image,
        PreviousLocation::Package(package) => FormerPackage::Stem(package.stem.clone()),
    }
}

/// Whether a location is in the package that had the module earlier.
fn is_at(plan: &Plan, location: Location, former: &FormerPackage) -> bool {
    match (location, former) {
        (Location::Image, FormerPackage::Image) => true,
        (Location::Package(id), FormerPackage::Stem(stem)) => plan.packages[id].stem == *stem,
        _ => false,
    }
}

/// A warning about the modules that the image package had. No package that an update installs
/// requires them, so whoever took them out of the image package has to know.
pub fn given_away(tree: &Tree, plan: &Plan) -> Option<String> {
    let moved = plan.moved.iter();
    let moved = moved.filter(|moved| moved.from == FormerPackage::Image);
    let modules: Vec<_> = moved.map(|moved| moved.module).collect();
    (!modules.is_empty()).then(|| {
        let some = some_of(tree, &modules);
        format!("no longer in the image package, and not installed by its update: {some}")
    })
}
