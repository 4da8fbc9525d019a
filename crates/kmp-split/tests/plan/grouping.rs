//! What becomes of modules that no rule claims: one by one, by directory, automatically.

use std::collections::{BTreeMap, BTreeSet};

use policy::GroupBy;
use proptest::prelude::*;

use crate::rules::Rules;
use crate::scene::{Planned, Scene};
use crate::world::{World, worlds};
use crate::{cases, promises};

/// Worlds without rules, some of whose modules are called alike.
fn free() -> impl Strategy<Value = World> {
    worlds(1..=60, 0.2)
}

fn planned(world: &World, rules: Rules) -> Result<Planned, TestCaseError> {
    let world = world.clone();
    let scene = Scene { world, rules };
    let planned = scene.plan(None);
    let planned = planned.map_err(|error| TestCaseError::fail(error.to_string()))?;
    promises::kept(&scene.world, &planned)?;
    Ok(planned)
}

fn auto(most: usize, largest: u64) -> Rules {
    Rules {
        packages: (1, most),
        largest,
        ..Rules::grouping(GroupBy::Auto)
    }
}

/// The files of each package, by stem.
fn packages(planned: &Planned) -> BTreeMap<&str, Vec<&str>> {
    let mut packages: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (file, stem) in planned.stems() {
        packages.entry(stem.unwrap()).or_default().push(file);
    }
    packages
}

/// `kernel/drivers/net/usb/foo.ko` in `drivers-net`, if that deep.
fn directory(file: &str, depth: usize) -> String {
    let (directory, _) = file.rsplit_once('/').unwrap();
    let inside = directory.strip_prefix("kernel/").unwrap();
    let parts: Vec<_> = inside.split('/').take(depth).collect();
    parts.join("-")
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn per_module_each_has_a_package(world in free()) {
        let planned = planned(&world, Rules::grouping(GroupBy::PerModule))?;
        prop_assert_eq!(planned.plan.packages.len(), world.modules.len());
    }

    /// Directories that need each other are divided, never refused.
    #[test]
    fn a_directory_never_fails(world in free(), depth in 1..4_usize) {
        let rules = Rules { depth, ..Rules::grouping(GroupBy::Directory) };
        let planned = planned(&world, rules)?;
        for (stem, files) in packages(&planned) {
            let names: BTreeSet<_> = files.iter().map(|file| directory(file, depth)).collect();
            prop_assert_eq!(names.len(), 1, "{}: {:?}", stem, files);
            let name = names.first().unwrap();
            let number = stem.strip_prefix(name.as_str()).map(|rest| rest.strip_prefix('-'));
            let number = number.map(|number| number.map(str::parse::<u32>));
            prop_assert!(matches!(number, Some(None | Some(Ok(_)))), "{} of {}", stem, name);
        }
    }

    #[test]
    fn auto_makes_no_more_than_one_each(world in free(), most in 1..60_usize, largest in 1..2048_u64) {
        let planned = planned(&world, auto(most, largest))?;
        prop_assert!(planned.plan.packages.len() <= world.modules.len());
    }

    /// Modules of one part of the kernel that fit into one package allow any number of them,
    /// whoever needs whom.
    #[test]
    fn auto_keeps_the_upper_bound_where_modules_allow_it(world in free(), most in 1..20_usize) {
        let mut world = world;
        for module in &mut world.modules {
            module.directory = format!("kernel/drivers/net/{}", module.directory);
        }
        let total: u64 = world.modules.iter().map(|module| module.size).sum();
        let planned = planned(&world, auto(most, total.div_ceil(1024)))?;
        let count = planned.plan.packages.len();
        prop_assert!(count <= most, "{} packages", count);
    }

    /// Who can be asked for is put together with others only up to the size that is allowed.
    #[test]
    fn auto_makes_nothing_larger_than_allowed(
        world in free(),
        most in 1..20_usize,
        largest in 1..1024_u64,
    ) {
        let mut world = world;
        for module in &mut world.modules {
            module.alias = Some("fs-foo");
        }
        let planned = planned(&world, auto(most, largest))?;
        for package in planned.plan.packages.values() {
            let sizes = package.modules.iter().map(|&id| planned.tree.modules[id].size);
            let fits = sizes.sum::<u64>() <= largest * 1024 || package.modules.len() == 1;
            prop_assert!(fits, "{} is too large", package.stem);
        }
    }

    /// What nothing can ask for is in no package of its own if only one other package needs it.
    #[test]
    fn auto_puts_helpers_to_their_only_user(world in free(), most in 1..60_usize) {
        let planned = planned(&world, auto(most, 256))?;
        let packages = &planned.plan.packages;
        for (id, package) in packages.iter() {
            let alias = |&id: &modtree::ModuleId| !planned.tree.modules[id].aliases.is_empty();
            let users = packages.values().filter(|user| user.needs.contains(&id)).count();
            let asked_for = package.modules.iter().any(alias);
            prop_assert!(asked_for || users != 1, "{} is a helper", package.stem);
        }
    }
}
