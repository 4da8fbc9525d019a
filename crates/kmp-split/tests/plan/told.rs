//! A refusal in, whether its words are true out.

use std::collections::BTreeSet;

use kmp_split::plan::PlanError;
use proptest::prelude::*;

use crate::fate::{Fate, Refusal};
use crate::rules::{Decision, Rules, Selector, line_of, members};
use crate::scene::Scene;
use crate::world::World;

/// Whether the planner refuses for the reason there is, and names it.
pub fn rightly(scene: &Scene, refusal: &Refusal, error: &PlanError) -> Result<(), TestCaseError> {
    let Scene { world, rules } = scene;
    let text = error.to_string();
    let told = match (refusal, error) {
        (Refusal::Tie(ties), PlanError::Tie { .. }) => {
            let tied = |(&place, sets)| tie(world, rules, place, sets, &text);
            ties.iter().any(tied)
        }
        (Refusal::Needed(needed), PlanError::Needed { .. }) => {
            needed.iter().any(|&(place, user)| {
                let files = [place, user].map(|place| world.modules[place].file());
                let end = format!("{} is excluded, but {} needs it", files[0], files[1]);
                is_by_rule(world, rules, place, text.strip_suffix(&end))
            })
        }
        (Refusal::Unclaimed(unclaimed), PlanError::Unclaimed { .. }) => {
            text == unclaimed_text(world, unclaimed)
        }
        (Refusal::Circle(fates), PlanError::PackageCycle(steps)) => {
            text == format!("packages need each other: {steps}")
                && is_circle(world, fates, steps, |place| match &fates[place] {
                    Fate::Package(name) => (*name).to_owned(),
                    _ => world.modules[place].path(),
                })
        }
        (Refusal::Circle(fates), PlanError::ModuleCycle(steps)) => {
            text == format!("modules need each other: {steps}")
                && is_circle(world, fates, steps, |place| world.modules[place].path())
        }
        _ => false,
    };
    prop_assert!(told, "{:?} told as: {}", refusal, text);
    Ok(())
}

/// Whether a tie between two of `sets` is told with the lines of their selectors.
fn tie(world: &World, rules: &Rules, place: usize, sets: &BTreeSet<&str>, text: &str) -> bool {
    let file = world.modules[place].file();
    let end = format!(": both sets claim {file}: give one a higher priority");
    let Some((first, second)) = text
        .strip_suffix(&end)
        .and_then(|text| text.split_once(" and "))
    else {
        return false;
    };
    let about = |selector: &&Selector| selector.selected(world).contains(&place);
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

/// Whether the line before a message begins a rule that excludes a module.
fn is_by_rule(world: &World, rules: &Rules, place: usize, begin: Option<&str>) -> bool {
    let Some(number) = begin.and_then(|begin| begin.strip_suffix(": ")) else {
        return false;
    };
    let excludes = rules.modules.iter().enumerate().rev().find(|(_, rule)| {
        matches!(rule.decision, Decision::Exclude(_))
            && members(&rule.which, &[], world).contains(&place)
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

fn unclaimed_text(world: &World, unclaimed: &BTreeSet<usize>) -> String {
    let mut files: Vec<String> = unclaimed
        .iter()
        .map(|&place| world.modules[place].file())
        .collect();
    files.sort();
    let first = files[..files.len().min(5)].join(", ");
    let more = match files.len().saturating_sub(5) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("no set claims {first}{more}, and the policy says unclaimed = \"error\"")
}

/// Whether `a -> b: x needs y; b -> a: …` is true step by step, calls packages as they are called,
/// and leads back to its beginning: `same` tells by which of its properties a module is found
/// again.
fn is_circle(world: &World, fates: &[Fate], steps: &str, same: impl Fn(usize) -> String) -> bool {
    let steps = steps.split("; ").map(|step| true_step(world, fates, step));
    let Some(steps) = steps.collect::<Option<Vec<_>>>() else {
        return false;
    };
    let next = steps.iter().cycle().skip(1);
    let joined = |(step, next): (&(usize, usize), &(usize, usize))| same(step.1) == same(next.0);
    steps.len() > 1 && steps.iter().zip(next).all(joined)
}

/// `a -> b: x needs y`, the names left out where they are the same.
fn true_step(world: &World, fates: &[Fate], step: &str) -> Option<(usize, usize)> {
    let (names, needs) = match step.split_once(": ") {
        Some((names, needs)) => (Some(names), needs),
        None => (None, step),
    };
    let (user, needed) = needs.split_once(" needs ")?;
    let (user, needed) = (world.at(user)?, world.at(needed)?);
    let [a, b] = [user, needed].map(|place| match &fates[place] {
        Fate::Package(name) => name,
        _ => world.modules[place].name.as_str(),
    });
    let expected = (a != b).then(|| format!("{a} -> {b}"));
    let needs = world.modules[user].needs.contains_key(&needed);
    (needs && names == expected.as_deref()).then_some((user, needed))
}
