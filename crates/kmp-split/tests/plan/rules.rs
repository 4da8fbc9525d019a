//! Random policies: as data, and as the TOML that the planner reads.

use std::collections::BTreeSet;
use std::fmt;

use kmodule::is_same_name;
use policy::{GroupBy, Layer, Policy};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::test_kernel::TestKernel;

/// The file the policy claims to be.
pub const FILE: &str = "p.toml";

/// Names of sets and packages. Most of them are also names of something else.
const NAMES: [&str; 8] = [
    "storage",
    "wifi",
    "foo",
    "foo-extra",
    "net-foo",
    "fs",
    "drivers-net",
    "m1",
];

#[derive(Clone)]
pub enum Selector {
    Path(String),
    Name(String),
    Below(String),
    Needs(String),
    Nothing(usize),
}

impl Selector {
    pub fn text(&self) -> String {
        match self {
            Self::Path(text) | Self::Name(text) => text.clone(),
            Self::Below(directory) => format!("{directory}/"),
            Self::Needs(name) => format!("needs: {name}"),
            Self::Nothing(number) => format!("nothing-{number}"),
        }
    }

    /// The modules that it names.
    pub fn selected(&self, kernel: &TestKernel) -> BTreeSet<usize> {
        let all = kernel.indexes();
        let path = |index: usize| kernel.modules[index].path();
        match self {
            Self::Path(text) => all.filter(|&index| path(index) == *text).collect(),
            Self::Name(name) => {
                let same = |&index: &usize| {
                    is_same_name(kernel.modules[index].name.as_bytes(), name.as_bytes())
                };
                all.filter(same).collect()
            }
            Self::Below(directory) => {
                let below = |&index: &usize| path(index).starts_with(&format!("{directory}/"));
                all.filter(below).collect()
            }
            Self::Needs(name) => {
                let mut found = BTreeSet::new();
                let mut open: Vec<usize> = kernel.named(name).collect();
                while let Some(needed) = open.pop() {
                    open.extend(kernel.users(needed).filter(|&user| found.insert(user)));
                }
                found
            }
            Self::Nothing(_) => BTreeSet::new(),
        }
    }
}

/// The modules that one of `members` names and none of `except`.
pub fn members(members: &[Selector], except: &[Selector], kernel: &TestKernel) -> BTreeSet<usize> {
    let all = |of: &[Selector]| -> BTreeSet<usize> {
        of.iter().flat_map(|one| one.selected(kernel)).collect()
    };
    &all(members) - &all(except)
}

#[derive(Clone)]
pub struct Set {
    pub name: &'static str,
    pub members: Vec<Selector>,
    pub except: Vec<Selector>,
    pub priority: i64,
}

/// What a `[[module]]` rule decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Package(&'static str),
    Exclude(bool),
    Supported(&'static str),
}

#[derive(Clone)]
pub struct ModuleRule {
    pub which: Vec<Selector>,
    pub decision: Decision,
}

#[derive(Clone)]
pub struct Rules {
    pub refuse_unclaimed: bool,
    pub unsupported: &'static str,
    pub by: GroupBy,
    pub depth: usize,
    pub packages: (usize, usize),
    pub largest: u64,
    pub base: Vec<Selector>,
    pub base_except: Vec<Selector>,
    pub sets: Vec<Set>,
    pub modules: Vec<ModuleRule>,
}

/// As TOML.
impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.toml().join("\n"))
    }
}

impl Rules {
    /// No rules, only the way to group modules.
    pub fn grouping(by: GroupBy) -> Self {
        Self {
            refuse_unclaimed: false,
            unsupported: "",
            by,
            depth: 2,
            packages: (150, 600),
            largest: 1024,
            base: Vec::new(),
            base_except: Vec::new(),
            sets: Vec::new(),
            modules: Vec::new(),
        }
    }

    /// The lines of the TOML. Each selector has a line of its own.
    pub fn toml(&self) -> Vec<String> {
        let unclaimed = if self.refuse_unclaimed {
            "error"
        } else {
            "group"
        };
        let (least, most) = self.packages;
        let mut lines = vec![
            format!("unclaimed = {unclaimed:?}"),
            "[naming]".to_owned(),
            format!("unsupported = {:?}", self.unsupported),
            "[grouping]".to_owned(),
            format!("by = {:?}", self.by.as_str()),
            format!("depth = {}", self.depth),
            format!("packages = [{least}, {most}]"),
            format!("largest = {}", self.largest),
            "[base]".to_owned(),
        ];
        list(&mut lines, "members", &self.base);
        list(&mut lines, "except", &self.base_except);
        for set in &self.sets {
            lines.push("[[set]]".to_owned());
            lines.push(format!("name = {:?}", set.name));
            lines.push(format!("priority = {}", set.priority));
            list(&mut lines, "members", &set.members);
            list(&mut lines, "except", &set.except);
        }
        for rule in &self.modules {
            lines.push("[[module]]".to_owned());
            lines.push(match rule.decision {
                Decision::Package(name) => format!("package = {name:?}"),
                Decision::Exclude(exclude) => format!("exclude = {exclude}"),
                Decision::Supported(support) => format!("supported = {support:?}"),
            });
            list(&mut lines, "match", &rule.which);
        }
        lines
    }

    pub fn policy(&self) -> Policy {
        let layer = Layer::new(FILE, self.toml().join("\n"));
        Policy::from_layers(&[layer]).unwrap()
    }

    /// The text of a line, by the name that it has in messages.
    pub fn line(&self, name: &str) -> Option<String> {
        let number: usize = name.strip_prefix(FILE)?.strip_prefix(':')?.parse().ok()?;
        self.toml().get(number.checked_sub(1)?).cloned()
    }

    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let sets = self.sets.iter();
        let base = self.base.iter().chain(&self.base_except);
        let sets = sets.flat_map(|set| set.members.iter().chain(&set.except));
        let modules = self.modules.iter().flat_map(|rule| &rule.which);
        base.chain(sets).chain(modules)
    }
}

fn list(lines: &mut Vec<String>, key: &str, selectors: &[Selector]) {
    lines.push(format!("{key} = ["));
    lines.extend(selectors.iter().map(line_of));
    lines.push("]".to_owned());
}

/// The line of a selector in the TOML.
pub fn line_of(selector: &Selector) -> String {
    format!("  {:?},", selector.text())
}

/// A random selector: a module, and the property that selects it.
type RandomSelector = (Index, u8);

fn selectors(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<RandomSelector>> {
    prop::collection::vec((any::<Index>(), 0..12_u8), count)
}

fn about(kernel: &TestKernel, random: &[RandomSelector], needs: bool) -> Vec<Selector> {
    let selector = |(index, kind): &RandomSelector| {
        let index = index.index(kernel.modules.len());
        let module = &kernel.modules[index];
        match kind {
            0..6 => Selector::Path(module.path()),
            6..9 => Selector::Name(module.name.replace('_', "-")),
            9 => Selector::Below(module.directory.clone()),
            10 if needs => Selector::Needs(module.name.clone()),
            _ => Selector::Nothing(index),
        }
    };
    random.iter().map(selector).collect()
}

/// Random rules, before the modules are known.
#[derive(Clone, Debug)]
pub struct RandomRules {
    refuse_unclaimed: bool,
    unsupported: &'static str,
    by: GroupBy,
    depth: usize,
    packages: (usize, usize),
    largest: u64,
    base: (Vec<RandomSelector>, Vec<RandomSelector>),
    sets: Vec<RandomSet>,
    modules: Vec<(Vec<RandomSelector>, Decision)>,
}

#[derive(Clone, Debug)]
struct RandomSet {
    name: &'static str,
    members: Vec<RandomSelector>,
    except: Vec<RandomSelector>,
    priority: i64,
}

pub fn rules() -> impl Strategy<Value = RandomRules> {
    let by = select(vec![
        GroupBy::PerModule,
        GroupBy::Directory,
        GroupBy::Auto,
        GroupBy::Auto,
    ]);
    let sets = prop::collection::vec(random_set(), 0..4);
    let modules = prop::collection::vec((selectors(1..3), decision()), 0..4);
    (
        prop::bool::weighted(0.1),
        select(vec!["", "-extra"]),
        (by, 1..4_usize, 1..10_usize, 0..40_usize, 1..2048_u64),
        (selectors(0..3), selectors(0..2)),
        sets,
        modules,
    )
        .prop_map(
            |(refuse_unclaimed, unsupported, grouping, base, sets, modules)| {
                let (by, depth, least, more, largest) = grouping;
                RandomRules {
                    refuse_unclaimed,
                    unsupported,
                    by,
                    depth,
                    packages: (least, least + more),
                    largest,
                    base,
                    sets,
                    modules,
                }
            },
        )
}

fn random_set() -> impl Strategy<Value = RandomSet> {
    let priority = prop_oneof![Just(0_i64), -9..9_i64];
    let name = select(NAMES.as_slice());
    (name, selectors(1..4), selectors(0..2), priority).prop_map(
        |(name, members, except, priority)| RandomSet {
            name,
            members,
            except,
            priority,
        },
    )
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![
        2 => select(NAMES.as_slice()).prop_map(Decision::Package),
        1 => prop::bool::weighted(0.8).prop_map(Decision::Exclude),
        3 => select(vec!["no", "no", "external", "yes"]).prop_map(Decision::Supported),
    ]
}

impl RandomRules {
    /// The rules for modules of this kernel.
    pub fn about(&self, kernel: &TestKernel) -> Rules {
        let mut names = BTreeSet::new();
        // A layer has a set only once.
        let sets = self.sets.iter().filter(|set| names.insert(set.name));
        let sets = sets.map(|set| Set {
            name: set.name,
            members: about(kernel, &set.members, true),
            except: about(kernel, &set.except, true),
            priority: set.priority,
        });
        let modules = self.modules.iter().map(|(which, decision)| ModuleRule {
            which: about(kernel, which, false),
            decision: decision.clone(),
        });
        Rules {
            refuse_unclaimed: self.refuse_unclaimed,
            unsupported: self.unsupported,
            by: self.by,
            depth: self.depth,
            packages: self.packages,
            largest: self.largest,
            base: about(kernel, &self.base.0, true),
            base_except: about(kernel, &self.base.1, true),
            sets: sets.collect(),
            modules: modules.collect(),
        }
    }
}
