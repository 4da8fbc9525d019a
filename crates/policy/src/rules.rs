//! The rules of a policy, and what they decide about one module.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::file_line::FileLine;
use crate::grouping::{Grouping, Unclaimed};
use crate::naming::Naming;
use crate::selector::{ModulePath, Selector};
use crate::tag_kind::TagKind;

/// All layers, merged.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What to do with modules that no set claims.
    pub unclaimed: Unclaimed,
    /// The modules of the image package.
    pub base: Base,
    /// Modules that share packages, in the order in which the sets are first named.
    pub sets: Vec<ModuleSet>,
    /// Rules for single modules. If two decide the same key, the later one counts.
    pub modules: Vec<ModuleRule>,
    /// Packages that require others, in the order in which they are first named.
    pub patterns: Vec<Pattern>,
    /// How packages are named, and how they require each other.
    pub naming: Naming,
    /// How modules that no set claims are grouped.
    pub grouping: Grouping,
}

/// The modules of the image package.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// The modules.
    pub members: Vec<Selector>,
    /// Exceptions from them.
    pub except: Vec<Selector>,
}

/// Modules that share a package.
#[derive(Clone, Debug)]
pub struct ModuleSet {
    /// The name, from which the package gets its own.
    pub name: String,
    /// The line that defines it in the last layer that does.
    pub line: FileLine,
    /// The summary, one line.
    pub summary: Option<String>,
    /// The description, any number of lines.
    pub description: Option<String>,
    /// The modules.
    pub members: Vec<Selector>,
    /// Exceptions from them.
    pub except: Vec<Selector>,
    /// If several sets claim a module, the one with the highest priority gets it.
    pub priority: i64,
}

impl ModuleSet {
    /// A set that only has a name yet.
    pub(crate) fn new(name: String, line: FileLine) -> Self {
        Self {
            name,
            line,
            summary: None,
            description: None,
            members: Vec::new(),
            except: Vec::new(),
            priority: 0,
        }
    }
}

/// A package that requires the packages of some modules.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The name, from which the package gets its own.
    pub name: String,
    /// The line that defines it in the last layer that does.
    pub line: FileLine,
    /// The summary, one line.
    pub summary: Option<String>,
    /// The description, any number of lines.
    pub description: Option<String>,
    /// The heading under which it is shown.
    pub category: Option<String>,
    /// Its position among the patterns of the category.
    pub order: Option<u32>,
    /// Whether it is shown.
    pub visible: bool,
    /// The modules whose packages it requires.
    pub members: Vec<Selector>,
    /// Exceptions from them.
    pub except: Vec<Selector>,
}

impl Pattern {
    /// A pattern that only has a name yet.
    pub(crate) fn new(name: String, line: FileLine) -> Self {
        Self {
            name,
            line,
            summary: None,
            description: None,
            category: None,
            order: None,
            visible: true,
            members: Vec::new(),
            except: Vec::new(),
        }
    }
}

/// What is decided about some modules.
#[derive(Clone, Debug)]
pub struct ModuleRule {
    /// The line that begins the rule.
    pub line: FileLine,
    /// The modules. None of these selectors is `needs:`.
    pub selectors: Vec<Selector>,
    /// The package: that of a set, or one with this name.
    pub package: Option<String>,
    /// Whether the modules are left out of all packages.
    pub exclude: Option<bool>,
    /// Whether hardware may ask for the modules.
    pub hardware: Option<bool>,
    /// Whether initrds contain the modules.
    pub initrd: Option<bool>,
    /// Who supports the modules.
    pub supported: Option<Support>,
    /// Tags to add.
    pub tags: BTreeMap<TagKind, Vec<String>>,
}

impl ModuleRule {
    /// A rule that decides nothing yet.
    pub(crate) fn new(line: FileLine, selectors: Vec<Selector>) -> Self {
        Self {
            line,
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
    /// Another vendor.
    External,
    /// Nobody.
    No,
}

impl Support {
    /// The value of the policy's key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::External => "external",
            Self::No => "no",
        }
    }
}

/// What the rules decide about one module. Each value has the line of the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override<'p> {
    /// The package.
    pub package: Option<(&'p str, &'p FileLine)>,
    /// Whether the module is left out of all packages.
    pub exclude: Option<(bool, &'p FileLine)>,
    /// Whether hardware may ask for the module.
    pub hardware: Option<(bool, &'p FileLine)>,
    /// Whether initrds contain the module.
    pub initrd: Option<(bool, &'p FileLine)>,
    /// Who supports the module.
    pub supported: Option<(Support, &'p FileLine)>,
    /// Tags to add.
    pub tags: BTreeMap<TagKind, (&'p [String], &'p FileLine)>,
}

impl<'p> Override<'p> {
    fn add(&mut self, rule: &'p ModuleRule) {
        let line = &rule.line;
        decide(&mut self.package, rule.package.as_deref(), line);
        decide(&mut self.exclude, rule.exclude, line);
        decide(&mut self.hardware, rule.hardware, line);
        decide(&mut self.initrd, rule.initrd, line);
        decide(&mut self.supported, rule.supported, line);
        let tags = rule.tags.iter();
        self.tags
            .extend(tags.map(|(&kind, tags)| (kind, (tags.as_slice(), line))));
    }
}

fn decide<'p, T>(slot: &mut Option<(T, &'p FileLine)>, value: Option<T>, line: &'p FileLine) {
    if let Some(value) = value {
        *slot = Some((value, line));
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

    /// What the rules decide about a module: for each key, what the last rule that has it says.
    pub fn overrides(&self, module: ModulePath<'_>) -> Override<'_> {
        let mut all = Override::default();
        for rule in &self.modules {
            if rule.selectors.iter().any(|which| which.matches(module)) {
                all.add(rule);
            }
        }
        all
    }
}
