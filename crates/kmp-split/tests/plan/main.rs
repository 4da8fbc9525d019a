//! Tests the planner with random kernels and policies. Plans must keep their promises and agree with
//! a second implementation of the rules, which shares no code with the planner.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod buildroot;
mod circle;
mod command_line;
mod examples;
mod grouping;
mod inspection;
mod names;
mod plan_case;
mod previous;
mod promises;
mod rebuilds;
mod refusals;
mod rules;
mod rulings;
mod small_tree;
mod softdeps;
mod test_kernel;

use proptest::prelude::*;

use plan_case::{PlanCase, order, plan_cases};
use rulings::rulings;

/// So many cases. The smallest one that fails is printed, not written to a file.
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
    fn a_plan_follows_its_rules_or_says_why_not(case in plan_cases(1..=120, false)) {
        follows_its_rules(&case)?;
    }

    #[test]
    fn modules_that_need_each_other_share_a_package_or_are_refused(case in plan_cases(2..=20, true)) {
        follows_its_rules(&case)?;
    }

    /// Almost every module has the name of another module, of a set, of a directory, or the name that
    /// another group would get.
    #[test]
    fn names_are_valid_and_unique_however_alike(case in plan_case::alike()) {
        follows_its_rules(&case)?;
    }

    #[test]
    fn the_order_of_the_records_changes_no_byte(
        (case, order) in plan_cases(1..=60, false).prop_flat_map(|case| {
            let order = order(&case.kernel);
            (Just(case), order)
        })
    ) {
        let sorted = case.plan(None);
        let kernel = case.kernel.reordered(&order);
        let shuffled = PlanCase { kernel, ..case }.plan(None);
        match (sorted, shuffled) {
            (Ok(sorted), Ok(shuffled)) => prop_assert_eq!(sorted.json(), shuffled.json()),
            (Err(sorted), Err(shuffled)) => {
                prop_assert_eq!(sorted.to_string(), shuffled.to_string());
            }
            _ => prop_assert!(false, "there is a plan in one order only"),
        }
    }
}

fn follows_its_rules(case: &PlanCase) -> Result<(), TestCaseError> {
    let expected = rulings(&case.kernel, &case.rules);
    match (expected, case.plan(None)) {
        (Ok(rulings), Ok(planned)) => {
            promises::kept(&case.kernel, &planned)?;
            rulings::followed(&case.kernel, &case.rules, &rulings, &planned)
        }
        (Err(refusal), Err(error)) => refusals::check(case, &refusal, &error),
        (Ok(_), Err(error)) => {
            prop_assert!(false, "the rules allow a plan, but: {}", error);
            Ok(())
        }
        (Err(refusal), Ok(_)) => {
            prop_assert!(
                false,
                "there is a plan, but the rules forbid it: {:?}",
                refusal
            );
            Ok(())
        }
    }
}
