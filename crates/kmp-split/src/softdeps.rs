//! Finds what the softdeps and weakdeps of a kernel's modules lead to.
//!
//! modprobe takes each word for the name of a module, then for an alias (kmod, `lookup_softdep` and
//! `kmod_module_new_from_lookup`). An alias may lead to several modules, of which packages need one.

use std::collections::{BTreeSet, HashMap};

use id_table::Table;
use kmod_conf::fnmatch;
use kmodule::SoftdepOrder;
use modtree::{ModuleId, Resolution, Tree, spelled};
use policy::{ModulePath, Policy, TagKind};
use tagging::{Softdep, TreeSoftdeps};

use crate::reach::reachable;

/// What softdeps and weakdeps lead to.
#[derive(Clone, Debug)]
pub struct Softdeps {
    /// For each module the types of its tags, each with the module that the tag is about.
    pub tags: Table<ModuleId, BTreeSet<(TagKind, ModuleId)>>,
    /// Names that no module and nothing in the kernel has, each with the module that names it.
    pub unmet: Vec<(ModuleId, String)>,
}

impl Softdeps {
    /// Finds all of a tree, and adds those that modprobe loads first to what modules need.
    ///
    /// Without them a module may fail to load, so they are requirements, unless a module would need
    /// itself then: modprobe ends such circles somewhere, a plan cannot.
    pub fn resolve(tree: &Tree, resolution: &mut Resolution, policy: &Policy) -> Self {
        let names = Names::new(tree, policy);
        let mut softdeps = Self {
            tags: tree.modules.map(|_| BTreeSet::new()),
            unmet: Vec::new(),
        };
        for (user, record) in tree.modules.iter() {
            if names.excluded[user] {
                continue;
            }
            for (order, name) in &record.softdeps {
                let needs_first = *order == SoftdepOrder::Pre;
                softdeps.add(
                    &names,
                    resolution,
                    user,
                    name,
                    |resolution, chosen| match needs_first && !needs(resolution, chosen, user) {
                        true => TagKind::Requires,
                        false => TagKind::Recommends,
                    },
                );
            }
            for name in &record.weakdeps {
                softdeps.add(&names, resolution, user, name, |_, _| TagKind::Suggests);
            }
        }
        softdeps
    }

    fn add(
        &mut self,
        names: &Names<'_>,
        resolution: &mut Resolution,
        user: ModuleId,
        name: &str,
        kind: impl Fn(&Resolution, ModuleId) -> TagKind,
    ) {
        let met_by = match names.met_by(name) {
            MetBy::Kernel => return,
            MetBy::Modules(modules) if modules.contains(&user) => return,
            MetBy::Modules(modules) => modules,
        };
        let needed = reachable(resolution.needs[user].iter().copied(), |id| {
            resolution.needs[id].iter().copied()
        });
        let best = |&id: &ModuleId| {
            let kind = kind(resolution, id);
            (
                kind != TagKind::Requires,
                !needed.contains(&id),
                names.rank(id),
            )
        };
        let Some(chosen) = met_by.into_iter().min_by_key(best) else {
            self.unmet.push((user, name.to_owned()));
            return;
        };
        let kind = kind(resolution, chosen);
        self.tags[user].insert((kind, chosen));
        if kind == TagKind::Requires {
            insert(&mut resolution.needs[user], chosen);
            insert(&mut resolution.users[chosen], user);
        }
    }

    /// The tags, as generators read them.
    pub fn of_tree(&self, tree: &Tree) -> TreeSoftdeps {
        let mut all = TreeSoftdeps::default();
        for (user, tags) in self.tags.iter() {
            let path = tree.modules[user].file.plain_path();
            for &(kind, module) in tags {
                let module = tree.modules[module].file.name.clone();
                all.add(path, Softdep { kind, module });
            }
        }
        all
    }

    /// A line for each name that nothing has.
    pub fn describe_unmet(&self, tree: &Tree) -> impl Iterator<Item = String> {
        self.unmet.iter().map(|(user, name)| {
            let path = &tree.modules[*user].file.path;
            format!("{path} names {name}, which no module of this kernel has as its name or alias")
        })
    }
}

/// Whether a module needs another one, directly or not.
fn needs(resolution: &Resolution, user: ModuleId, needed: ModuleId) -> bool {
    let needs = |id: ModuleId| resolution.needs[id].iter().copied();
    reachable([user], needs).contains(&needed)
}

fn insert(sorted: &mut Vec<ModuleId>, id: ModuleId) {
    if let Err(position) = sorted.binary_search(&id) {
        sorted.insert(position, id);
    }
}

/// Who has a name.
enum MetBy {
    /// A module that is linked into the kernel.
    Kernel,
    /// These modules; none if there is nobody.
    Modules(Vec<ModuleId>),
}

/// The names and aliases of a tree.
struct Names<'t> {
    tree: &'t Tree,
    excluded: Table<ModuleId, bool>,
    aliases: HashMap<String, Vec<ModuleId>>,
    patterns: Vec<(String, ModuleId)>,
    builtin_aliases: Vec<String>,
}

impl<'t> Names<'t> {
    fn new(tree: &'t Tree, policy: &Policy) -> Self {
        let mut aliases: HashMap<String, Vec<ModuleId>> = HashMap::new();
        let mut patterns = Vec::new();
        for (id, record) in tree.modules.iter() {
            for alias in &record.aliases {
                let alias = spelled(alias);
                match alias.contains(['*', '?', '[', '\\']) {
                    true => patterns.push((alias, id)),
                    false => aliases.entry(alias).or_default().push(id),
                }
            }
        }
        let excluded = tree.modules.map(|(_, record)| {
            let overrides = policy.overrides(ModulePath::new(&record.file.path));
            overrides.exclude.is_some_and(|(exclude, _)| exclude)
        });
        Self {
            tree,
            excluded,
            aliases,
            patterns,
            builtin_aliases: tree.builtin_aliases.iter().map(|a| spelled(a)).collect(),
        }
    }

    fn met_by(&self, name: &str) -> MetBy {
        let packaged = |id: &ModuleId| !self.excluded[*id];
        let named = self.tree.named(name).iter().copied().filter(packaged);
        let named: Vec<_> = named.collect();
        if !named.is_empty() {
            return MetBy::Modules(named);
        }
        let name = spelled(name);
        let matches = |alias: &str| {
            // Most patterns are of hardware and differ before the first star.
            let literal = alias
                .split(['*', '?', '[', '\\'])
                .next()
                .unwrap_or_default();
            name.starts_with(literal) && fnmatch(alias.as_bytes(), name.as_bytes())
        };
        if self.builtin_aliases.iter().any(|alias| matches(alias)) {
            return MetBy::Kernel;
        }
        let literal = self.aliases.get(&name).into_iter().flatten();
        let by_pattern = self.patterns.iter().filter(|(alias, _)| matches(alias));
        let all: BTreeSet<_> = literal.chain(by_pattern.map(|(_, id)| id)).collect();
        let modules: Vec<_> = all.into_iter().copied().filter(packaged).collect();
        // As in modprobe, the last. crc32 is code of the image, and an algorithm of crc32_generic.
        match modules.is_empty() && self.tree.is_builtin(&name) {
            true => MetBy::Kernel,
            false => MetBy::Modules(modules),
        }
    }

    /// The generic module first, then one that is not for some processor or device.
    fn rank(&self, id: ModuleId) -> (bool, bool, ModuleId) {
        let record = &self.tree.modules[id];
        let is_generic = spelled(&record.file.name)
            .split('_')
            .any(|word| word == "generic");
        (!is_generic, record.drives_hardware(), id)
    }
}
