//! Tests how modules that no rule claims are grouped: per module, by directory, automatically.

use std::collections::{BTreeMap, BTreeSet};

use policy::GroupBy;
use proptest::prelude::*;

use crate::plan_case::{PlanCase, Planned};
use crate::rules::Rules;
use crate::test_kernel::{TestKernel, test_kernels};
use crate::{cases, promises};

/// Kernels without rules, in which some modules have similar names.
fn free() -> impl Strategy<Value = TestKernel> {
    test_kernels(1..=60, 0.2)
}

fn planned(kernel: &TestKernel, rules: Rules) -> Result<Planned, TestCaseError> {
    let kernel = kernel.clone();
    let case = PlanCase { kernel, rules };
    let planned = case.plan(None);
    let planned = planned.map_err(|error| TestCaseError::fail(error.to_string()))?;
    promises::kept(&case.kernel, &planned)?;
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
    fn per_module_each_has_a_package(kernel in free()) {
        let planned = planned(&kernel, Rules::grouping(GroupBy::PerModule))?;
        prop_assert_eq!(planned.plan.packages.len(), kernel.modules.len());
    }

    /// Directories that need each other are divided. That is never an error.
    #[test]
    fn a_directory_never_fails(kernel in free(), depth in 1..4_usize) {
        let rules = Rules { depth, ..Rules::grouping(GroupBy::Directory) };
        let planned = planned(&kernel, rules)?;
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
    fn auto_makes_no_more_than_one_each(kernel in free(), most in 1..60_usize, largest in 1..2048_u64) {
        let planned = planned(&kernel, auto(most, largest))?;
        prop_assert!(planned.plan.packages.len() <= kernel.modules.len());
    }

    /// Modules of one part of the kernel that fit into one package can be put into any number of
    /// packages, whichever module needs which.
    #[test]
    fn auto_keeps_the_upper_bound_where_modules_allow_it(kernel in free(), most in 1..20_usize) {
        let mut kernel = kernel;
        for module in &mut kernel.modules {
            module.directory = format!("kernel/drivers/net/{}", module.directory);
        }
        let total: u64 = kernel.modules.iter().map(|module| module.size).sum();
        let planned = planned(&kernel, auto(most, total.div_ceil(1024)))?;
        let count = planned.plan.packages.len();
        prop_assert!(count <= most, "{} packages", count);
    }

    /// Modules that something can ask for share packages only up to the size that is allowed.
    #[test]
    fn auto_makes_nothing_larger_than_allowed(
        kernel in free(),
        most in 1..20_usize,
        largest in 1..1024_u64,
    ) {
        let mut kernel = kernel;
        for module in &mut kernel.modules {
            module.alias = Some("fs-foo");
        }
        let planned = planned(&kernel, auto(most, largest))?;
        for package in planned.plan.packages.values() {
            let sizes = package.modules.iter().map(|&id| planned.tree.modules[id].size);
            let fits = sizes.sum::<u64>() <= largest * 1024 || package.modules.len() == 1;
            prop_assert!(fits, "{} is too large", package.stem);
        }
    }

    /// Modules that nothing asks for have no package of their own if only one other package needs
    /// them.
    #[test]
    fn auto_puts_helpers_to_their_only_user(kernel in free(), most in 1..60_usize) {
        let planned = planned(&kernel, auto(most, 256))?;
        let packages = &planned.plan.packages;
        for (id, package) in packages.iter() {
            let alias = |&id: &modtree::ModuleId| !planned.tree.modules[id].aliases.is_empty();
            let users = packages.values().filter(|user| user.needs.contains(&id)).count();
            let asked_for = package.modules.iter().any(alias);
            prop_assert!(asked_for || users != 1, "{} is a helper", package.stem);
        }
    }
}
