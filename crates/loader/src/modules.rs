//! Gathers the facts of modules, whichever kernel they were built for.

use std::ops::Range;

use id_table::{Table, id};
use kmodule::{Crc, ExportTables, Machine};

use crate::facts::{ModuleBtf, ModuleFacts, ModuleSignature, VersionTables};
use crate::names::{NameId, Names};
use crate::symbol_list::Version;

id! {
    /// A module of [`Modules`].
    ModuleId
}

/// A symbol that a module imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its name.
    pub symbol: NameId,
    /// What the version table says of it.
    pub version: Version,
    /// The module loads without it, too.
    pub weak: bool,
}

/// A symbol that a module exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub symbol: NameId,
    /// `None` where the build could not compute one, or the module has no table of CRCs.
    pub crc: Option<Crc>,
    /// The namespace that a module must import to use it.
    pub namespace: Option<NameId>,
    /// Only modules with a GPL-compatible licence may use it.
    pub gpl_only: bool,
}

/// Modules, with their symbols as numbers.
#[derive(Clone, Debug)]
pub struct Modules {
    pub(crate) names: Names,
    modules: Table<ModuleId, Module>,
    imports: Vec<Import>,
    exports: Vec<Export>,
}

/// A module without its symbols.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    pub(crate) name: Box<[u8]>,
    pub(crate) machine: Option<Machine>,
    pub(crate) vermagic: Option<Box<[u8]>>,
    pub(crate) license: Option<Box<[u8]>>,
    pub(crate) import_ns: Vec<NameId>,
    pub(crate) is_in_tree: bool,
    pub(crate) is_livepatch: bool,
    pub(crate) is_proprietary: bool,
    pub(crate) struct_module_size: Option<u64>,
    pub(crate) signature: ModuleSignature,
    pub(crate) btf: ModuleBtf,
    pub(crate) version_tables: VersionTables,
    pub(crate) module_layout: Option<Version>,
    pub(crate) export_tables: ExportTables,
    imports: Range<usize>,
    exports: Range<usize>,
}

impl Default for Modules {
    fn default() -> Self {
        Self::new()
    }
}

impl Modules {
    /// Without any module.
    pub fn new() -> Self {
        Self {
            names: Names::default(),
            modules: std::iter::empty().collect(),
            imports: Vec::new(),
            exports: Vec::new(),
        }
    }

    /// Adds a module.
    pub fn add(&mut self, facts: ModuleFacts) -> ModuleId {
        let import_ns = facts.import_ns.iter().map(|space| self.names.add(space));
        let import_ns = import_ns.collect();
        let imports = self.imports.len();
        for import in facts.symbols.imports() {
            self.imports.push(Import {
                symbol: self.names.add(import.name),
                version: import.version,
                weak: import.weak,
            });
        }
        let exports = self.exports.len();
        for export in facts.symbols.exports() {
            self.exports.push(Export {
                symbol: self.names.add(export.name),
                crc: export.crc,
                namespace: export.namespace.map(|space| self.names.add(space)),
                gpl_only: export.gpl_only,
            });
        }
        self.modules.push(Module {
            is_proprietary: facts.is_proprietary(),
            name: facts.name,
            machine: facts.machine,
            vermagic: facts.vermagic,
            license: facts.license,
            import_ns,
            is_in_tree: facts.is_in_tree,
            is_livepatch: facts.is_livepatch,
            struct_module_size: facts.struct_module_size,
            signature: facts.signature,
            btf: facts.btf,
            version_tables: facts.version_tables,
            module_layout: facts.module_layout,
            export_tables: facts.export_tables,
            imports: imports..self.imports.len(),
            exports: exports..self.exports.len(),
        })
    }

    /// All modules, in the order they were added.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = ModuleId> + ExactSizeIterator + use<> {
        self.modules.ids()
    }

    /// The name of a module, with `-` as `_`.
    pub fn name(&self, module: ModuleId) -> &[u8] {
        &self.modules[module].name
    }

    /// The symbols a module imports, in the order the loader meets them.
    pub fn imports(&self, module: ModuleId) -> &[Import] {
        let range = self.modules[module].imports.clone();
        self.imports.get(range).unwrap_or_default()
    }

    /// The symbols a module exports.
    pub fn exports(&self, module: ModuleId) -> &[Export] {
        let range = self.modules[module].exports.clone();
        self.exports.get(range).unwrap_or_default()
    }

    /// The name of a symbol or namespace.
    pub fn symbol(&self, name: NameId) -> &[u8] {
        self.names.name(name)
    }

    pub(crate) fn get(&self, module: ModuleId) -> &Module {
        &self.modules[module]
    }
}
