//! A plan, then modules come and go: what stays where it was, and whether the rest is told.

use std::collections::{BTreeMap, BTreeSet};

use kmp_split::plan::{Location, Previous};
use policy::GroupBy;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fate::{Fate, fates, is_circular, may_stay};
use crate::rules::{Decision, ModuleRule, Rules, Selector, Set};
use crate::scene::{Planned, Scene, scenes};
use crate::world::{World, worlds};
use crate::{cases, promises};

/// A kernel before and after an update.
#[derive(Clone, Debug)]
struct Update {
    before: Scene,
    after: World,
}

fn some(world: &World, indices: &[Index]) -> BTreeSet<usize> {
    let index = |index: &Index| index.index(world.modules.len());
    indices.iter().map(index).collect()
}

/// Modules come and go, whoever needs them.
fn updates() -> impl Strategy<Value = Update> {
    let gone = || prop::collection::vec(any::<Index>(), 0..12);
    (scenes(2..=60, false), gone(), gone()).prop_map(|(whole, come, go)| Update {
        after: whole.world.without(&some(&whole.world, &go)),
        before: Scene {
            world: whole.world.without(&some(&whole.world, &come)),
            rules: whole.rules,
        },
    })
}

/// Only modules come and go that no other needs and no rule speaks of.
fn updates_of_leaves() -> impl Strategy<Value = Update> {
    updates_within(scenes(2..=60, false))
}

fn updates_within(scenes: impl Strategy<Value = Scene>) -> impl Strategy<Value = Update> {
    let gone = || prop::collection::vec(any::<Index>(), 0..24);
    (scenes, gone(), gone()).prop_map(|(whole, come, go)| {
        let Scene { world, rules } = &whole;
        let fates = fates(world, rules).unwrap_or_default();
        let less = |gone: &[Index]| {
            let mut gone = some(world, gone);
            gone.retain(|&place| fates.get(place) == Some(&Fate::Free));
            gone.retain(|&place| world.users(place).next().is_none());
            world.without(&gone)
        };
        Update {
            after: less(&go),
            before: Scene {
                world: less(&come),
                rules: rules.clone(),
            },
        }
    })
}

fn previous(planned: &Planned) -> Previous {
    planned.document().previous()
}

/// What the second plan says has moved, against what has.
fn moved_is_told(before: &Planned, after: &Planned) -> Result<(), TestCaseError> {
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
    let told: BTreeMap<&str, (&str, Option<&str>)> = after
        .plan
        .moved
        .iter()
        .filter_map(|moved| {
            let file = after.tree.modules[moved.module].file.path.as_str();
            let to = match moved.to {
                Location::Package(id) => Some(after.plan.packages[id].stem.as_str()),
                Location::Image | Location::Excluded => None,
            };
            Some((file, (moved.from.as_deref()?, to)))
        })
        .collect();
    let from_packages = after.plan.moved.iter().filter(|moved| moved.from.is_some());
    prop_assert_eq!(told.len(), from_packages.count(), "told twice");
    prop_assert_eq!(told, expected);
    Ok(())
}

/// The packages of the modules that no rule takes out of them now, by their files.
fn free_to_stay(before: &Planned, after: &Scene, fates: &[Fate]) -> BTreeMap<String, String> {
    let packages = before.plan.packages.values();
    let homes = packages.flat_map(|package| package.modules.iter().map(move |&id| (id, package)));
    let stays = homes.filter_map(|(id, package)| {
        let file = &before.tree.modules[id].file.path;
        let place = after.world.at(file)?;
        let home = (package.stem.as_str(), package.supported);
        let stays = may_stay(&after.world, &after.rules, fates, place, home);
        stays.then(|| (file.clone(), package.stem.clone()))
    });
    stays.collect()
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn the_same_tree_stays_as_it_is(scene in scenes(1..=60, false)) {
        let Ok(first) = scene.plan(None) else { return Ok(()) };
        let second = scene.plan(Some(&previous(&first)));
        let Ok(second) = second else {
            prop_assert!(false, "no second plan: {}", second.err().unwrap());
            return Ok(());
        };
        promises::kept(&scene.world, &second)?;
        prop_assert_eq!(first.stems(), second.stems());
        prop_assert!(second.plan.moved.is_empty());
    }

    #[test]
    fn nothing_moves_for_a_module_that_nothing_needs(update in updates_of_leaves()) {
        let Update { before, after } = update;
        let Ok(first) = before.plan(None) else { return Ok(()) };
        let after = Scene { world: after, rules: before.rules };
        let second = after.plan(Some(&previous(&first)));
        let Ok(second) = second else {
            prop_assert!(false, "no second plan: {}", second.err().unwrap());
            return Ok(());
        };
        promises::kept(&after.world, &second)?;
        moved_is_told(&first, &second)?;
        let moved: Vec<_> = second.document().moved.into_iter().map(|moved| moved.module).collect();
        prop_assert!(moved.is_empty(), "{:?}", moved);
    }

    /// A rule that holds for other modules now may move some, and a circle others.
    #[test]
    fn modules_move_only_by_a_rule_or_for_a_circle(update in updates()) {
        let Update { before, after } = update;
        let Ok(first) = before.plan(None) else { return Ok(()) };
        let after = Scene { world: after, rules: before.rules };
        let Ok(fates) = fates(&after.world, &after.rules) else {
            prop_assert!(after.plan(Some(&previous(&first))).is_err());
            return Ok(());
        };
        let second = after.plan(Some(&previous(&first)));
        let Ok(second) = second else {
            prop_assert!(false, "no second plan: {}", second.err().unwrap());
            return Ok(());
        };
        promises::kept(&after.world, &second)?;
        moved_is_told(&first, &second)?;
        let stems = free_to_stay(&first, &after, &fates);
        if is_circular(&after.world, &fates, &stems) {
            return Ok(());
        }
        // The image gives away what nothing there needs any more.
        for moved in second.plan.moved.iter().filter(|moved| moved.from.is_some()) {
            let file = &second.tree.modules[moved.module].file.path;
            prop_assert!(!stems.contains_key(file), "{} moved from {:?}", file, moved.from);
        }
    }

    /// Other rules: what moves is told, and no promise is broken.
    #[test]
    fn other_rules_move_modules_openly(
        (before, after) in (worlds(1..=40, 0.4), crate::rules::rules(), crate::rules::rules())
            .prop_map(|(world, before, after)| {
                let scene = |rules: Rules| Scene { world: world.clone(), rules };
                (scene(before.about(&world)), scene(after.about(&world)))
            })
    ) {
        let Ok(first) = before.plan(None) else { return Ok(()) };
        let fates = fates(&after.world, &after.rules);
        match (fates, after.plan(Some(&previous(&first)))) {
            (Ok(fates), Ok(second)) => {
                promises::kept(&after.world, &second)?;
                crate::fate::followed(&after.world, &after.rules, &fates, &second)?;
                moved_is_told(&first, &second)?;
            }
            (Err(refusal), Err(error)) => crate::told::rightly(&after, &refusal, &error)?,
            (Ok(_), Err(error)) => prop_assert!(false, "no second plan: {}", error),
            (Err(refusal), Ok(_)) => prop_assert!(false, "in spite of {:?}", refusal),
        }
    }
}

/// Plans two worlds one after the other; the stems of both, `-` where there is none.
fn in_turn(before: Scene, after: Scene) -> [Vec<String>; 2] {
    let first = before.plan(None).unwrap();
    let second = after.plan(Some(&previous(&first))).unwrap();
    promises::kept(&after.world, &second).unwrap();
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

/// Paths sort otherwise than needs: the ends of a chain come before what is between them.
#[test]
fn a_chain_stays_in_one_package_in_any_order() {
    let world = World::written(&[
        ("kernel/fs/a", &["c"]),
        ("kernel/fs/b", &[]),
        ("kernel/fs/c", &["b"]),
    ]);
    let scene = |most| Scene {
        world: world.clone(),
        rules: auto(most),
    };
    let [first, second] = in_turn(scene(1), scene(600));
    assert_eq!(second, first);
}

/// The package of an earlier plan keeps its name, whichever module comes first.
#[test]
fn a_new_module_joins_a_package_that_is_there() {
    let scene = |modules| Scene {
        world: World::written(modules),
        rules: auto(1),
    };
    let [_, second] = in_turn(
        scene(&[("kernel/fs/z", &[])]),
        scene(&[("kernel/fs/a", &[]), ("kernel/fs/z", &[])]),
    );
    assert_eq!(second, ["kernel/fs/a.ko z", "kernel/fs/z.ko z"]);
}

#[test]
fn a_new_module_of_a_directory_is_not_lost() {
    let scene = |modules| Scene {
        world: World::written(modules),
        rules: Rules::grouping(GroupBy::Directory),
    };
    let [_, second] = in_turn(
        scene(&[("kernel/fs/z", &[])]),
        scene(&[("kernel/fs/a", &[]), ("kernel/fs/z", &[])]),
    );
    assert_eq!(second, ["kernel/fs/a.ko fs", "kernel/fs/z.ko fs"]);
}

#[test]
fn a_helper_stays_with_its_set() {
    let mut world = World::written(&[("kernel/fs/user", &["helper"]), ("kernel/lib/helper", &[])]);
    world.modules[1].alias = None;
    let mut rules = auto(600);
    rules.sets.push(Set {
        name: "ours",
        members: vec![Selector::Name("user".to_owned())],
        except: Vec::new(),
        priority: 0,
    });
    let scene = Scene { world, rules };
    let [first, second] = in_turn(scene.clone(), scene);
    assert_eq!(
        first,
        ["kernel/fs/user.ko ours", "kernel/lib/helper.ko ours"]
    );
    assert_eq!(second, first);
}

/// Only the set needs it, so without that word of the rules it would join.
#[test]
fn a_helper_that_its_set_excepts_is_never_in_it() {
    let mut world = World::written(&[("kernel/fs/user", &["helper"]), ("kernel/lib/helper", &[])]);
    world.modules[1].alias = None;
    let mut rules = auto(600);
    rules.sets.push(Set {
        name: "ours",
        members: vec![Selector::Name("user".to_owned())],
        except: vec![Selector::Name("helper".to_owned())],
        priority: 0,
    });
    let scene = Scene { world, rules };
    let [first, second] = in_turn(scene.clone(), scene);
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
    // More packages are allowed now, so that nothing but the earlier plan puts them together.
    let scene = |most| Scene {
        world: World::written(&[("kernel/fs/a", &[]), ("kernel/fs/b", &[])]),
        rules: Rules {
            packages: (most, most),
            ..rules.clone()
        },
    };
    let [first, second] = in_turn(scene(1), scene(600));
    assert_eq!(first, ["kernel/fs/a.ko fs", "kernel/fs/b.ko fs"]);
    assert_eq!(second, first);
}

/// The rules leave the set only the last module of a chain; the first needs it by way of another.
#[test]
fn a_chain_that_ends_in_a_set_stays_with_it() {
    let scene = |b: &[&str]| {
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
        let world = World::written(modules);
        Scene { world, rules }
    };
    let [first, second] = in_turn(scene(&["c", "d"]), scene(&["c"]));
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

/// A rule may call it as it likes, nobody else.
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
    let before = Scene {
        world: World::written(&[("kernel/fs/a", &[])]),
        rules,
    };
    let mut after = before.clone();
    after.rules.modules.pop();
    let [first, second] = in_turn(before, after);
    assert_eq!(first, ["kernel/fs/a.ko storage"]);
    assert_eq!(second, ["kernel/fs/a.ko a-extra"]);
}
