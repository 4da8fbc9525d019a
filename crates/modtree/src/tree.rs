//! A module directory in, the whole picture of it out: every module with what it says of itself,
//! the symbols it exports and imports, what is linked into the kernel.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use kmodule::{Crc, Kernelrelease, Module, Reader};

use crate::record::{self, Named, Record, Symbols};
use id_table::Table;
use id_table::id;
use parallel::map_with;

use crate::{Error, ReleaseDir};

id! {
    /// A module of a [`Tree`].
    ModuleId
}

id! {
    /// A symbol that some module of a [`Tree`] exports or imports.
    SymbolId
}

/// A symbol as a module exports or imports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub id: SymbolId,
    /// Its CRC, where the kernel has modversions.
    pub crc: Option<Crc>,
    /// An import that may stay unresolved.
    pub weak: bool,
}

/// All modules of one kernel, in the order of their paths.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The kernel.
    pub release: Kernelrelease,
    /// Where its modules lie.
    pub directory: ReleaseDir,
    /// What each module says of itself.
    pub modules: Table<ModuleId, Record>,
    /// What each module exports.
    pub exports: Table<ModuleId, Vec<Symbol>>,
    /// What each module imports.
    pub imports: Table<ModuleId, Vec<Symbol>>,
    /// Names of the symbols.
    pub symbols: Table<SymbolId, Box<[u8]>>,
    /// Names of the modules linked into the kernel, `-` as `_`.
    pub builtin: Vec<String>,
    by_name: BTreeMap<String, Vec<ModuleId>>,
}

impl Tree {
    /// Reads every module of a directory, on all processors.
    ///
    /// # Errors
    /// A module or a list cannot be read, or is damaged: the first by path.
    pub fn scan(release: &Kernelrelease, directory: &ReleaseDir) -> Result<Self, Error> {
        Self::scan_with(release, directory, |_, _| Ok(()))
    }

    /// As [`Tree::scan`], and calls `visit` with the path and contents of each module, so that what
    /// else is to be known of it comes from the same reading.
    ///
    /// # Errors
    /// A module or a list cannot be read or is damaged, or `visit` fails: the first by path.
    pub fn scan_with<E: From<Error> + Send>(
        release: &Kernelrelease,
        directory: &ReleaseDir,
        visit: impl Fn(&Path, &Module<'_>) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let files = directory.modules()?;
        let read = map_with(&files, Reader::new, |reader, file| {
            let path = directory.path().join(&file.path);
            let use_module = |module: &Module<'_>| {
                visit(&path, module)?;
                record::read(module, file.clone()).map_err(E::from)
            };
            reader.module(&path, use_module).map_err(Error::from)?
        })?;
        let builtin = directory.builtin()?.unwrap_or_default();
        let builtin = builtin
            .iter()
            .map(|name| spelled(&String::from_utf8_lossy(name)))
            .collect();
        Ok(Self::new(release.clone(), directory.clone(), read, builtin))
    }

    fn new(
        release: Kernelrelease,
        directory: ReleaseDir,
        read: Vec<(Record, Symbols)>,
        builtin: Vec<String>,
    ) -> Self {
        let mut interner = Interner::default();
        let mut modules = Vec::with_capacity(read.len());
        let (mut exports, mut imports) = (Vec::new(), Vec::new());
        for (record, symbols) in read {
            modules.push(record);
            exports.push(interner.all(symbols.exports));
            imports.push(interner.all(symbols.imports));
        }
        let modules: Table<ModuleId, Record> = modules.into_iter().collect();
        let mut by_name: BTreeMap<String, Vec<ModuleId>> = BTreeMap::new();
        for (id, record) in modules.iter() {
            by_name
                .entry(spelled(&record.file.name))
                .or_default()
                .push(id);
        }
        Self {
            release,
            directory,
            modules,
            exports: exports.into_iter().collect(),
            imports: imports.into_iter().collect(),
            symbols: interner.names.into_iter().collect(),
            builtin,
            by_name,
        }
    }

    /// The modules of a name, however its dashes are written; several where namesakes lie in
    /// different directories.
    pub fn named(&self, name: &str) -> &[ModuleId] {
        self.by_name
            .get(&spelled(name))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Whether a module is linked into the kernel.
    pub fn is_builtin(&self, name: &str) -> bool {
        self.builtin.contains(&spelled(name))
    }
}

/// The spelling in which module names are compared (linux/kernel/module, kmod's modname_normalize).
pub fn spelled(name: &str) -> String {
    name.replace('-', "_")
}

#[derive(Default)]
struct Interner {
    ids: HashMap<Box<[u8]>, SymbolId>,
    names: Vec<Box<[u8]>>,
}

impl Interner {
    fn all(&mut self, symbols: Vec<Named>) -> Vec<Symbol> {
        let intern = |symbol: Named| Symbol {
            id: self.id(symbol.name),
            crc: symbol.crc,
            weak: symbol.weak,
        };
        symbols.into_iter().map(intern).collect()
    }

    fn id(&mut self, name: Box<[u8]>) -> SymbolId {
        if let Some(&id) = self.ids.get(&name) {
            return id;
        }
        let id = <SymbolId as id_table::Id>::from_index(self.names.len());
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }
}

/// A tree made of records alone, for plans of kernels that do not exist.
impl Tree {
    /// Takes records in any order; symbols by the names the pairs give.
    pub fn from_records(
        release: Kernelrelease,
        records: Vec<(Record, Vec<String>, Vec<String>)>,
        builtin: Vec<String>,
    ) -> Self {
        let named = |names: Vec<String>| {
            let named = |name: String| Named {
                name: name.into_bytes().into(),
                crc: None,
                weak: false,
            };
            names.into_iter().map(named).collect()
        };
        let mut read: Vec<_> = records
            .into_iter()
            .map(|(record, exports, imports)| {
                let symbols = Symbols {
                    exports: named(exports),
                    imports: named(imports),
                };
                (record, symbols)
            })
            .collect();
        read.sort_by(|(a, _), (b, _)| a.file.path.cmp(&b.file.path));
        let directory = ReleaseDir::absent(Path::new("/"), &release);
        Self::new(release, directory, read, builtin)
    }
}
