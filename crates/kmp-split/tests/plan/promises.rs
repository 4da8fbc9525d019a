//! Checks that a plan keeps what every plan promises. Which module needs which is taken from the test
//! kernel, not from the planner.

use std::collections::{BTreeMap, BTreeSet};

use kmp_split::Document;
use kmp_split::plan::Location;
use proptest::prelude::*;

use crate::circle::circle;
use crate::plan_case::Planned;
use crate::test_kernel::TestKernel;

/// Checks that each module is in one place, that packages need what their modules need and nothing
/// else, that there is no circle, that the image needs no package, and that names are valid and
/// unique.
pub fn kept(kernel: &TestKernel, planned: &Planned) -> Result<(), TestCaseError> {
    each_module_in_one_place(kernel, planned)?;
    names(planned)?;
    let needs = needs(planned);
    let wanted = wanted(kernel, planned)?;
    prop_assert_eq!(&needs, &wanted);
    let packages: Vec<&str> = needs.keys().copied().collect();
    let index = |stem: &str| packages.binary_search(&stem).unwrap();
    let edges = needs
        .iter()
        .flat_map(|(from, to)| to.iter().map(|to| (index(from), index(to))));
    prop_assert_eq!(circle(packages.len(), edges), None);
    Ok(())
}

fn each_module_in_one_place(kernel: &TestKernel, planned: &Planned) -> Result<(), TestCaseError> {
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
    for module in &kernel.modules {
        let file = module.file();
        let index = places.remove(&file).unwrap_or_default();
        prop_assert_eq!(&index, &[locations[file.as_str()]], "{}", file);
    }
    prop_assert!(places.is_empty(), "not in this kernel: {:?}", places);
    documented_once(kernel, planned)
}

/// The document has each module once, and can be read.
fn documented_once(kernel: &TestKernel, planned: &Planned) -> Result<(), TestCaseError> {
    let document = planned.document();
    let packages = document.packages.iter();
    let packages = packages.flat_map(|package| &package.modules);
    let all = packages.chain(&document.base).chain(&document.excluded);
    let mut written: Vec<_> = all.map(|module| module.path.clone()).collect();
    let mut expected: Vec<_> = kernel.modules.iter().map(|module| module.path()).collect();
    written.sort();
    expected.sort();
    prop_assert_eq!(written, expected);
    let json = document.json().unwrap();
    let read = Document::parse(json.as_bytes()).unwrap();
    prop_assert_eq!(read.json().unwrap(), json);
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

/// Which package needs which, as the plan says.
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

/// Which package must need which, because their modules do.
fn wanted<'p>(
    kernel: &TestKernel,
    planned: &'p Planned,
) -> Result<BTreeMap<&'p str, BTreeSet<&'p str>>, TestCaseError> {
    let locations = planned.locations();
    let stem = |id| planned.plan.packages[id].stem.as_str();
    let mut wanted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for module in &kernel.modules {
        let from = locations[module.file().as_str()];
        if let Location::Package(from) = from {
            wanted.entry(stem(from)).or_default();
        }
        for &needed in module.needs.keys() {
            let needed = &kernel.modules[needed];
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
