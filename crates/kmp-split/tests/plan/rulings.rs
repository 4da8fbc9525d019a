//! A second implementation of the rules. It decides where each module must be, or what forbids a
//! plan.

use std::collections::{BTreeMap, BTreeSet};

use kmp_split::plan::Location;
use proptest::prelude::*;

use crate::circle::circle;
use crate::plan_case::Planned;
use crate::rules::{Decision, FILE, Rules, line_of, members};
use crate::test_kernel::TestKernel;

/// What the rules decide about a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ruling {
    Image,
    Package(&'static str),
    Excluded,
    /// They decide nothing.
    Free,
}

/// What forbids a plan.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// Several sets with the same priority claim modules: the modules with these sets.
    Tie(BTreeMap<usize, BTreeSet<&'static str>>),
    /// Modules need excluded ones: each excluded module with one that needs it.
    Needed(BTreeSet<(usize, usize)>),
    /// No rule claims these modules.
    Unclaimed(BTreeSet<usize>),
    /// With these rulings packages need each other in a circle.
    Circle(Vec<Ruling>),
}

/// Applies the rules one module at a time.
pub fn rulings(kernel: &TestKernel, rules: &Rules) -> Result<Vec<Ruling>, Refusal> {
    let sets = sets(kernel, rules)?;
    let mut rulings: Vec<Ruling> = kernel
        .indexes()
        .map(|index| decided(kernel, rules, index).unwrap_or(sets[index].clone()))
        .collect();
    base(kernel, rules, &mut rulings);
    let excluded = |index: &usize| rulings[*index] == Ruling::Excluded;
    let needed: BTreeSet<_> = kernel
        .indexes()
        .filter(excluded)
        .flat_map(|index| kernel.users(index).map(move |user| (index, user)))
        .filter(|(_, user)| !excluded(user))
        .collect();
    if !needed.is_empty() {
        return Err(Refusal::Needed(needed));
    }
    let free = |index: &usize| rulings[*index] == Ruling::Free;
    let unclaimed: BTreeSet<_> = kernel.indexes().filter(free).collect();
    if rules.refuse_unclaimed && !unclaimed.is_empty() {
        return Err(Refusal::Unclaimed(unclaimed));
    }
    match is_circular(kernel, &rulings, &BTreeMap::new()) {
        true => Err(Refusal::Circle(rulings)),
        false => Ok(rulings),
    }
}

/// What the last `[[module]]` rules decide.
fn decided(kernel: &TestKernel, rules: &Rules, index: usize) -> Option<Ruling> {
    let decisions = || {
        let about = rules.modules.iter().rev();
        let about = about.filter(|rule| members(&rule.which, &[], kernel).contains(&index));
        about.map(|rule| &rule.decision)
    };
    let exclude = decisions().find_map(|decision| match decision {
        Decision::Exclude(exclude) => Some(*exclude),
        _ => None,
    });
    let package = decisions().find_map(|decision| match decision {
        Decision::Package(name) => Some(Ruling::Package(name)),
        _ => None,
    });
    match exclude {
        Some(true) => Some(Ruling::Excluded),
        _ => package,
    }
}

/// Whether the rules call a module supported.
pub fn is_supported(kernel: &TestKernel, rules: &Rules, index: usize) -> bool {
    let about = rules.modules.iter().rev();
    let mut about = about.filter(|rule| members(&rule.which, &[], kernel).contains(&index));
    let support = about.find_map(|rule| match rule.decision {
        Decision::Supported(support) => Some(support),
        _ => None,
    });
    support.is_none_or(|support| support == "yes")
}

fn sets(kernel: &TestKernel, rules: &Rules) -> Result<Vec<Ruling>, Refusal> {
    let mut claims: BTreeMap<usize, Vec<(i64, &'static str)>> = BTreeMap::new();
    for set in &rules.sets {
        for index in members(&set.members, &set.except, kernel) {
            if decided(kernel, rules, index).is_some() {
                continue;
            }
            claims
                .entry(index)
                .or_default()
                .push((set.priority, set.name));
        }
    }
    let mut ties = BTreeMap::new();
    let mut rulings = vec![Ruling::Free; kernel.modules.len()];
    for (index, claims) in claims {
        let highest = claims.iter().map(|(priority, _)| *priority).max();
        let winners = claims
            .iter()
            .filter(|(priority, _)| Some(*priority) == highest);
        let winners: BTreeSet<&'static str> = winners.map(|(_, name)| *name).collect();
        match winners.first() {
            Some(name) if winners.len() == 1 => rulings[index] = Ruling::Package(name),
            _ => {
                ties.insert(index, winners);
            }
        }
    }
    match ties.is_empty() {
        true => Ok(rulings),
        false => Err(Refusal::Tie(ties)),
    }
}

/// Puts modules into the image package. Sets win against base, except for what base needs.
fn base(kernel: &TestKernel, rules: &Rules, rulings: &mut [Ruling]) {
    let mut open: Vec<usize> = members(&rules.base, &rules.base_except, kernel)
        .into_iter()
        .filter(|&index| rulings[index] == Ruling::Free)
        .collect();
    while let Some(index) = open.pop() {
        if matches!(rulings[index], Ruling::Free | Ruling::Package(_)) {
            rulings[index] = Ruling::Image;
            open.extend(kernel.modules[index].needs.keys());
        }
    }
}

/// Whether packages would need each other in a circle if free modules were in the packages of
/// `stems`, by their files, or else alone.
pub fn is_circular(
    kernel: &TestKernel,
    rulings: &[Ruling],
    stems: &BTreeMap<String, String>,
) -> bool {
    let mut names: Vec<Option<String>> = Vec::new();
    let groups: Vec<Option<usize>> = kernel
        .indexes()
        .map(|index| {
            let name = match &rulings[index] {
                Ruling::Image | Ruling::Excluded => return None,
                Ruling::Package(name) => Some((*name).to_owned()),
                Ruling::Free => stems.get(&kernel.modules[index].file()).cloned(),
            };
            let known = name
                .as_ref()
                .and_then(|_| names.iter().position(|old| *old == name));
            Some(known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            }))
        })
        .collect();
    let needs = |user: usize| kernel.modules[user].needs.keys();
    let pairs = kernel
        .indexes()
        .flat_map(|user| needs(user).map(move |&needed| (user, needed)));
    let edges = pairs.filter_map(|(user, needed)| Some((groups[user]?, groups[needed]?)));
    circle(names.len(), edges.filter(|(from, to)| from != to)).is_some()
}

/// Whether rules put modules into a package with this name.
fn is_gathered(rulings: &[Ruling], stem: &str) -> bool {
    let named = |ruling: &Ruling| matches!(ruling, Ruling::Package(name) if *name == stem);
    rulings.iter().any(named)
}

/// Whether a package is a set that excepts a module.
fn is_excepted(
    kernel: &TestKernel,
    rules: &Rules,
    rulings: &[Ruling],
    index: usize,
    stem: &str,
) -> bool {
    let mut sets = rules.sets.iter().filter(|set| set.name == stem);
    let excepted = sets.any(|set| members(&set.except, &[], kernel).contains(&index));
    excepted && is_gathered(rulings, stem)
}

/// Whether the rules let a module stay in the package that had it. `supported` says whether that
/// package had supported modules. Only rules put supported and unsupported modules together, or
/// unsupported ones into a package whose name does not say so.
pub fn may_stay(
    kernel: &TestKernel,
    rules: &Rules,
    rulings: &[Ruling],
    index: usize,
    (stem, supported): (&str, bool),
) -> bool {
    let apart = !rules.unsupported.is_empty() && !is_gathered(rulings, stem);
    let marked = !supported && stem.ends_with(rules.unsupported);
    let of_a_kind = !apart || is_supported(kernel, rules, index) != marked;
    rulings[index] == Ruling::Free && of_a_kind && !is_excepted(kernel, rules, rulings, index, stem)
}

/// Checks that a plan puts modules where the rules want them, keeps apart what they keep apart, and
/// warns of selectors that match no module.
pub fn followed(
    kernel: &TestKernel,
    rules: &Rules,
    rulings: &[Ruling],
    planned: &Planned,
) -> Result<(), TestCaseError> {
    let locations = planned.locations();
    let stems = planned.stems();
    for (index, module) in kernel.modules.iter().enumerate() {
        let file = module.file();
        let stem = stems[file.as_str()];
        match (&rulings[index], locations[file.as_str()]) {
            (Ruling::Image, Location::Image) | (Ruling::Excluded, Location::Excluded) => {}
            (Ruling::Package(name), Location::Package(_)) => prop_assert_eq!(stem, Some(*name)),
            (Ruling::Free, Location::Package(_)) => {
                let excepted = is_excepted(kernel, rules, rulings, index, stem.unwrap());
                prop_assert!(!excepted, "{} is in {:?}", file, stem);
            }
            (ruling, location) => prop_assert!(false, "{} {:?}: {:?}", file, ruling, location),
        }
    }
    support_is_kept_apart(kernel, rules, rulings, planned)?;
    warnings(kernel, rules, planned)
}

fn support_is_kept_apart(
    kernel: &TestKernel,
    rules: &Rules,
    rulings: &[Ruling],
    planned: &Planned,
) -> Result<(), TestCaseError> {
    if rules.unsupported.is_empty() {
        return Ok(());
    }
    for package in planned.plan.packages.values() {
        let file = |&id| planned.tree.modules[id].file.path.as_str();
        let places: Vec<usize> = package
            .modules
            .iter()
            .filter_map(|id| kernel.at(file(id)))
            .collect();
        let supported: BTreeSet<bool> = places
            .iter()
            .map(|&index| is_supported(kernel, rules, index))
            .collect();
        let claimed = |&index: &usize| rulings[index] != Ruling::Free;
        if places.iter().any(claimed) {
            continue;
        }
        let stem = &package.stem;
        prop_assert_eq!(supported.len(), 1, "{} has both kinds", stem);
        let marked = supported.contains(&true) || stem.ends_with(rules.unsupported);
        prop_assert!(marked, "{} does not say that it is unsupported", stem);
        prop_assert_eq!(
            package.support.is_supported(),
            supported.contains(&true),
            "{}",
            stem
        );
    }
    Ok(())
}

/// Checks that there is a warning with the line of each selector that matches no module, and no
/// other such warning.
fn warnings(kernel: &TestKernel, rules: &Rules, planned: &Planned) -> Result<(), TestCaseError> {
    let nothing = rules
        .selectors()
        .filter(|one| one.selected(kernel).is_empty());
    let mut expected: Vec<_> = nothing.map(line_of).collect();
    let warnings = planned.plan.warnings.iter();
    let mut warned = Vec::new();
    for warning in warnings.filter(|warning| warning.starts_with(FILE)) {
        let (line, text) = warning.split_once(": ").unwrap();
        let line = rules.line(line).unwrap();
        let selector = line.trim().trim_end_matches(',');
        prop_assert_eq!(text, format!("{} matches no module", selector));
        warned.push(line);
    }
    expected.sort();
    warned.sort();
    prop_assert_eq!(warned, expected);
    Ok(())
}
