//! What a policy decides, and for a module: all rules in, what holds out.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Grouping, Named, Naming, Place, Selector, TagKind};

/// All layers as one.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What to do with modules no set claims.
    pub unclaimed: Unclaimed,
    /// Modules kept in the image package.
    pub base: Base,
    /// Modules that share packages, in the order they are first named.
    pub sets: Vec<Set>,
    /// Overrides; of two that decide the same, the later counts.
    pub modules: Vec<ModuleRule>,
    /// Packages that require others, in the order they are first named.
    pub patterns: Vec<Pattern>,
    /// How packages are named and tied.
    pub naming: Naming,
    /// What becomes of modules no set claims.
    pub grouping: Grouping,
}

/// What to do with a module no set claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unclaimed {
    /// Group it with others.
    Group,
    /// Stop.
    Error,
}

/// Modules kept in the image package.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// Which.
    pub members: Vec<Selector>,
    /// Which of them not.
    pub except: Vec<Selector>,
}

/// Modules that share a package.
#[derive(Clone, Debug)]
pub struct Set {
    /// Names the package.
    pub name: String,
    /// Where the last layer that has it names it.
    pub place: Place,
    /// One line.
    pub summary: Option<String>,
    /// A paragraph.
    pub description: Option<String>,
    /// Which modules.
    pub members: Vec<Selector>,
    /// Which of them not.
    pub except: Vec<Selector>,
    /// Decides between sets that claim the same module.
    pub priority: i64,
}

/// A package that requires others.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Names the package.
    pub name: String,
    /// Where the last layer that has it names it.
    pub place: Place,
    /// One line.
    pub summary: Option<String>,
    /// A paragraph.
    pub description: Option<String>,
    /// The heading it is shown under.
    pub category: Option<String>,
    /// Where among its kin.
    pub order: Option<u32>,
    /// Whether it is shown.
    pub visible: bool,
    /// Which modules' packages.
    pub members: Vec<Selector>,
    /// Which of them not.
    pub except: Vec<Selector>,
}

/// What is decided for some modules.
#[derive(Clone, Debug)]
pub struct ModuleRule {
    /// Where.
    pub place: Place,
    /// Which modules; none of them is `needs:`.
    pub selectors: Vec<Selector>,
    /// The package: that of a set, or a name of its own.
    pub package: Option<String>,
    /// Whether they are left out.
    pub exclude: Option<bool>,
    /// Whether hardware pulls them in.
    pub hardware: Option<bool>,
    /// Whether an initrd wants them.
    pub initrd: Option<bool>,
    /// Whether the distribution supports them.
    pub supported: Option<Support>,
    /// Tags to add.
    pub tags: BTreeMap<TagKind, Vec<String>>,
}

impl ModuleRule {
    /// A rule that decides nothing yet.
    pub(crate) fn new(place: Place, selectors: Vec<Selector>) -> Self {
        Self {
            place,
            selectors,
            package: None,
            exclude: None,
            hardware: None,
            initrd: None,
            supported: None,
            tags: BTreeMap::new(),
        }
    }
}

/// Who supports a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    /// The distribution.
    Yes,
    /// Someone else.
    External,
    /// Nobody.
    No,
}

impl Support {
    /// As a policy writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::External => "external",
            Self::No => "no",
        }
    }
}

/// What holds for one module: of each key the last rule that has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override<'p> {
    /// The package.
    pub package: Option<(&'p str, &'p Place)>,
    /// Whether it is left out.
    pub exclude: Option<(bool, &'p Place)>,
    /// Whether hardware pulls it in.
    pub hardware: Option<(bool, &'p Place)>,
    /// Whether an initrd wants it.
    pub initrd: Option<(bool, &'p Place)>,
    /// Who supports it.
    pub supported: Option<(Support, &'p Place)>,
    /// Tags to add.
    pub tags: BTreeMap<TagKind, (&'p [String], &'p Place)>,
}

impl<'p> Override<'p> {
    fn add(&mut self, rule: &'p ModuleRule) {
        let place = &rule.place;
        decide(&mut self.package, rule.package.as_deref(), place);
        decide(&mut self.exclude, rule.exclude, place);
        decide(&mut self.hardware, rule.hardware, place);
        decide(&mut self.initrd, rule.initrd, place);
        decide(&mut self.supported, rule.supported, place);
        let tags = rule.tags.iter();
        self.tags
            .extend(tags.map(|(&kind, tags)| (kind, (tags.as_slice(), place))));
    }
}

fn decide<'p, T>(slot: &mut Option<(T, &'p Place)>, value: Option<T>, place: &'p Place) {
    if let Some(value) = value {
        *slot = Some((value, place));
    }
}

impl Policy {
    /// Every selector of every rule.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let base = self.base.members.iter().chain(&self.base.except);
        let sets = self.sets.iter();
        let sets = sets.flat_map(|set| set.members.iter().chain(&set.except));
        let patterns = self.patterns.iter();
        let patterns = patterns.flat_map(|pattern| pattern.members.iter().chain(&pattern.except));
        let rules = self.modules.iter().flat_map(|rule| &rule.selectors);
        base.chain(sets).chain(patterns).chain(rules)
    }

    /// All that rules say of a module.
    pub fn overrides(&self, module: Named<'_>) -> Override<'_> {
        let mut all = Override::default();
        for rule in &self.modules {
            if rule.selectors.iter().any(|which| which.matches(module)) {
                all.add(rule);
            }
        }
        all
    }
}
