//! Decides which module needs which.
//!
//! Symbols decide, as for the kernel's loader and depmod. `depends=` is what modpost knew when the
//! module was built. Normally both say the same. Where not, both count, and the difference is told.

use std::collections::BTreeSet;
use std::mem::{Discriminant, discriminant};

use id_table::Table;
use loader::{Exporter, Kernel, ModuleId, Reason, Scope};

use crate::tree::Tree;

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
    /// Modules that the kernel would not load, all for reasons of one kind.
    Refused {
        /// The modules, in the order of their paths.
        modules: Vec<ModuleId>,
        /// What is said against the first of them.
        example: String,
    },
}

/// Who needs whom, directly.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The modules each module needs, sorted.
    pub needs: Table<ModuleId, Vec<ModuleId>>,
    /// The modules that need each module, sorted.
    pub users: Table<ModuleId, Vec<ModuleId>>,
    /// Who exports each import of each module, in the order of its imports; `None` for nobody.
    pub exporters: Table<ModuleId, Vec<Option<Exporter>>>,
    /// Where symbols and `depends=` differ, or a tree is incomplete.
    pub differences: Vec<Difference>,
}

/// Finds the exporter of every import of a tree. Without the kernel's exports, what no module
/// exports is taken for the kernel's.
pub fn resolve(tree: &Tree, kernel: Option<&Kernel>) -> Resolution {
    let unknown = Kernel::new(tree.release.clone());
    let kernel = kernel.unwrap_or(&unknown);
    let scope = Scope::new(&tree.loader, kernel, tree.loader.ids());
    let mut differences = refused(&scope);
    let exporters = tree.modules.map(|(user, _)| exporters(tree, &scope, user));
    let needs = exporters.map(|(user, exporters)| {
        let used = used(exporters);
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
        exporters,
        differences,
    }
}

/// The kind of a reason, without what it names.
type Kind = Discriminant<Reason>;

/// What the kernel's loader would say against modules, a difference for each kind of reason.
fn refused(scope: &Scope<'_>) -> Vec<Difference> {
    let mut kinds: Vec<(Kind, Vec<ModuleId>, String)> = Vec::new();
    for module in scope.modules().ids() {
        for reason in scope.verdict(module).reasons {
            let kind = discriminant(&reason);
            match kinds.iter_mut().find(|(known, ..)| *known == kind) {
                None => kinds.push((kind, vec![module], scope.describe(module, &reason))),
                Some((_, modules, _)) if modules.last() == Some(&module) => {}
                Some((_, modules, _)) => modules.push(module),
            }
        }
    }
    kinds
        .into_iter()
        .map(|(_, modules, example)| Difference::Refused { modules, example })
        .collect()
}

/// Who exports what a module imports. Of several modules the one counts that modpost chose.
fn exporters(tree: &Tree, scope: &Scope<'_>, user: ModuleId) -> Vec<Option<Exporter>> {
    let imports = tree.loader.imports(user).iter();
    let modpost_chose = |module| depends_on(tree, user, module);
    imports
        .map(|import| scope.exporter(user, import, modpost_chose))
        .collect()
}

/// The modules among exporters.
fn used(exporters: &[Option<Exporter>]) -> BTreeSet<ModuleId> {
    let modules = exporters.iter().filter_map(|exporter| match exporter {
        Some(Exporter::Module(module)) => Some(*module),
        Some(Exporter::Kernel) | None => None,
    });
    modules.collect()
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
            Self::Refused { modules, example } => {
                let first = modules.first().map_or("", path);
                match modules.len() {
                    1 => format!("{first} would not load: {example}"),
                    count => format!("{count} modules would not load, {first} because {example}"),
                }
            }
        }
    }
}
