//! Tests what stays where it was when modules come and go after a plan, and that everything that
//! moved is recorded.

use std::collections::{BTreeMap, BTreeSet};

use kmp_split::Document;
use kmp_split::plan::{FormerPackage, Location, PreviousPlan};
use policy::GroupBy;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::plan_case::{PlanCase, Planned, plan_cases};
use crate::rules::{Decision, ModuleRule, Rules, Selector, Set};
use crate::rulings::{Ruling, is_circular, may_stay, rulings};
use crate::test_kernel::{TestKernel, test_kernels};
use crate::{cases, promises};

/// A kernel before and after an update.
#[derive(Clone, Debug)]
struct Update {
    before: PlanCase,
    after: TestKernel,
}

fn some(kernel: &TestKernel, indices: &[Index]) -> BTreeSet<usize> {
    let index = |index: &Index| index.index(kernel.modules.len());
    indices.iter().map(index).collect()
}

/// Updates in which any modules come and go.
fn updates() -> impl Strategy<Value = Update> {
    let gone = || prop::collection::vec(any::<Index>(), 0..12);
    (plan_cases(2..=60, false), gone(), gone()).prop_map(|(whole, come, go)| Update {
        after: whole.kernel.without(&some(&whole.kernel, &go)),
        before: PlanCase {
            kernel: whole.kernel.without(&some(&whole.kernel, &come)),
            rules: whole.rules,
        },
    })
}

/// Updates in which only modules come and go that no other module needs and no rule names.
fn updates_of_leaves() -> impl Strategy<Value = Update> {
    updates_within(plan_cases(2..=60, false))
}

fn updates_within(plan_cases: impl Strategy<Value = PlanCase>) -> impl Strategy<Value = Update> {
    let gone = || prop::collection::vec(any::<Index>(), 0..24);
    (plan_cases, gone(), gone()).prop_map(|(whole, come, go)| {
        let PlanCase { kernel, rules } = &whole;
        let rulings = rulings(kernel, rules).unwrap_or_default();
        let less = |gone: &[Index]| {
            let mut gone = some(kernel, gone);
            gone.retain(|&index| rulings.get(index) == Some(&Ruling::Free));
            gone.retain(|&index| kernel.users(index).next().is_none());
            kernel.without(&gone)
        };
        Update {
            after: less(&go),
            before: PlanCase {
                kernel: less(&come),
                rules: rules.clone(),
            },
        }
    })
}

fn previous(planned: &Planned) -> PreviousPlan {
    planned.document().previous()
}

/// Checks that the second plan records all modules that moved, and no others.
fn moved_is_recorded(before: &Planned, after: &Planned) -> Result<(), TestCaseError> {
    let stems = before.stems();
    let now = after.stems();
    let elsewhere = |(file, stem): &(&&str, &Option<&str>)| {
        now.get(*file).is_some_and(|now| now != *stem) && stem.is_some()
    };
    let expected: BTreeMap<&str, (&str, Option<&str>)> = stems
        .iter()
        .filter(elsewhere)
        .map(|(file, stem)| (*file, (stem.unwrap(), now[file])))
        .collect();
    let recorded: BTreeMap<&str, (&str, Option<&str>)> = after
        .plan
        .moved
        .iter()
        .filter_map(|moved| {
            let file = after.tree.modules[moved.module].file.path.as_str();
            let to = match moved.to {
                Location::Package(id) => Some(after.plan.packages[id].stem.as_str()),
                Location::Image | Location::Excluded => None,
            };
            let FormerPackage::Stem(from) = &moved.from else {
                return None;
            };
            Some((file, (from.as_str(), to)))
        })
        .collect();
    let from_packages = after
        .plan
        .moved
        .iter()
        .filter(|moved| moved.from != FormerPackage::Image);
    prop_assert_eq!(recorded.len(), from_packages.count(), "recorded twice");
    prop_assert_eq!(recorded, expected);
    Ok(())
}

/// The packages that modules were in and that no rule takes them out of now, by the modules' files.
fn free_to_stay(
    before: &Planned,
    after: &PlanCase,
    rulings: &[Ruling],
) -> BTreeMap<String, String> {
    let packages = before.plan.packages.values();
    let homes = packages.flat_map(|package| package.modules.iter().map(move |&id| (id, package)));
    let stays = homes.filter_map(|(id, package)| {
        let file = &before.tree.modules[id].file.path;
        let index = after.kernel.at(file)?;
        let home = (package.stem.as_str(), package.support.is_supported());
        let stays = may_stay(&after.kernel, &after.rules, rulings, index, home);
        stays.then(|| (file.clone(), package.stem.clone()))
    });
    stays.collect()
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn the_same_tree_stays_as_it_is(case in plan_cases(1..=60, false)) {
        let Ok(first) = case.plan(None) else { return Ok(()) };
        let second = case.plan(Some(&previous(&first)));
        let Ok(second) = second else {
            prop_assert!(false, "no second plan: {}", second.err().unwrap());
            return Ok(());
        };
        promises::kept(&case.kernel, &second)?;
        prop_assert_eq!(first.stems(), second.stems());
        prop_assert!(second.plan.moved.is_empty());
    }

    #[test]
    fn nothing_moves_for_a_module_that_nothing_needs(update in updates_of_leaves()) {
        let Update { before, after } = update;
        let Ok(first) = before.plan(None) else { return Ok(()) };
        let after = PlanCase { kernel: after, rules: before.rules };
        let second = after.plan(Some(&previous(&first)));
        let Ok(second) = second else {
            prop_assert!(false, "no second plan: {}", second.err().unwrap());
            return Ok(());
        };
        promises::kept(&after.kernel, &second)?;
        moved_is_recorded(&first, &second)?;
        let moved: Vec<_> = second.document().moved.into_iter().map(|moved| moved.module).collect();
        prop_assert!(moved.is_empty(), "{:?}", moved);
    }

    /// A rule that matches other modules now may move some modules, and a circle may move others.
    #[test]
    fn modules_move_only_by_a_rule_or_for_a_circle(update in updates()) {
        let Update { before, after } = update;
        let Ok(first) = before.plan(None) else { return Ok(()) };
        let after = PlanCase { kernel: after, rules: before.rules };
        let Ok(rulings) = rulings(&after.kernel, &after.rules) else {
            prop_assert!(after.plan(Some(&previous(&first))).is_err());
            return Ok(());
        };
        let second = after.plan(Some(&previous(&first)));
        let Ok(second) = second else {
            prop_assert!(false, "no second plan: {}", second.err().unwrap());
            return Ok(());
        };
        promises::kept(&after.kernel, &second)?;
        moved_is_recorded(&first, &second)?;
        let stems = free_to_stay(&first, &after, &rulings);
        if is_circular(&after.kernel, &rulings, &stems) {
            return Ok(());
        }
        // The image package loses modules that nothing in it needs any more.
        for moved in second.plan.moved.iter().filter(|moved| moved.from != FormerPackage::Image) {
            let file = &second.tree.modules[moved.module].file.path;
            prop_assert!(!stems.contains_key(file), "{} moved from {:?}", file, moved.from);
        }
    }

    /// With other rules modules move. The plan records that, and keeps its promises.
    #[test]
    fn what_other_rules_move_is_recorded(
        (before, after) in (test_kernels(1..=40, 0.4), crate::rules::rules(), crate::rules::rules())
            .prop_map(|(kernel, before, after)| {
                let case = |rules: Rules| PlanCase { kernel: kernel.clone(), rules };
                (case(before.about(&kernel)), case(after.about(&kernel)))
            })
    ) {
        let Ok(first) = before.plan(None) else { return Ok(()) };
        let rulings = rulings(&after.kernel, &after.rules);
        match (rulings, after.plan(Some(&previous(&first)))) {
            (Ok(rulings), Ok(second)) => {
                promises::kept(&after.kernel, &second)?;
                crate::rulings::followed(&after.kernel, &after.rules, &rulings, &second)?;
                moved_is_recorded(&first, &second)?;
            }
            (Err(refusal), Err(error)) => crate::refusals::check(&after, &refusal, &error)?,
            (Ok(_), Err(error)) => prop_assert!(false, "no second plan: {}", error),
            (Err(refusal), Ok(_)) => prop_assert!(false, "the rules forbid a plan: {:?}", refusal),
        }
    }
}

/// Plans two cases one after the other. Returns the stems of both, with `-` for modules without one.
fn in_turn(before: PlanCase, after: PlanCase) -> [Vec<String>; 2] {
    let first = before.plan(None).unwrap();
    let second = after.plan(Some(&previous(&first))).unwrap();
    promises::kept(&after.kernel, &second).unwrap();
    [first, second].map(|planned| {
        let stems = planned.stems().into_iter();
        stems
            .map(|(file, stem)| format!("{file} {}", stem.unwrap_or("-")))
            .collect()
    })
}

fn auto(most: usize) -> Rules {
    Rules {
        packages: (1, most),
        ..Rules::grouping(GroupBy::Auto)
    }
}

/// Modules are sorted by path, so the ends of a chain come before what is between them.
#[test]
fn a_chain_stays_in_one_package_in_any_order() {
    let kernel = TestKernel::written(&[
        ("kernel/fs/a", &["c"]),
        ("kernel/fs/b", &[]),
        ("kernel/fs/c", &["b"]),
    ]);
    let case = |most| PlanCase {
        kernel: kernel.clone(),
        rules: auto(most),
    };
    let [first, second] = in_turn(case(1), case(600));
    assert_eq!(second, first);
}

/// The package of an earlier plan keeps its name, whichever of its modules is the first.
#[test]
fn a_new_module_joins_a_package_that_is_there() {
    let case = |modules| PlanCase {
        kernel: TestKernel::written(modules),
        rules: auto(1),
    };
    let [_, second] = in_turn(
        case(&[("kernel/fs/z", &[])]),
        case(&[("kernel/fs/a", &[]), ("kernel/fs/z", &[])]),
    );
    assert_eq!(second, ["kernel/fs/a.ko z", "kernel/fs/z.ko z"]);
}

#[test]
fn a_new_module_of_a_directory_is_not_lost() {
    let case = |modules| PlanCase {
        kernel: TestKernel::written(modules),
        rules: Rules::grouping(GroupBy::Directory),
    };
    let [_, second] = in_turn(
        case(&[("kernel/fs/z", &[])]),
        case(&[("kernel/fs/a", &[]), ("kernel/fs/z", &[])]),
    );
    assert_eq!(second, ["kernel/fs/a.ko fs", "kernel/fs/z.ko fs"]);
}

#[test]
fn a_helper_stays_with_its_set() {
    let mut kernel =
        TestKernel::written(&[("kernel/fs/user", &["helper"]), ("kernel/lib/helper", &[])]);
    kernel.modules[1].alias = None;
    let mut rules = auto(600);
    rules.sets.push(Set {
        name: "ours",
        members: vec![Selector::Name("user".to_owned())],
        except: Vec::new(),
        priority: 0,
    });
    let case = PlanCase { kernel, rules };
    let [first, second] = in_turn(case.clone(), case);
    assert_eq!(
        first,
        ["kernel/fs/user.ko ours", "kernel/lib/helper.ko ours"]
    );
    assert_eq!(second, first);
}

/// Only the set needs the helper. It would join the set if the set did not except it.
#[test]
fn a_helper_that_its_set_excepts_is_never_in_it() {
    let mut kernel =
        TestKernel::written(&[("kernel/fs/user", &["helper"]), ("kernel/lib/helper", &[])]);
    kernel.modules[1].alias = None;
    let mut rules = auto(600);
    rules.sets.push(Set {
        name: "ours",
        members: vec![Selector::Name("user".to_owned())],
        except: vec![Selector::Name("helper".to_owned())],
        priority: 0,
    });
    let case = PlanCase { kernel, rules };
    let [first, second] = in_turn(case.clone(), case);
    assert_eq!(
        first,
        ["kernel/fs/user.ko ours", "kernel/lib/helper.ko helper"]
    );
    assert_eq!(second, first);
}

/// The set has no modules, so the package is not the set.
#[test]
fn a_package_that_is_only_called_like_a_set_keeps_what_the_set_excepts() {
    let mut rules = auto(1);
    rules.sets.push(Set {
        name: "fs",
        members: Vec::new(),
        except: vec![Selector::Below("kernel/fs".to_owned())],
        priority: 0,
    });
    // The second plan allows more packages, so only the earlier plan keeps the modules together.
    let case = |most| PlanCase {
        kernel: TestKernel::written(&[("kernel/fs/a", &[]), ("kernel/fs/b", &[])]),
        rules: Rules {
            packages: (most, most),
            ..rules.clone()
        },
    };
    let [first, second] = in_turn(case(1), case(600));
    assert_eq!(first, ["kernel/fs/a.ko fs", "kernel/fs/b.ko fs"]);
    assert_eq!(second, first);
}

/// The rules leave the set only the last module of a chain. The first one needs it through another.
#[test]
fn a_chain_that_ends_in_a_set_stays_with_it() {
    let case = |b: &[&str]| {
        let mut rules = auto(600);
        rules.sets.push(Set {
            name: "ours",
            members: vec![
                Selector::Name("c".to_owned()),
                Selector::Needs("d".to_owned()),
            ],
            except: Vec::new(),
            priority: 0,
        });
        let modules: &[(&str, &[&str])] = &[
            ("kernel/fs/a", &["b"]),
            ("kernel/fs/b", b),
            ("kernel/fs/c", &[]),
            ("kernel/fs/d", &[]),
        ];
        let kernel = TestKernel::written(modules);
        PlanCase { kernel, rules }
    };
    let [first, second] = in_turn(case(&["c", "d"]), case(&["c"]));
    assert_eq!(
        first,
        [
            "kernel/fs/a.ko ours",
            "kernel/fs/b.ko ours",
            "kernel/fs/c.ko ours",
            "kernel/fs/d.ko d",
        ]
    );
    assert_eq!(second, first);
}

/// A rule may give a package of unsupported modules any name. The planner may not.
#[test]
fn an_unsupported_module_gets_a_name_that_says_so_when_its_rule_goes() {
    let rule = |decision| ModuleRule {
        which: vec![Selector::Name("a".to_owned())],
        decision,
    };
    let mut rules = Rules {
        unsupported: "-extra",
        ..Rules::grouping(GroupBy::PerModule)
    };
    rules.modules = vec![
        rule(Decision::Supported("no")),
        rule(Decision::Package("storage")),
    ];
    let before = PlanCase {
        kernel: TestKernel::written(&[("kernel/fs/a", &[])]),
        rules,
    };
    let mut after = before.clone();
    after.rules.modules.pop();
    let [first, second] = in_turn(before, after);
    assert_eq!(first, ["kernel/fs/a.ko storage"]);
    assert_eq!(second, ["kernel/fs/a.ko a-extra"]);
}

/// Whether a package is kept apart is in the plan. Its name shows only what the policy wanted when
/// the package was made.
#[test]
fn an_unsupported_package_keeps_its_name_when_the_suffix_changes() {
    let case = |unsupported| PlanCase {
        kernel: TestKernel::written(&[("kernel/fs/a", &[])]),
        rules: Rules {
            unsupported,
            modules: vec![ModuleRule {
                which: vec![Selector::Name("a".to_owned())],
                decision: Decision::Supported("no"),
            }],
            ..Rules::grouping(GroupBy::PerModule)
        },
    };
    let mut planned = case("-extra").plan(None).unwrap();
    for unsupported in ["-unsupported", "-unsupported", "-extra"] {
        planned = case(unsupported).plan(Some(&previous(&planned))).unwrap();
        let stems: Vec<_> = planned.stems().into_values().collect();
        assert_eq!(stems, [Some("a-extra")], "{unsupported}");
        assert!(planned.json().contains("\"apart\": true"));
    }
}

/// A module is excluded, or the kernel lacks it, in one build, and in the next one it is in another
/// package. Whoever skips the build between gets it from there.
#[test]
fn a_module_that_was_away_is_found_again() {
    let whole = TestKernel::written(&[("kernel/fs/a", &[]), ("kernel/fs/b", &[])]);
    let rule = |decision| ModuleRule {
        which: vec![Selector::Name("a".to_owned())],
        decision,
    };
    let case = |kernel: &TestKernel, modules| PlanCase {
        kernel: kernel.clone(),
        rules: Rules {
            modules,
            ..auto(600)
        },
    };
    let absent = case(&whole.without(&BTreeSet::from([0])), Vec::new());
    let excluded = case(&whole, vec![rule(Decision::Exclude(true))]);
    for away in [absent, excluded] {
        let ours = |package| case(&whole, vec![rule(Decision::Package(package))]);
        let first = ours("first").plan(None).unwrap();
        let second = away.plan(Some(&previous(&first))).unwrap();
        assert!(second.json().contains("kernel/fs/a"), "it is remembered");
        let longer = away.plan(Some(&previous(&second))).unwrap();
        let third = ours("second").plan(Some(&previous(&longer))).unwrap();
        let left = third.document().left;
        let [left] = &left[..] else {
            panic!("{left:?}");
        };
        assert_eq!(left.stem, FormerPackage::Stem("first".to_owned()));
        assert_eq!(left.modules, ["kernel/fs/a"]);
        let back = ours("first").plan(Some(&previous(&longer))).unwrap();
        assert!(back.document().left.is_empty());
    }
}

#[test]
fn a_plan_of_another_format_is_refused() {
    let case = PlanCase {
        kernel: TestKernel::written(&[("kernel/fs/a", &[])]),
        rules: auto(1),
    };
    let json = case.plan(None).unwrap().json();
    for (old, new) in [
        ("kmpkit-plan-1", "kmpkit-plan-2"),
        ("\"stem\": \"a\"", "\"stem\": \"a b\""),
        ("{", ""),
    ] {
        let document = Document::parse(json.replacen(old, new, 1).as_bytes());
        assert!(document.is_err(), "{new}");
    }
}
