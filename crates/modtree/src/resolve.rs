//! A tree and the kernel's exports in, which module needs which out.
//!
//! What decides is the symbols, as for the kernel's loader and depmod; `depends=` is what modpost
//! knew when the module was built. Normally both say the same; where not, both count and the
//! difference is told.

use std::collections::{BTreeSet, HashMap};

use kmodule::{Crc, Symvers};

use crate::tree::{ModuleId, Symbol, SymbolId, Tree};
use id_table::Table;

/// What the kernel image exports, by name.
pub type KernelExports = HashMap<Box<[u8]>, Option<Crc>>;

/// Takes the kernel's own lines of a symvers file.
pub fn kernel_exports(symvers: &Symvers) -> KernelExports {
    symvers
        .kernel_entries()
        .map(|line| (line.name.into(), line.crc))
        .collect()
}

/// Where a symbol that a module imports comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The kernel image.
    Kernel,
    /// A module.
    Module(ModuleId),
    /// A module exports the name, but of another kABI.
    CrcMismatch(ModuleId),
    /// Nobody exports it.
    Missing,
    /// Nobody exports it, and the importer can do without.
    WeakMissing,
}

/// Something that is not as it is in a sound kernel tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A module uses symbols of another that its `depends=` does not name.
    OnlySymbols {
        /// Who uses.
        user: ModuleId,
        /// Whose symbols.
        provider: ModuleId,
    },
    /// `depends=` names a module none of whose symbols is used.
    OnlyDepends {
        /// Whose `depends=`.
        user: ModuleId,
        /// What it names.
        provider: ModuleId,
    },
    /// `depends=` names a module that is not in the tree.
    AbsentModule {
        /// Whose `depends=`.
        user: ModuleId,
        /// What it names.
        name: String,
    },
    /// A symbol nobody exports.
    MissingSymbol {
        /// Who imports it.
        user: ModuleId,
        /// Which.
        symbol: SymbolId,
    },
    /// A symbol exported with another CRC than the importer expects.
    CrcMismatch {
        /// Who imports it.
        user: ModuleId,
        /// Which.
        symbol: SymbolId,
        /// Who exports it.
        provider: ModuleId,
    },
}

/// Who needs whom, directly.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The modules each module needs, sorted.
    pub needs: Table<ModuleId, Vec<ModuleId>>,
    /// The modules that need each module, sorted.
    pub users: Table<ModuleId, Vec<ModuleId>>,
    /// Where symbols and `depends=` differ, or a tree is incomplete.
    pub differences: Vec<Difference>,
}

/// Binds every import of a tree. Without the kernel's exports, what no module exports is taken for
/// the kernel's.
pub fn resolve(tree: &Tree, kernel: Option<&KernelExports>) -> Resolution {
    let exporters = Exporters::of(tree);
    let mut differences = Vec::new();
    let needs = tree.modules.map(|(user, _)| {
        let used = exporters.used(tree, kernel, user, &mut differences);
        let named = named(tree, user, &mut differences);
        let only = |a: &BTreeSet<_>, b: &BTreeSet<_>| a.difference(b).copied().collect::<Vec<_>>();
        for provider in only(&used, &named) {
            differences.push(Difference::OnlySymbols { user, provider });
        }
        for provider in only(&named, &used) {
            differences.push(Difference::OnlyDepends { user, provider });
        }
        used.union(&named).copied().collect::<Vec<_>>()
    });
    let mut users = tree.modules.map(|_| Vec::new());
    for (user, needed) in needs.iter() {
        for &provider in needed {
            users[provider].push(user);
        }
    }
    Resolution {
        needs,
        users,
        differences,
    }
}

struct Exporters(HashMap<SymbolId, Vec<(ModuleId, Option<Crc>)>>);

impl Exporters {
    fn of(tree: &Tree) -> Self {
        let mut by_symbol: HashMap<_, Vec<_>> = HashMap::new();
        for (module, exports) in tree.exports.iter() {
            for export in exports {
                let exporters = by_symbol.entry(export.id).or_default();
                exporters.push((module, export.crc));
            }
        }
        Self(by_symbol)
    }

    /// The modules whose symbols `user` uses.
    fn used(
        &self,
        tree: &Tree,
        kernel: Option<&KernelExports>,
        user: ModuleId,
        differences: &mut Vec<Difference>,
    ) -> BTreeSet<ModuleId> {
        let mut used = BTreeSet::new();
        for import in &tree.imports[user] {
            let symbol = import.id;
            match self.binding(tree, kernel, user, import) {
                Binding::Kernel | Binding::WeakMissing => {}
                Binding::Module(provider) => {
                    used.insert(provider);
                }
                Binding::CrcMismatch(provider) => {
                    used.insert(provider);
                    differences.push(Difference::CrcMismatch {
                        user,
                        symbol,
                        provider,
                    });
                }
                Binding::Missing => differences.push(Difference::MissingSymbol { user, symbol }),
            }
        }
        used.remove(&user);
        used
    }

    fn binding(
        &self,
        tree: &Tree,
        kernel: Option<&KernelExports>,
        user: ModuleId,
        import: &Symbol,
    ) -> Binding {
        let name = &tree.symbols[import.id];
        if kernel.is_some_and(|exports| exports.contains_key(name)) {
            return Binding::Kernel;
        }
        let exporters = self
            .0
            .get(&import.id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let fits = |crc: Option<Crc>| import.crc.is_none() || crc.is_none() || crc == import.crc;
        let fitting = || exporters.iter().filter(|(_, crc)| fits(*crc));
        // Of several that export a symbol, the one modpost chose.
        let chosen = fitting().find(|(module, _)| depends_on(tree, user, *module));
        match (chosen.or_else(|| fitting().next()), exporters.first()) {
            (Some(&(module, _)), _) => Binding::Module(module),
            (None, Some(&(module, _))) => Binding::CrcMismatch(module),
            (None, None) if kernel.is_none() => Binding::Kernel,
            (None, None) if import.weak => Binding::WeakMissing,
            (None, None) => Binding::Missing,
        }
    }
}

fn depends_on(tree: &Tree, user: ModuleId, provider: ModuleId) -> bool {
    let depends = &tree.modules[user].depends;
    depends
        .iter()
        .any(|name| tree.named(name).contains(&provider))
}

/// The modules a module's `depends=` names. A name without a file that is linked into the kernel
/// needs nothing; of namesakes the first by path counts.
fn named(tree: &Tree, user: ModuleId, differences: &mut Vec<Difference>) -> BTreeSet<ModuleId> {
    let mut named = BTreeSet::new();
    for name in &tree.modules[user].depends {
        match tree.named(name) {
            [] if tree.is_builtin(name) => {}
            [] => differences.push(Difference::AbsentModule {
                user,
                name: name.clone(),
            }),
            [first, ..] => {
                named.insert(*first);
            }
        }
    }
    named.remove(&user);
    named
}

impl Difference {
    /// One line that names modules and symbols.
    pub fn describe(&self, tree: &Tree) -> String {
        let path = |module: &ModuleId| tree.modules[*module].file.path.as_str();
        let symbol = |id: &SymbolId| String::from_utf8_lossy(&tree.symbols[*id]).into_owned();
        match self {
            Self::OnlySymbols { user, provider } => format!(
                "{} uses symbols of {}, which its depends= does not name",
                path(user),
                path(provider)
            ),
            Self::OnlyDepends { user, provider } => format!(
                "depends= of {} names {}, none of whose symbols it uses",
                path(user),
                path(provider)
            ),
            Self::AbsentModule { user, name } => {
                format!(
                    "depends= of {} names {name}, which is not there",
                    path(user)
                )
            }
            Self::MissingSymbol { user, symbol: id } => {
                format!(
                    "{} imports {}, which nothing exports",
                    path(user),
                    symbol(id)
                )
            }
            Self::CrcMismatch {
                user,
                symbol: id,
                provider,
            } => format!(
                "{} imports {} with another CRC than {} exports",
                path(user),
                symbol(id),
                path(provider)
            ),
        }
    }
}
