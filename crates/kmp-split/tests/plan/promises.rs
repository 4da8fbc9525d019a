//! A plan in, whether it keeps what every plan promises out; who needs whom is taken from the
//! world, not from the planner.

use std::collections::{BTreeMap, BTreeSet};

use kmp_split::plan::Location;
use proptest::prelude::*;

use crate::circle::circle;
use crate::scene::Planned;
use crate::world::World;

/// Each module in one place, what packages need expressed and nothing else, no circle, the image
/// complete in itself, names valid and unique.
pub fn kept(world: &World, planned: &Planned) -> Result<(), TestCaseError> {
    each_module_in_one_place(world, planned)?;
    names(planned)?;
    let needs = needs(planned);
    let wanted = wanted(world, planned)?;
    prop_assert_eq!(&needs, &wanted);
    let packages: Vec<&str> = needs.keys().copied().collect();
    let place = |stem: &str| packages.binary_search(&stem).unwrap();
    let edges = needs
        .iter()
        .flat_map(|(from, to)| to.iter().map(|to| (place(from), place(to))));
    prop_assert_eq!(circle(packages.len(), edges), None);
    Ok(())
}

fn each_module_in_one_place(world: &World, planned: &Planned) -> Result<(), TestCaseError> {
    let plan = &planned.plan;
    let locations = planned.locations();
    let mut places: BTreeMap<String, Vec<Location>> = BTreeMap::new();
    let file = |id| planned.tree.modules[id].file.path.clone();
    for (package, content) in plan.packages.iter() {
        prop_assert!(!content.modules.is_empty(), "{} is empty", content.stem);
        for &module in &content.modules {
            let of_module = places.entry(file(module)).or_default();
            of_module.push(Location::Package(package));
        }
    }
    for id in plan.image() {
        places.entry(file(id)).or_default().push(Location::Image);
    }
    for id in plan.excluded() {
        places.entry(file(id)).or_default().push(Location::Excluded);
    }
    for module in &world.modules {
        let file = module.file();
        let place = places.remove(&file).unwrap_or_default();
        prop_assert_eq!(&place, &[locations[file.as_str()]], "{}", file);
    }
    prop_assert!(places.is_empty(), "not of this world: {:?}", places);
    documented_once(world, planned)
}

/// The document has no less than the plan.
fn documented_once(world: &World, planned: &Planned) -> Result<(), TestCaseError> {
    let document = planned.document();
    let packages = document.packages.iter();
    let packages = packages.flat_map(|package| &package.modules);
    let all = packages.chain(&document.base).chain(&document.excluded);
    let mut written: Vec<_> = all.map(|module| module.path.clone()).collect();
    let mut expected: Vec<_> = world.modules.iter().map(|module| module.path()).collect();
    written.sort();
    expected.sort();
    prop_assert_eq!(written, expected);
    Ok(())
}

fn names(planned: &Planned) -> Result<(), TestCaseError> {
    let mut seen = BTreeSet::new();
    for package in planned.plan.packages.values() {
        let stem = package.stem.as_str();
        let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let others = |c: char| first(c) || matches!(c, '.' | '+' | '~' | '-');
        prop_assert!(stem.starts_with(first), "{:?}", stem);
        prop_assert!(stem.chars().all(others), "{:?}", stem);
        prop_assert!(seen.insert(stem), "two packages are called {}", stem);
    }
    Ok(())
}

/// Who needs whom, as the plan says it.
fn needs(planned: &Planned) -> BTreeMap<&str, BTreeSet<&str>> {
    let packages = &planned.plan.packages;
    let stem = |id| packages[id].stem.as_str();
    packages
        .iter()
        .map(|(id, package)| {
            let needs = package.needs.iter();
            (stem(id), needs.map(|&id| stem(id)).collect())
        })
        .collect()
}

/// Who must need whom, since modules do.
fn wanted<'p>(
    world: &World,
    planned: &'p Planned,
) -> Result<BTreeMap<&'p str, BTreeSet<&'p str>>, TestCaseError> {
    let locations = planned.locations();
    let stem = |id| planned.plan.packages[id].stem.as_str();
    let mut wanted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for module in &world.modules {
        let from = locations[module.file().as_str()];
        if let Location::Package(from) = from {
            wanted.entry(stem(from)).or_default();
        }
        for &needed in module.needs.keys() {
            let needed = &world.modules[needed];
            match (from, locations[needed.file().as_str()]) {
                (Location::Excluded, _) | (_, Location::Image) => {}
                (Location::Package(from), Location::Package(to)) if from == to => {}
                (Location::Package(from), Location::Package(to)) => {
                    wanted.entry(stem(from)).or_default().insert(stem(to));
                }
                (Location::Image, _) | (_, Location::Excluded) => {
                    prop_assert!(false, "{} misses {}", module.file(), needed.file());
                }
            }
        }
    }
    Ok(wanted)
}
