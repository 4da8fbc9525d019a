//! A few numbers in, the modules of a kernel that does not exist out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;

use kmodule::Kernelrelease;
use modtree::{ModuleFile, Record, Resolution, Tree, resolve, spelled};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Where kernels have modules.
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

/// Names that are also those of others: of directories, of sets, of what a namesake or a second
/// group of a directory would be called, of unsupported groups; and names that differ in little.
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

/// How a module says what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
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
    /// Places of other modules.
    pub needs: BTreeMap<usize, Link>,
}

impl Module {
    /// Without `.ko`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.directory, self.name)
    }

    /// As messages have it.
    pub fn file(&self) -> String {
        self.path() + ".ko"
    }
}

#[derive(Clone)]
pub struct World {
    pub modules: Vec<Module>,
}

/// One line for each module.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for module in &self.modules {
            let alias = module.alias.unwrap_or("-");
            write!(f, "\n  {} {} {alias}", module.path(), module.size)?;
            for (&needed, link) in &module.needs {
                write!(f, "\n    needs {} ({link:?})", self.modules[needed].path())?;
            }
        }
        writeln!(f)
    }
}

/// A world as it is drawn; what it needs is among the modules before it.
#[derive(Clone, Debug)]
struct Drawn {
    directory: &'static str,
    alike: Option<&'static str>,
    size: u64,
    alias: Option<&'static str>,
    needs: Vec<(Index, Link)>,
}

fn drawn(alike: f64) -> impl Strategy<Value = Drawn> {
    let link = select(vec![Link::Symbol, Link::Depends, Link::Both]);
    let size = prop_oneof![500_u64..4_000, 4_000_u64..300_000];
    (
        select(DIRECTORIES.as_slice()),
        prop::option::weighted(alike, select(ALIKE.as_slice())),
        size,
        select(ALIASES.as_slice()),
        prop::collection::vec((any::<Index>(), link), 0..4),
    )
        .prop_map(|(directory, alike, size, alias, needs)| Drawn {
            directory,
            alike,
            size,
            alias,
            needs,
        })
}

/// So many modules, of which none needs itself; `alike` is the share of those with odd names.
pub fn worlds(count: RangeInclusive<usize>, alike: f64) -> impl Strategy<Value = World> {
    prop::collection::vec(drawn(alike), count).prop_map(World::of)
}

impl World {
    fn of(drawn: Vec<Drawn>) -> Self {
        let mut paths = BTreeSet::new();
        let modules = drawn.into_iter().enumerate().map(|(place, drawn)| {
            let needs = drawn.needs.iter().filter(|_| place > 0);
            let mut module = Module {
                directory: drawn.directory.to_owned(),
                name: drawn.alike.unwrap_or_default().to_owned(),
                size: drawn.size,
                alias: drawn.alias,
                needs: needs
                    .map(|(needed, link)| (needed.index(place), *link))
                    .collect(),
            };
            if module.name.is_empty() || !paths.insert(module.path()) {
                module.name = format!("m{place}");
            }
            module
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// A world written by hand: paths, and for each the names of those it needs.
    pub fn written(modules: &[(&str, &[&str])]) -> Self {
        let place = |needed: &&str| {
            let name = |path: &str| path.rsplit('/').next() == Some(needed);
            modules.iter().position(|(path, _)| name(path)).unwrap()
        };
        let module = |&(path, needs): &(&str, &[&str])| {
            let (directory, name) = path.rsplit_once('/').unwrap();
            let needs = needs.iter().map(|needed| (place(needed), Link::Both));
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
            self.modules[user].needs.insert(needed, Link::Symbol);
        }
        self
    }

    /// The same with the modules in another order.
    pub fn reordered(&self, order: &[usize]) -> Self {
        let place = |old: usize| order.iter().position(|&place| place == old).unwrap();
        let modules = order.iter().map(|&old| {
            let module = self.modules[old].clone();
            let needs = module.needs.iter();
            let needs = needs
                .map(|(&needed, &link)| (place(needed), link))
                .collect();
            Module { needs, ..module }
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// What is left without some modules.
    pub fn without(&self, gone: &BTreeSet<usize>) -> Self {
        let mut less = self.clone();
        for module in &mut less.modules {
            module.needs.retain(|needed, _| !gone.contains(needed));
        }
        let kept: Vec<usize> = self
            .places()
            .filter(|place| !gone.contains(place))
            .collect();
        less.reordered(&kept)
    }

    pub fn places(&self) -> impl Iterator<Item = usize> + use<> {
        0..self.modules.len()
    }

    /// The modules that need a module.
    pub fn users(&self, needed: usize) -> impl Iterator<Item = usize> {
        self.places()
            .filter(move |&user| self.modules[user].needs.contains_key(&needed))
    }

    /// The modules of a name, `-` and `_` being the same.
    pub fn named(&self, name: &str) -> impl Iterator<Item = usize> {
        let name = spelled(name);
        self.places()
            .filter(move |&place| spelled(&self.modules[place].name) == name)
    }

    /// The module whose file is called so.
    pub fn at(&self, file: &str) -> Option<usize> {
        self.places()
            .find(|&place| self.modules[place].file() == file)
    }

    /// Who needs whom as the planner sees it.
    pub fn tree(&self) -> (Tree, Resolution) {
        let release = Kernelrelease::try_from(b"6.1.0-50-amd64".as_slice()).unwrap();
        let records = self.places().map(|place| self.record(place));
        let tree = Tree::from_records(release, records.collect(), Vec::new());
        let resolution = resolve(&tree, None);
        (tree, resolution)
    }

    fn record(&self, place: usize) -> (Record, Vec<String>, Vec<String>) {
        let module = &self.modules[place];
        let symbol = |place: usize| format!("symbol_{}", self.modules[place].path());
        let (mut depends, mut imports) = (Vec::new(), Vec::new());
        for (&needed, &link) in &module.needs {
            let name = &self.modules[needed].name;
            // Of namesakes depends= cannot tell which one it means.
            let unique = self.named(name).count() == 1;
            if link != Link::Symbol && unique {
                depends.push(name.clone());
            }
            if link != Link::Depends || !unique {
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
        (record, vec![symbol(place)], imports)
    }
}
