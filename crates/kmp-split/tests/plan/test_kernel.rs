//! Random kernels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;

use kmodule::{Kernelrelease, is_same_name};
use modtree::{ModuleFile, Record, Resolution, Tree, resolve};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Directories in which kernels have modules.
pub const DIRECTORIES: [&str; 11] = [
    "kernel/arch/x86/crypto",
    "kernel/drivers/net",
    "kernel/drivers/net/ethernet/intel",
    "kernel/drivers/net/usb",
    "kernel/drivers/usb/core",
    "kernel/fs",
    "kernel/fs/ext4",
    "kernel/lib",
    "kernel/net/netfilter",
    "kernel/sound/core",
    "kernel/sound/pci/hda",
];

/// Names that something else may have, too: a directory, a set, a second module of the name, a second
/// group of a directory, an unsupported group. Some of them hardly differ.
pub const ALIKE: [&str; 16] = [
    "foo",
    "Foo",
    "foo-bar",
    "foo_bar",
    "foo-extra",
    "net",
    "net-foo",
    "drivers-net",
    "drivers-net-2",
    "fs",
    "fs-2",
    "fs-foo",
    "fs-ext4",
    "ext4",
    "sound-core",
    "usb",
];

const ALIASES: [Option<&str>; 6] = [
    None,
    None,
    Some("pci:v00008086d000015B7sv*sd*bc*sc*i*"),
    Some("pci:v*d*sv*sd*bc0Csc03i30*"),
    Some("usb:v0BDAp8153d*dc*dsc*dp*ic*isc*ip*in*"),
    Some("fs-foo"),
];

/// How a module shows that it needs another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedKind {
    /// By a symbol.
    Symbol,
    /// By `depends=`.
    Depends,
    /// By both, as modules do.
    Both,
}

#[derive(Clone)]
pub struct Module {
    pub directory: String,
    pub name: String,
    pub size: u64,
    pub alias: Option<&'static str>,
    /// The indexes of other modules.
    pub needs: BTreeMap<usize, NeedKind>,
}

impl Module {
    /// Without `.ko`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.directory, self.name)
    }

    /// The path that messages have.
    pub fn file(&self) -> String {
        self.path() + ".ko"
    }
}

#[derive(Clone)]
pub struct TestKernel {
    pub modules: Vec<Module>,
}

/// Prints a line for each module.
impl fmt::Debug for TestKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for module in &self.modules {
            let alias = module.alias.unwrap_or("-");
            write!(f, "\n  {} {} {alias}", module.path(), module.size)?;
            for (&needed, kind) in &module.needs {
                write!(f, "\n    needs {} ({kind:?})", self.modules[needed].path())?;
            }
        }
        writeln!(f)
    }
}

/// A random module. It needs some of the modules before it.
#[derive(Clone, Debug)]
struct RandomModule {
    directory: &'static str,
    alike: Option<&'static str>,
    size: u64,
    alias: Option<&'static str>,
    needs: Vec<(Index, NeedKind)>,
}

fn random_module(alike: f64) -> impl Strategy<Value = RandomModule> {
    let kind = select(vec![NeedKind::Symbol, NeedKind::Depends, NeedKind::Both]);
    let size = prop_oneof![500_u64..4_000, 4_000_u64..300_000];
    (
        select(DIRECTORIES.as_slice()),
        prop::option::weighted(alike, select(ALIKE.as_slice())),
        size,
        select(ALIASES.as_slice()),
        prop::collection::vec((any::<Index>(), kind), 0..4),
    )
        .prop_map(|(directory, alike, size, alias, needs)| RandomModule {
            directory,
            alike,
            size,
            alias,
            needs,
        })
}

/// Kernels with so many modules, none of which needs itself. `alike` is the share of modules with
/// names of [`ALIKE`].
pub fn test_kernels(count: RangeInclusive<usize>, alike: f64) -> impl Strategy<Value = TestKernel> {
    prop::collection::vec(random_module(alike), count).prop_map(TestKernel::of)
}

impl TestKernel {
    fn of(random: Vec<RandomModule>) -> Self {
        let mut paths = BTreeSet::new();
        let modules = random.into_iter().enumerate().map(|(index, random)| {
            let needs = random.needs.iter().filter(|_| index > 0);
            let mut module = Module {
                directory: random.directory.to_owned(),
                name: random.alike.unwrap_or_default().to_owned(),
                size: random.size,
                alias: random.alias,
                needs: needs
                    .map(|(needed, kind)| (needed.index(index), *kind))
                    .collect(),
            };
            if module.name.is_empty() || !paths.insert(module.path()) {
                module.name = format!("m{index}");
            }
            module
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// A kernel that a test writes down: paths, each with the names of the modules that it needs.
    pub fn written(modules: &[(&str, &[&str])]) -> Self {
        let index = |needed: &&str| {
            let name = |path: &str| path.rsplit('/').next() == Some(needed);
            modules.iter().position(|(path, _)| name(path)).unwrap()
        };
        let module = |&(path, needs): &(&str, &[&str])| {
            let (directory, name) = path.rsplit_once('/').unwrap();
            let needs = needs.iter().map(|needed| (index(needed), NeedKind::Both));
            Module {
                directory: directory.to_owned(),
                name: name.to_owned(),
                size: 10_000,
                alias: ALIASES[2],
                needs: needs.collect(),
            }
        };
        Self {
            modules: modules.iter().map(module).collect(),
        }
    }

    /// Makes modules need each other in a circle.
    pub fn with_circle(mut self, through: &BTreeSet<usize>) -> Self {
        let next = through.iter().cycle().skip(1);
        for (&user, &needed) in through.iter().zip(next).filter(|(a, b)| a != b) {
            self.modules[user].needs.insert(needed, NeedKind::Symbol);
        }
        self
    }

    /// The same modules in another order.
    pub fn reordered(&self, order: &[usize]) -> Self {
        let index = |old: usize| order.iter().position(|&index| index == old).unwrap();
        let modules = order.iter().map(|&old| {
            let module = self.modules[old].clone();
            let needs = module.needs.iter();
            let needs = needs
                .map(|(&needed, &kind)| (index(needed), kind))
                .collect();
            Module { needs, ..module }
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// The kernel without some modules.
    pub fn without(&self, gone: &BTreeSet<usize>) -> Self {
        let mut less = self.clone();
        for module in &mut less.modules {
            module.needs.retain(|needed, _| !gone.contains(needed));
        }
        let kept: Vec<usize> = self
            .indexes()
            .filter(|index| !gone.contains(index))
            .collect();
        less.reordered(&kept)
    }

    pub fn indexes(&self) -> impl Iterator<Item = usize> + use<> {
        0..self.modules.len()
    }

    /// The modules that need a module.
    pub fn users(&self, needed: usize) -> impl Iterator<Item = usize> {
        self.indexes()
            .filter(move |&user| self.modules[user].needs.contains_key(&needed))
    }

    /// The modules with a name. `-` and `_` are the same.
    pub fn named(&self, name: &str) -> impl Iterator<Item = usize> {
        self.indexes().filter(move |&index| {
            is_same_name(self.modules[index].name.as_bytes(), name.as_bytes())
        })
    }

    /// The module with this file.
    pub fn at(&self, file: &str) -> Option<usize> {
        self.indexes()
            .find(|&index| self.modules[index].file() == file)
    }

    /// The kernel as the planner sees it.
    pub fn tree(&self) -> (Tree, Resolution) {
        let release = Kernelrelease::try_from(b"6.1.0-50-amd64".as_slice()).unwrap();
        let records = self.indexes().map(|index| self.record(index));
        let tree = Tree::from_records(release, records.collect(), Vec::new());
        let resolution = resolve(&tree, None);
        (tree, resolution)
    }

    fn record(&self, index: usize) -> (Record, Vec<String>, Vec<String>) {
        let module = &self.modules[index];
        let symbol = |index: usize| format!("symbol_{}", self.modules[index].path());
        let (mut depends, mut imports) = (Vec::new(), Vec::new());
        for (&needed, &kind) in &module.needs {
            let name = &self.modules[needed].name;
            // depends= cannot tell modules of the same name apart.
            let unique = self.named(name).count() == 1;
            if kind != NeedKind::Symbol && unique {
                depends.push(name.clone());
            }
            if kind != NeedKind::Depends || !unique {
                imports.push(symbol(needed));
            }
        }
        let record = Record {
            file: ModuleFile {
                name: module.name.clone(),
                path: module.file(),
            },
            bytes: module.size * 2,
            size: module.size,
            aliases: module.alias.map(str::to_owned).into_iter().collect(),
            depends,
            ..Record::default()
        };
        (record, vec![symbol(index)], imports)
    }
}
