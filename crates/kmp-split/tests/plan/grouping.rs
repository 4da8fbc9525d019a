//! Tests how modules that no rule claims are grouped: per module, by directory, automatically.

use std::collections::{BTreeMap, BTreeSet};

use kmp_split::plan::Package;
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

/// The part of the kernel: two levels of drivers and architectures, one of all else.
fn part(directory: &str) -> String {
    let inside = directory.strip_prefix("kernel/").unwrap();
    let depth = if inside.starts_with("drivers/") || inside.starts_with("arch/") {
        2
    } else {
        1
    };
    inside.split('/').take(depth).collect::<Vec<_>>().join("/")
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

    /// Modules share packages only up to the size that is allowed, also those that nothing asks for.
    #[test]
    fn auto_makes_nothing_larger_than_allowed(
        kernel in free(),
        most in 1..20_usize,
        largest in 1..1024_u64,
    ) {
        let planned = planned(&kernel, auto(most, largest))?;
        for package in planned.plan.packages.values() {
            let sizes = package.modules.iter().map(|&id| planned.tree.modules[id].size);
            let fits = sizes.sum::<u64>() <= largest * 1024 || package.modules.len() == 1;
            prop_assert!(fits, "{} is too large", package.stem);
        }
    }

    /// Modules that nothing asks for have no package of their own if only one other package of their
    /// part of the kernel needs them and has room.
    #[test]
    fn auto_puts_helpers_to_their_only_user(kernel in free(), most in 1..60_usize) {
        let planned = planned(&kernel, auto(most, 256))?;
        let packages = &planned.plan.packages;
        let size = |package: &Package| {
            let sizes = package.modules.iter().map(|&id| planned.tree.modules[id].size);
            sizes.sum::<u64>()
        };
        let areas = |package: &Package| {
            let files = package.modules.iter().map(|&id| &planned.tree.modules[id].file);
            files.map(|file| part(file.directory())).collect::<BTreeSet<_>>()
        };
        for (id, package) in packages.iter() {
            let alias = |&id: &modtree::ModuleId| !planned.tree.modules[id].aliases.is_empty();
            let users: Vec<_> = packages.values().filter(|user| user.needs.contains(&id)).collect();
            if package.modules.iter().any(alias) || users.len() != 1 {
                continue;
            }
            let fits = size(package) + size(users[0]) <= 256 * 1024;
            let near = areas(package) == areas(users[0]);
            prop_assert!(!fits || !near, "{} is a helper", package.stem);
        }
    }
}

/// A driver and the only module that it needs, which nothing else asks for.
fn driver_and_helper(helper: &str, kib: u64) -> TestKernel {
    let modules: &[(&str, &[&str])] = &[("kernel/drivers/net/driver", &["helper"]), (helper, &[])];
    let mut kernel = TestKernel::written(modules);
    for module in &mut kernel.modules {
        module.size = kib * 1024;
    }
    kernel.modules[1].alias = None;
    kernel
}

#[test]
fn a_helper_joins_its_user_only_near_it_and_up_to_the_largest_size() {
    for (helper, kib, shared) in [
        ("kernel/drivers/net/phy/helper", 500, true),
        ("kernel/drivers/net/phy/helper", 900, false),
        ("kernel/crypto/helper", 500, false),
    ] {
        let planned = planned(&driver_and_helper(helper, kib), auto(600, 1024)).unwrap();
        let count = if shared { 1 } else { 2 };
        assert_eq!(planned.plan.packages.len(), count, "{helper} {kib}");
    }
}

/// Numbers of packages that cannot be met are warned of, with what prevents them.
#[test]
fn what_prevents_fewer_packages_is_said() {
    let kernel = |kib| driver_and_helper("kernel/drivers/net/phy/helper", kib);
    let warnings =
        |kernel: &TestKernel, rules| planned(kernel, rules).unwrap().plan.warnings.clone();
    let wants = "[grouping] packages = [1, 1] wants at most 1 packages, and there are 2: ";
    let too_large = warnings(&kernel(900), auto(1, 1024));
    assert_eq!(
        too_large,
        [format!("{wants}2 would exceed largest = 1024 together")]
    );
    let apart = warnings(&driver_and_helper("kernel/crypto/helper", 9), auto(1, 1024));
    let alone = "2 are each the only one of a part of the kernel, and parts are not joined";
    assert_eq!(apart, [format!("{wants}{alone}")]);
    assert!(warnings(&kernel(9), auto(1, 1024)).is_empty());
    let least = Rules {
        packages: (2, 9),
        ..auto(9, 1024)
    };
    assert_eq!(
        warnings(&kernel(9), least),
        [
            "[grouping] packages = [2, 9] wants at least 2 packages, and there are 1: 1 modules that \
          nothing asks for are with the only package that needs them"
        ]
    );
}
