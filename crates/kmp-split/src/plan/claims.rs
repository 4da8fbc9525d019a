//! Applies the rules of a policy to the modules of a tree.

use std::collections::{BTreeMap, BTreeSet};

use id_table::Table;
use modtree::{ModuleId, Resolution, Tree};
use policy::{FileLine, ModulePath, ModuleSet, Override, Policy, Selector, Support, Unclaimed};

use super::error::{PlanError, some_of};
use super::model::PlacementReason;
use crate::reach::reachable;

/// What the rules decide about a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is in the image package, because a rule says so.
    Base(FileLine),
    /// It is in the image package, because a module there needs it.
    BaseNeeds(ModuleId),
    /// It is in a set.
    Set(String, FileLine),
    /// It is in the package that a rule names.
    Package(String, FileLine),
    /// It is in no package.
    Excluded(FileLine),
    /// They decide nothing.
    Unclaimed,
}

impl Claim {
    /// Why the module is where the rules put it.
    pub fn reason(&self) -> PlacementReason {
        match self.clone() {
            Self::Base(line) => PlacementReason::Base(line),
            Self::BaseNeeds(user) => PlacementReason::BaseNeeds(user),
            Self::Set(name, line) => PlacementReason::Set(name, line),
            Self::Package(name, line) => PlacementReason::Package(name, line),
            Self::Excluded(line) => PlacementReason::Excluded(line),
            Self::Unclaimed => PlacementReason::Alone,
        }
    }
}

/// The rules applied to all modules.
pub struct Claims {
    /// What they decide about each.
    pub claims: Table<ModuleId, Claim>,
    /// Whether each module is supported.
    pub supported: Table<ModuleId, bool>,
    /// Whether hardware may ask for each module.
    pub hardware: Table<ModuleId, bool>,
    /// A warning for each selector that matches no module.
    pub warnings: Vec<String>,
    /// The modules that each set excepts, by the name of the set.
    pub excepted: BTreeMap<String, BTreeSet<ModuleId>>,
}

impl Claims {
    /// Applies the rules of a policy.
    ///
    /// # Errors
    /// Two sets claim the same module, an excluded module is needed, or no set claims a module
    /// though the policy wants that.
    pub fn new(tree: &Tree, resolution: &Resolution, policy: &Policy) -> Result<Self, PlanError> {
        let matcher = Matcher::new(tree, resolution);
        let overrides = matcher.paths.map(|(_, path)| policy.overrides(*path));
        let mut claims = tree.modules.map(|(id, _)| of_module(&overrides[id]));
        for (id, claim) in matcher.sets(&policy.sets, &claims)? {
            claims[id] = claim;
        }
        keep_base(&matcher, policy, &mut claims);
        refuse_excluded(tree, resolution, &claims)?;
        if policy.unclaimed == Unclaimed::Error {
            refuse_unclaimed(tree, &claims)?;
        }
        Ok(Self {
            claims,
            supported: overrides.map(|(_, rule)| is_supported(rule)),
            hardware: overrides.map(|(_, rule)| rule.hardware.is_none_or(|(hardware, _)| hardware)),
            warnings: unmatched(&matcher, policy),
            excepted: excepted(&matcher, &policy.sets),
        })
    }
}

fn excepted(matcher: &Matcher<'_>, sets: &[ModuleSet]) -> BTreeMap<String, BTreeSet<ModuleId>> {
    let selected = |set: &ModuleSet| {
        let except = set.except.iter();
        except
            .flat_map(|selector| matcher.selected(selector))
            .collect()
    };
    sets.iter()
        .map(|set| (set.name.clone(), selected(set)))
        .collect()
}

fn of_module(rule: &Override<'_>) -> Claim {
    match (&rule.exclude, &rule.package) {
        (Some((true, line)), _) => Claim::Excluded((*line).clone()),
        (_, Some((package, line))) => Claim::Package((*package).to_owned(), (*line).clone()),
        _ => Claim::Unclaimed,
    }
}

fn is_supported(rule: &Override<'_>) -> bool {
    rule.supported
        .as_ref()
        .is_none_or(|(support, _)| *support == Support::Yes)
}

/// Applies selectors to the modules of a tree.
pub struct Matcher<'t> {
    tree: &'t Tree,
    resolution: &'t Resolution,
    paths: Table<ModuleId, ModulePath<'t>>,
}

impl<'t> Matcher<'t> {
    /// A matcher for the modules of `tree`. `resolution` says which module needs which.
    pub fn new(tree: &'t Tree, resolution: &'t Resolution) -> Self {
        let modules = tree.modules.values();
        let paths = modules.map(|record| ModulePath::new(&record.file.path));
        Self {
            tree,
            resolution,
            paths: paths.collect(),
        }
    }

    /// The modules that a selector names.
    pub fn selected(&self, selector: &Selector) -> BTreeSet<ModuleId> {
        if let Some(name) = selector.needs() {
            return self.users(self.tree.named(name));
        }
        let paths = self.paths.iter();
        paths
            .filter(|(_, path)| selector.matches(**path))
            .map(|(id, _)| id)
            .collect()
    }

    /// The modules that one of `members` names and none of `except`, each with the first selector
    /// that names it.
    pub fn members<'s>(
        &self,
        members: &'s [Selector],
        except: &[Selector],
    ) -> Vec<(ModuleId, &'s Selector)> {
        let out: BTreeSet<_> = except
            .iter()
            .flat_map(|selector| self.selected(selector))
            .collect();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for selector in members {
            for id in self.selected(selector) {
                if !out.contains(&id) && seen.insert(id) {
                    found.push((id, selector));
                }
            }
        }
        found
    }

    /// All modules that need one of `modules`, directly or not.
    fn users(&self, modules: &[ModuleId]) -> BTreeSet<ModuleId> {
        let users = |id: ModuleId| self.resolution.users[id].iter().copied();
        reachable(modules.iter().flat_map(|&id| users(id)), users)
    }

    /// The sets of modules that no other rule claims. If several sets claim a module, the one with
    /// the highest priority gets it.
    fn sets(
        &self,
        sets: &[ModuleSet],
        claimed: &Table<ModuleId, Claim>,
    ) -> Result<Vec<(ModuleId, Claim)>, PlanError> {
        let mut claimants: Table<ModuleId, Vec<(&ModuleSet, &FileLine)>> =
            self.tree.modules.map(|_| Vec::new());
        for set in sets {
            for (id, selector) in self.members(&set.members, &set.except) {
                claimants[id].push((set, selector.line()));
            }
        }
        let mut claims = Vec::new();
        let open = claimants
            .iter()
            .filter(|(id, _)| claimed[*id] == Claim::Unclaimed);
        for (id, claimants) in open {
            let highest = claimants.iter().map(|(set, _)| set.priority).max();
            let of_highest = |(set, _): &&(&ModuleSet, &FileLine)| Some(set.priority) == highest;
            let mut winners = claimants.iter().filter(of_highest);
            match (winners.next(), winners.next()) {
                (None, _) => {}
                (Some((set, line)), None) => {
                    claims.push((id, Claim::Set(set.name.clone(), (*line).clone())));
                }
                (Some((_, first)), Some((_, second))) => {
                    return Err(PlanError::Tie {
                        first: (*first).clone(),
                        second: (*second).clone(),
                        module: self.tree.modules[id].file.path.clone(),
                    });
                }
            }
        }
        Ok(claims)
    }
}

/// Puts modules into the image package. Sets win against base, except for what base needs.
fn keep_base(matcher: &Matcher<'_>, policy: &Policy, claims: &mut Table<ModuleId, Claim>) {
    let mut open = Vec::new();
    for (id, selector) in matcher.members(&policy.base.members, &policy.base.except) {
        if claims[id] == Claim::Unclaimed {
            claims[id] = Claim::Base(selector.line().clone());
            open.push(id);
        }
    }
    while let Some(user) = open.pop() {
        for &needed in &matcher.resolution.needs[user] {
            let claim = &mut claims[needed];
            if !matches!(
                claim,
                Claim::Base(_) | Claim::BaseNeeds(_) | Claim::Excluded(_)
            ) {
                *claim = Claim::BaseNeeds(user);
                open.push(needed);
            }
        }
    }
}

fn refuse_excluded(
    tree: &Tree,
    resolution: &Resolution,
    claims: &Table<ModuleId, Claim>,
) -> Result<(), PlanError> {
    let path = |id: ModuleId| tree.modules[id].file.path.clone();
    for (id, claim) in claims.iter() {
        let Claim::Excluded(line) = claim else {
            continue;
        };
        let mut users = resolution.users[id].iter();
        let packaged = |user: &&ModuleId| !matches!(claims[**user], Claim::Excluded(_));
        if let Some(&user) = users.find(packaged) {
            return Err(PlanError::Needed {
                line: line.clone(),
                module: path(id),
                user: path(user),
            });
        }
    }
    Ok(())
}

fn refuse_unclaimed(tree: &Tree, claims: &Table<ModuleId, Claim>) -> Result<(), PlanError> {
    let unclaimed = claims
        .iter()
        .filter(|(_, claim)| **claim == Claim::Unclaimed);
    let unclaimed: Vec<_> = unclaimed.map(|(id, _)| id).collect();
    match unclaimed.is_empty() {
        true => Ok(()),
        false => Err(PlanError::Unclaimed {
            modules: some_of(tree, &unclaimed),
        }),
    }
}

/// Warns of selectors that match no module. Those of the default policy and of imported lists are
/// for all kernels, so they do not count.
fn unmatched(matcher: &Matcher<'_>, policy: &Policy) -> Vec<String> {
    let warned = policy
        .selectors()
        .filter(|selector| !selector.line().is_in_default_policy() && !selector.is_imported())
        .filter(|selector| matcher.selected(selector).is_empty());
    warned
        .map(|selector| {
            let (line, text) = (selector.line(), selector.text());
            format!("{line}: \"{text}\" matches no module")
        })
        .collect()
}
