//! What indexes are made of.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use facts::{FactTable, ModuleFacts};
use id_table::{Id, Table};
use kmod_index::{Entry, IndexFile, KernelList, WriteError, is_key};

use super::dep;
use super::module_texts::ModuleTexts;
use crate::complaints::Complaints;
use crate::dependencies::Dependencies;
use crate::module::ModuleNumber;
use crate::module_path::ModulePath;
use crate::settings::Settings;
use crate::symbol_table::SymbolTable;

/// The indexes whose values are keys of modules.dep.bin: what leads there must be there.
const LEADING: [IndexFile; 2] = [IndexFile::AliasBin, IndexFile::SymbolsBin];

/// Modules and their facts, which module exports what, and which needs which.
pub(crate) struct IndexInput<'v> {
    pub(super) settings: &'v Settings,
    pub(super) modules: &'v Table<ModuleNumber, ModulePath>,
    pub(super) facts: &'v FactTable<ModuleNumber>,
    symbol_table: &'v SymbolTable<'v>,
    dependencies: &'v Dependencies,
    symbols: OnceLock<Vec<(&'v [u8], ModuleNumber)>>,
    dep_lines: OnceLock<ModuleTexts>,
}

impl<'v> IndexInput<'v> {
    pub(crate) fn new(
        settings: &'v Settings,
        modules: &'v Table<ModuleNumber, ModulePath>,
        facts: &'v FactTable<ModuleNumber>,
        symbol_table: &'v SymbolTable<'v>,
        dependencies: &'v Dependencies,
    ) -> Self {
        Self {
            settings,
            modules,
            facts,
            symbol_table,
            dependencies,
            symbols: OnceLock::new(),
            dep_lines: OnceLock::new(),
        }
    }

    /// Exported symbols with their modules. Whoever asks first has them made.
    pub(super) fn symbols(&self) -> &[(&'v [u8], ModuleNumber)] {
        self.symbols.get_or_init(|| self.symbol_table.of_modules())
    }

    /// The lines of modules.dep, each with its line feed. Whoever asks first has them made.
    pub(super) fn dep_lines(&self) -> &ModuleTexts {
        self.dep_lines
            .get_or_init(|| dep::lines(self.modules, self.dependencies))
    }

    /// The names of all modules with their facts, in order.
    pub(super) fn modules(&self) -> impl Iterator<Item = (&'v [u8], ModuleFacts<'v>)> {
        let facts = |(number, path): (_, &'v ModulePath)| (path.name(), self.facts.module(number));
        self.modules.iter().map(facts)
    }

    /// How long all aliases are together.
    pub(super) fn alias_bytes(&self) -> usize {
        let modules = self.facts.iter();
        modules.map(|(_, module)| module.alias_bytes()).sum()
    }

    /// The name of a module.
    pub(super) fn name(&self, module: ModuleNumber) -> &'v [u8] {
        self.modules[module].name()
    }

    /// An entry of a binary index that leads to a module.
    pub(super) fn entry<'e>(&self, key: &'e [u8], module: ModuleNumber) -> Entry<'e>
    where
        'v: 'e,
    {
        Entry {
            key,
            value: self.name(module),
            priority: priority(module),
        }
    }

    /// A binary index. An entry that it has no room for is left out with a message: for one name that
    /// is no 7-bit text no other module is to lose its indexes.
    pub(super) fn index(
        &self,
        file: IndexFile,
        entries: &[Entry<'_>],
    ) -> Result<Vec<u8>, WriteError> {
        let layout = self.settings.compat.layout();
        // The names of modules are keys of modules.dep.bin.
        let is_bad_name = |(_, path): (_, &ModulePath)| !is_key(path.name());
        let result = match self.modules.iter().any(is_bad_name) {
            true => Err(WriteError::BadByte(String::new())),
            false => kmod_index::write(entries, layout),
        };
        let Err(WriteError::BadByte(_)) = result else {
            return result;
        };
        let leads_to_modules = LEADING.contains(&file);
        let has_room =
            |entry: &Entry<'_>| is_key(entry.key) && (!leads_to_modules || is_key(entry.value));
        let (kept, left_out): (Vec<_>, Vec<_>) = entries.iter().copied().partition(has_room);
        let mut complaints = Complaints::about(&self.settings.directory);
        for Entry { key, value, .. } in left_out {
            let [key, value] = [key, value].map(|text| String::from_utf8_lossy(text));
            complaints.fault(format_args!(
                "{key:?} of {value:?} is left out of {}, which holds only 7-bit text",
                file.name()
            ));
        }
        kmod_index::write(&kept, layout)
    }

    /// One of the kernel's lists, with its path. Without a list its index is an empty file.
    pub(super) fn list(&self, list: KernelList) -> Option<(PathBuf, Vec<u8>)> {
        let directory = &self.settings.directory;
        let path = directory.join(list.name());
        match fs::read(&path) {
            Ok(text) => Some((path, text)),
            Err(error) => {
                let directory = directory.display();
                log::warn!("could not open {} at {directory}: {error}", list.name());
                None
            }
        }
    }
}

/// The priority that a module's entries have in binary indexes.
pub(super) fn priority(module: ModuleNumber) -> u32 {
    u32::try_from(module.index()).unwrap_or(u32::MAX)
}
