//! A second reading of the rules: a world and rules in, where each module must be out, or what
//! forbids a plan.

use std::collections::{BTreeMap, BTreeSet};

use kmp_split::plan::Location;
use proptest::prelude::*;

use crate::circle::circle;
use crate::rules::{Decision, FILE, Rules, line_of, members};
use crate::scene::Planned;
use crate::world::World;

/// Where the rules want a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Image,
    Package(&'static str),
    Excluded,
    /// They say nothing.
    Free,
}

/// What forbids a plan.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// Sets of one priority claim modules: which sets.
    Tie(BTreeMap<usize, BTreeSet<&'static str>>),
    /// The excluded, with who needs it.
    Needed(BTreeSet<(usize, usize)>),
    /// Modules no rule claims.
    Unclaimed(BTreeSet<usize>),
    /// Packages need each other, by these fates.
    Circle(Vec<Fate>),
}

/// Applies rules one module at a time.
pub fn fates(world: &World, rules: &Rules) -> Result<Vec<Fate>, Refusal> {
    let sets = sets(world, rules)?;
    let mut fates: Vec<Fate> = world
        .places()
        .map(|place| decided(world, rules, place).unwrap_or(sets[place].clone()))
        .collect();
    base(world, rules, &mut fates);
    let excluded = |place: &usize| fates[*place] == Fate::Excluded;
    let needed: BTreeSet<_> = world
        .places()
        .filter(excluded)
        .flat_map(|place| world.users(place).map(move |user| (place, user)))
        .filter(|(_, user)| !excluded(user))
        .collect();
    if !needed.is_empty() {
        return Err(Refusal::Needed(needed));
    }
    let free = |place: &usize| fates[*place] == Fate::Free;
    let unclaimed: BTreeSet<_> = world.places().filter(free).collect();
    if rules.refuse_unclaimed && !unclaimed.is_empty() {
        return Err(Refusal::Unclaimed(unclaimed));
    }
    match is_circular(world, &fates, &BTreeMap::new()) {
        true => Err(Refusal::Circle(fates)),
        false => Ok(fates),
    }
}

/// What the last `[[module]]` rules say.
fn decided(world: &World, rules: &Rules, place: usize) -> Option<Fate> {
    let decisions = || {
        let about = rules.modules.iter().rev();
        let about = about.filter(|rule| members(&rule.which, &[], world).contains(&place));
        about.map(|rule| &rule.decision)
    };
    let exclude = decisions().find_map(|decision| match decision {
        Decision::Exclude(exclude) => Some(*exclude),
        _ => None,
    });
    let package = decisions().find_map(|decision| match decision {
        Decision::Package(name) => Some(Fate::Package(name)),
        _ => None,
    });
    match exclude {
        Some(true) => Some(Fate::Excluded),
        _ => package,
    }
}

/// Whether the rules call a module supported.
pub fn is_supported(world: &World, rules: &Rules, place: usize) -> bool {
    let about = rules.modules.iter().rev();
    let mut about = about.filter(|rule| members(&rule.which, &[], world).contains(&place));
    let support = about.find_map(|rule| match rule.decision {
        Decision::Supported(support) => Some(support),
        _ => None,
    });
    support.is_none_or(|support| support == "yes")
}

fn sets(world: &World, rules: &Rules) -> Result<Vec<Fate>, Refusal> {
    let mut claims: BTreeMap<usize, Vec<(i64, &'static str)>> = BTreeMap::new();
    for set in &rules.sets {
        for place in members(&set.members, &set.except, world) {
            if decided(world, rules, place).is_some() {
                continue;
            }
            claims
                .entry(place)
                .or_default()
                .push((set.priority, set.name));
        }
    }
    let mut ties = BTreeMap::new();
    let mut fates = vec![Fate::Free; world.modules.len()];
    for (place, claims) in claims {
        let highest = claims.iter().map(|(priority, _)| *priority).max();
        let winners = claims
            .iter()
            .filter(|(priority, _)| Some(*priority) == highest);
        let winners: BTreeSet<&'static str> = winners.map(|(_, name)| *name).collect();
        match winners.first() {
            Some(name) if winners.len() == 1 => fates[place] = Fate::Package(name),
            _ => {
                ties.insert(place, winners);
            }
        }
    }
    match ties.is_empty() {
        true => Ok(fates),
        false => Err(Refusal::Tie(ties)),
    }
}

/// A set beats base, except for what base needs.
fn base(world: &World, rules: &Rules, fates: &mut [Fate]) {
    let mut open: Vec<usize> = members(&rules.base, &rules.base_except, world)
        .into_iter()
        .filter(|&place| fates[place] == Fate::Free)
        .collect();
    while let Some(place) = open.pop() {
        if matches!(fates[place], Fate::Free | Fate::Package(_)) {
            fates[place] = Fate::Image;
            open.extend(world.modules[place].needs.keys());
        }
    }
}

/// Whether packages would need each other if free modules were in the packages of `stems`, by
/// their files, or else alone.
pub fn is_circular(world: &World, fates: &[Fate], stems: &BTreeMap<String, String>) -> bool {
    let mut names: Vec<Option<String>> = Vec::new();
    let groups: Vec<Option<usize>> = world
        .places()
        .map(|place| {
            let name = match &fates[place] {
                Fate::Image | Fate::Excluded => return None,
                Fate::Package(name) => Some((*name).to_owned()),
                Fate::Free => stems.get(&world.modules[place].file()).cloned(),
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
    let needs = |user: usize| world.modules[user].needs.keys();
    let pairs = world
        .places()
        .flat_map(|user| needs(user).map(move |&needed| (user, needed)));
    let edges = pairs.filter_map(|(user, needed)| Some((groups[user]?, groups[needed]?)));
    circle(names.len(), edges.filter(|(from, to)| from != to)).is_some()
}

/// Whether rules put modules into a package of this name.
fn is_gathered(fates: &[Fate], stem: &str) -> bool {
    let named = |fate: &Fate| matches!(fate, Fate::Package(name) if *name == stem);
    fates.iter().any(named)
}

/// Whether a package is a set that says it does not have a module.
fn is_excepted(world: &World, rules: &Rules, fates: &[Fate], place: usize, stem: &str) -> bool {
    let mut sets = rules.sets.iter().filter(|set| set.name == stem);
    let excepted = sets.any(|set| members(&set.except, &[], world).contains(&place));
    excepted && is_gathered(fates, stem)
}

/// Whether the rules let a module be in the package that had it, which then had supported modules
/// or only others. Only rules put both together, or others where the name does not say so.
pub fn may_stay(
    world: &World,
    rules: &Rules,
    fates: &[Fate],
    place: usize,
    (stem, supported): (&str, bool),
) -> bool {
    let apart = !rules.unsupported.is_empty() && !is_gathered(fates, stem);
    let marked = !supported && stem.ends_with(rules.unsupported);
    let of_a_kind = !apart || is_supported(world, rules, place) != marked;
    fates[place] == Fate::Free && of_a_kind && !is_excepted(world, rules, fates, place, stem)
}

/// Whether a plan puts modules where the rules want them, keeps apart what they want apart, and
/// warns of those that say nothing.
pub fn followed(
    world: &World,
    rules: &Rules,
    fates: &[Fate],
    planned: &Planned,
) -> Result<(), TestCaseError> {
    let locations = planned.locations();
    let stems = planned.stems();
    for (place, module) in world.modules.iter().enumerate() {
        let file = module.file();
        let stem = stems[file.as_str()];
        match (&fates[place], locations[file.as_str()]) {
            (Fate::Image, Location::Image) | (Fate::Excluded, Location::Excluded) => {}
            (Fate::Package(name), Location::Package(_)) => prop_assert_eq!(stem, Some(*name)),
            (Fate::Free, Location::Package(_)) => {
                let excepted = is_excepted(world, rules, fates, place, stem.unwrap());
                prop_assert!(!excepted, "{} is in {:?}", file, stem);
            }
            (fate, location) => prop_assert!(false, "{} {:?}: {:?}", file, fate, location),
        }
    }
    support_is_kept_apart(world, rules, fates, planned)?;
    warnings(world, rules, planned)
}

fn support_is_kept_apart(
    world: &World,
    rules: &Rules,
    fates: &[Fate],
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
            .filter_map(|id| world.at(file(id)))
            .collect();
        let supported: BTreeSet<bool> = places
            .iter()
            .map(|&place| is_supported(world, rules, place))
            .collect();
        let claimed = |&place: &usize| fates[place] != Fate::Free;
        if places.iter().any(claimed) {
            continue;
        }
        let stem = &package.stem;
        prop_assert_eq!(supported.len(), 1, "{} has both kinds", stem);
        let marked = supported.contains(&true) || stem.ends_with(rules.unsupported);
        prop_assert!(marked, "{} does not say that it is unsupported", stem);
        prop_assert_eq!(package.supported, supported.contains(&true), "{}", stem);
    }
    Ok(())
}

/// A warning for each selector that means nothing, with its line, and no other of that kind. The
/// rules are too few for warnings to be shortened.
fn warnings(world: &World, rules: &Rules, planned: &Planned) -> Result<(), TestCaseError> {
    let nothing = rules
        .selectors()
        .filter(|one| one.selected(world).is_empty());
    let mut expected: Vec<_> = nothing.map(line_of).collect();
    let warnings = planned.plan.warnings.iter();
    let mut told = Vec::new();
    for warning in warnings.filter(|warning| warning.starts_with(FILE)) {
        let (line, text) = warning.split_once(": ").unwrap();
        let line = rules.line(line).unwrap();
        let selector = line.trim().trim_end_matches(',');
        prop_assert_eq!(text, format!("{} matches no module", selector));
        told.push(line);
    }
    expected.sort();
    told.sort();
    match expected.len() {
        0..=10 => prop_assert_eq!(told, expected),
        _ => prop_assert_eq!(told.len(), 1),
    }
    Ok(())
}
