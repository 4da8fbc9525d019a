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
        let from = match previous.locations.get(path)? {
            PreviousLocation::Image => FormerPackage::Image,
            PreviousLocation::Package(package) => FormerPackage::Stem(package.stem.clone()),
        };
        let to = plan.location[module];
        (!is_at(plan, to, &from)).then_some(Moved { module, from, to })
    };
    tree.modules.ids().filter_map(moved).collect()
}

/// The modules that ever left a package and are in another one now.
pub fn departures(previous: &PreviousPlan, tree: &Tree, plan: &Plan) -> Vec<Departure> {
    let by_path: BTreeMap<_, _> = tree
        .modules
        .iter()
        .map(|(id, record)| (record.file.plain_path(), id))
        .collect();
    let earlier = previous.departures.iter().map(|departure| {
        let paths = departure.modules.iter();
        let modules = paths.filter_map(|path| by_path.get(path.as_str()).copied());
        Departure {
            from: departure.from.clone(),
            since: Since::Build(departure.since.clone()),
            modules: modules.collect(),
        }
    });
    let mut now: BTreeMap<&FormerPackage, Vec<ModuleId>> = BTreeMap::new();
    for moved in &plan.moved {
        now.entry(&moved.from).or_default().push(moved.module);
    }
    let now = now.into_iter().map(|(from, modules)| Departure {
        from: from.clone(),
        since: Since::ThisBuild,
        modules,
    });
    earlier
        .chain(now)
        .map(|mut departure| {
            let Departure { from, modules, .. } = &mut departure;
            modules.retain(|&module| {
                let at = plan.location[module];
                at != Location::Excluded && !is_at(plan, at, from)
            });
            departure
        })
        .filter(|departure| !departure.modules.is_empty())
        .collect()
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
