//! The planner against kernels and policies that do not exist: what every plan promises, held
//! against a second reading of the rules that shares no code with the planner.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod circle;
mod examples;
mod fate;
mod grouping;
mod previous;
mod promises;
mod rules;
mod scene;
mod told;
mod world;

use proptest::prelude::*;

use fate::fates;
use scene::{Scene, order, scenes};

/// Cases that are not written down when they fail: the smallest one is printed.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn a_plan_follows_its_rules_or_tells_why_not(scene in scenes(1..=120, false)) {
        follows_its_rules(&scene)?;
    }

    #[test]
    fn modules_that_need_each_other_share_a_place_or_are_told(scene in scenes(2..=20, true)) {
        follows_its_rules(&scene)?;
    }

    /// Hardly a module whose name is not that of a namesake, a set, a directory, or what another
    /// group's name would become.
    #[test]
    fn names_are_valid_and_unique_however_alike(scene in scene::alike()) {
        follows_its_rules(&scene)?;
    }

    #[test]
    fn the_order_of_the_records_changes_no_byte(
        (scene, order) in scenes(1..=60, false).prop_flat_map(|scene| {
            let order = order(&scene.world);
            (Just(scene), order)
        })
    ) {
        let sorted = scene.plan(None);
        let shuffled = Scene { world: scene.world.reordered(&order), ..scene.clone() }.plan(None);
        match (sorted, shuffled) {
            (Ok(sorted), Ok(shuffled)) => prop_assert_eq!(sorted.json(), shuffled.json()),
            (Err(sorted), Err(shuffled)) => {
                prop_assert_eq!(sorted.to_string(), shuffled.to_string());
            }
            _ => prop_assert!(false, "there is a plan in one order only"),
        }
    }
}

fn follows_its_rules(scene: &Scene) -> Result<(), TestCaseError> {
    let expected = fates(&scene.world, &scene.rules);
    match (expected, scene.plan(None)) {
        (Ok(fates), Ok(planned)) => {
            promises::kept(&scene.world, &planned)?;
            fate::followed(&scene.world, &scene.rules, &fates, &planned)
        }
        (Err(refusal), Err(error)) => told::rightly(scene, &refusal, &error),
        (Ok(_), Err(error)) => {
            prop_assert!(false, "nothing forbids a plan, but: {}", error);
            Ok(())
        }
        (Err(refusal), Ok(_)) => {
            prop_assert!(false, "there is a plan in spite of {:?}", refusal);
            Ok(())
        }
    }
}
