//! Checks that refusals are right, and that their messages are true.

use std::collections::{BTreeMap, BTreeSet};

use kmp_split::plan::{Circle, NamedCure, PlanError};
use proptest::prelude::*;

use crate::plan_case::PlanCase;
use crate::rules::{Decision, Rules, Selector, line_of, members};
use crate::rulings::{Refusal, Ruling, is_circular};
use crate::test_kernel::TestKernel;

/// Checks that the planner refuses a case for the right reason, and names it.
pub fn check(case: &PlanCase, refusal: &Refusal, error: &PlanError) -> Result<(), TestCaseError> {
    let PlanCase { kernel, rules } = case;
    let text = error.to_string();
    let is_right = match (refusal, error) {
        (Refusal::Tie(ties), PlanError::Tie { .. }) => {
            let tied = |(&index, sets)| tie(kernel, rules, index, sets, &text);
            ties.iter().any(tied)
        }
        (Refusal::Needed(needed), PlanError::Needed { .. }) => {
            needed.iter().any(|&(index, user)| {
                let files = [index, user].map(|index| kernel.modules[index].file());
                let end = format!("{} is excluded, but {} needs it", files[0], files[1]);
                is_by_rule(kernel, rules, index, text.strip_suffix(&end))
            })
        }
        (Refusal::Unclaimed(unclaimed), PlanError::Unclaimed { .. }) => {
            text == unclaimed_text(kernel, unclaimed)
        }
        (Refusal::Circle(rulings), PlanError::Circles(circles)) => {
            let is_true = |circle: &Circle| {
                is_circle(kernel, rulings, &circle.steps, |index| {
                    match &rulings[index] {
                        Ruling::Package(name) if !circle.of_modules => (*name).to_owned(),
                        _ => kernel.modules[index].path(),
                    }
                })
            };
            circles.iter().all(is_true) && is_mended(kernel, rulings, circles)
        }
        _ => false,
    };
    prop_assert!(is_right, "{:?} is reported as: {}", refusal, text);
    Ok(())
}

/// Whether there are no circles left with the changes that the message proposes.
fn is_mended(kernel: &TestKernel, rulings: &[Ruling], circles: &[Circle]) -> bool {
    let mut rulings = rulings.to_vec();
    let mut together = BTreeMap::new();
    for (number, cure) in circles.iter().flat_map(|circle| &circle.cures).enumerate() {
        let (paths, ruling) = match cure {
            NamedCure::Join(name, paths) => {
                let is_of = |ruling: &&Ruling| matches!(ruling, Ruling::Package(of) if of == name);
                (paths, rulings.iter().find(is_of).cloned().unwrap())
            }
            NamedCure::Leave(_, paths) => (paths, Ruling::Free),
            NamedCure::Together(paths) => (paths, Ruling::Free),
        };
        for path in paths {
            let file = format!("{path}.ko");
            rulings[kernel.at(&file).unwrap()] = ruling.clone();
            if matches!(cure, NamedCure::Together(_)) {
                together.insert(file, format!("together {number}"));
            }
        }
    }
    !is_circular(kernel, &rulings, &together)
}

/// Whether a message names a tie between two of `sets` with the lines of their selectors.
fn tie(
    kernel: &TestKernel,
    rules: &Rules,
    index: usize,
    sets: &BTreeSet<&str>,
    text: &str,
) -> bool {
    let file = kernel.modules[index].file();
    let end = format!(": both sets claim {file}: give one a higher priority");
    let Some((first, second)) = text
        .strip_suffix(&end)
        .and_then(|text| text.split_once(" and "))
    else {
        return false;
    };
    let about = |selector: &&Selector| selector.selected(kernel).contains(&index);
    let lines = |name: &str| -> Vec<String> {
        let set = rules.sets.iter().filter(|set| set.name == name);
        let selectors = set.flat_map(|set| &set.members).filter(about);
        selectors.map(line_of).collect()
    };
    let is_of = |line: &str, name: &str| {
        rules
            .line(line)
            .is_some_and(|line| lines(name).contains(&line))
    };
    let of = |line| sets.iter().filter(move |name| is_of(line, name));
    of(first).any(|a| of(second).any(|b| a != b)) && first != second
}

/// Whether the line that a message begins with is that of a rule that excludes the module.
fn is_by_rule(kernel: &TestKernel, rules: &Rules, index: usize, begin: Option<&str>) -> bool {
    let Some(number) = begin.and_then(|begin| begin.strip_suffix(": ")) else {
        return false;
    };
    let excludes = rules.modules.iter().enumerate().rev().find(|(_, rule)| {
        matches!(rule.decision, Decision::Exclude(_))
            && members(&rule.which, &[], kernel).contains(&index)
    });
    let toml = rules.toml();
    let begins = toml
        .iter()
        .enumerate()
        .filter(|(_, line)| *line == "[[module]]");
    let begins: Vec<String> = begins
        .map(|(line, _)| format!("p.toml:{}", line + 1))
        .collect();
    excludes.is_some_and(|(rule, _)| begins[rule] == number)
}

fn unclaimed_text(kernel: &TestKernel, unclaimed: &BTreeSet<usize>) -> String {
    let mut files: Vec<String> = unclaimed
        .iter()
        .map(|&index| kernel.modules[index].file())
        .collect();
    files.sort();
    let first = files[..files.len().min(5)].join(", ");
    let more = match files.len().saturating_sub(5) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("no set claims {first}{more}, and the policy says unclaimed = \"error\"")
}

/// Whether each step of `a -> b: x needs y; b -> a: …` is true, names the right packages, and the
/// last one leads to the first. `same` is the property that two steps have in common where they
/// meet.
fn is_circle(
    kernel: &TestKernel,
    rulings: &[Ruling],
    steps: &str,
    same: impl Fn(usize) -> String,
) -> bool {
    let steps = steps
        .split("; ")
        .map(|step| true_step(kernel, rulings, step));
    let Some(steps) = steps.collect::<Option<Vec<_>>>() else {
        return false;
    };
    let next = steps.iter().cycle().skip(1);
    let joined = |(step, next): (&(usize, usize), &(usize, usize))| same(step.1) == same(next.0);
    steps.len() > 1 && steps.iter().zip(next).all(joined)
}

/// Reads `a -> b: x needs y`. The names are left out where they are the same.
fn true_step(kernel: &TestKernel, rulings: &[Ruling], step: &str) -> Option<(usize, usize)> {
    let (names, needs) = match step.split_once(": ") {
        Some((names, needs)) => (Some(names), needs),
        None => (None, step),
    };
    let (user, needed) = needs.split_once(" needs ")?;
    let (user, needed) = (kernel.at(user)?, kernel.at(needed)?);
    let [a, b] = [user, needed].map(|index| match &rulings[index] {
        Ruling::Package(name) => name,
        _ => kernel.modules[index].name.as_str(),
    });
    let expected = (a != b).then(|| format!("{a} -> {b}"));
    let needs = kernel.modules[user].needs.contains_key(&needed);
    (needs && names == expected.as_deref()).then_some((user, needed))
}
