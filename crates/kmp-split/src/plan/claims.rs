//! A policy and a tree in, what its rules say of each module out.

use std::collections::{BTreeMap, BTreeSet};

use id_table::Table;
use modtree::{ModuleId, Record, Resolution, Tree};
use policy::{FileLine, ModulePath, ModuleSet, Override, Policy, Selector, Support, Unclaimed};

use super::error::{PlanError, some_of};

/// What the rules say of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The image package has it: a rule says so.
    Base(FileLine),
    /// The image package has it, for a module there needs it.
    BaseNeeds(ModuleId),
    /// A set has it.
    Set(String, FileLine),
    /// The package a rule names has it.
    Package(String, FileLine),
    /// No package has it.
    Excluded(FileLine),
    /// Nothing.
    Unclaimed,
}

/// The rules applied to all modules.
pub struct Claims {
    /// What they say of each.
    pub claims: Table<ModuleId, Claim>,
    /// Whether each module is one that is supported.
    pub supported: Table<ModuleId, bool>,
    /// Whether hardware may ask for each module.
    pub hardware: Table<ModuleId, bool>,
    /// Rules that match nothing.
    pub warnings: Vec<String>,
    /// The modules that each set says it does not have, by its name.
    pub excepted: BTreeMap<String, BTreeSet<ModuleId>>,
}

/// A module as selectors see it.
pub fn named(record: &Record) -> ModulePath<'_> {
    ModulePath::new(&record.file.path)
}

impl Claims {
    /// Applies the rules of a policy.
    ///
    /// # Errors
    /// Two sets claim one module, one is excluded though it is needed, or unclaimed though none
    /// may be.
    pub fn new(tree: &Tree, resolution: &Resolution, policy: &Policy) -> Result<Self, PlanError> {
        let matcher = Matcher { tree, resolution };
        let overrides = tree
            .modules
            .map(|(_, record)| policy.overrides(named(record)));
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
        (Some((true, place)), _) => Claim::Excluded((*place).clone()),
        (_, Some((package, place))) => Claim::Package((*package).to_owned(), (*place).clone()),
        _ => Claim::Unclaimed,
    }
}

fn is_supported(rule: &Override<'_>) -> bool {
    rule.supported
        .as_ref()
        .is_none_or(|(support, _)| *support == Support::Yes)
}

/// Selectors applied to a tree.
pub struct Matcher<'t> {
    /// The tree.
    pub tree: &'t Tree,
    /// Who needs whom in it.
    pub resolution: &'t Resolution,
}

impl Matcher<'_> {
    /// The modules a selector names.
    pub fn selected(&self, selector: &Selector) -> BTreeSet<ModuleId> {
        if let Some(name) = selector.needs() {
            return self.users(self.tree.named(name));
        }
        let modules = self.tree.modules.iter();
        modules
            .filter(|(_, record)| selector.matches(named(record)))
            .map(|(id, _)| id)
            .collect()
    }

    /// The modules that some of `members` name and none of `except`, each with the selector that
    /// named it first.
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

    /// All that need one of `modules`, directly or not.
    fn users(&self, modules: &[ModuleId]) -> BTreeSet<ModuleId> {
        let mut found = BTreeSet::new();
        let mut open: Vec<_> = modules.to_vec();
        while let Some(id) = open.pop() {
            let users = self.resolution.users[id].iter();
            open.extend(users.filter(|&&user| found.insert(user)));
        }
        found
    }

    /// The set that claims each module that no other rule does: the one of the highest priority.
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
                (Some((set, place)), None) => {
                    claims.push((id, Claim::Set(set.name.clone(), (*place).clone())));
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

/// A set beats base, except for what base needs.
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
        let Claim::Excluded(place) = claim else {
            continue;
        };
        let mut users = resolution.users[id].iter();
        let packaged = |user: &&ModuleId| !matches!(claims[**user], Claim::Excluded(_));
        if let Some(&user) = users.find(packaged) {
            return Err(PlanError::Needed {
                place: place.clone(),
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

/// The rules that match no module. Those of the default policy and of imported lists are for
/// kernels of all kinds, so nobody is warned about them.
fn unmatched(matcher: &Matcher<'_>, policy: &Policy) -> Vec<String> {
    let warned = policy
        .selectors()
        .filter(|selector| !selector.line().is_in_default_policy() && !selector.is_imported())
        .filter(|selector| matcher.selected(selector).is_empty());
    warned
        .map(|selector| {
            let (place, text) = (selector.line(), selector.text());
            format!("{place}: \"{text}\" matches no module")
        })
        .collect()
}
