//! Reads all modules of one kernel: what each says of itself, what the kernel's loader asks of it,
//! and which modules are linked into the kernel.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use id_table::Table;
use kmodule::{Kernelrelease, Module, Reader};
use loader::{
    ExportedSymbol, ImportedSymbol, Kernel, ModuleFacts, ModuleId, Modules, Reading, SymbolReading,
    Version,
};
use parallel::map_with;

use crate::record::{self, Record};
use crate::{Error, ReleaseDir};

/// All modules of one kernel, in the order of their paths.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The kernel.
    pub release: Kernelrelease,
    /// Where its modules lie.
    pub directory: ReleaseDir,
    /// What each module says of itself.
    pub modules: Table<ModuleId, Record>,
    /// What the kernel's loader asks of each module; the symbols it exports and imports.
    pub loader: Modules,
    /// Names of the modules linked into the kernel, `-` as `_`.
    pub builtin: Vec<String>,
    /// Aliases of these, as their files have them.
    pub builtin_aliases: Vec<String>,
    by_name: BTreeMap<String, Vec<ModuleId>>,
}

impl Tree {
    /// Reads every module of a directory, on all processors.
    ///
    /// # Errors
    /// A module or a list cannot be read, or is damaged: the first by path.
    pub fn scan(release: &Kernelrelease, directory: &ReleaseDir) -> Result<Self, Error> {
        let kernel = Kernel::new(release.clone());
        Self::scan_for(&kernel, directory, |_, _| Ok(()))
    }

    /// Reads every module of a kernel's directory, as far as that kernel's loader asks, and calls
    /// `visit` with the path and contents of each, so that what else is to be known of it comes
    /// from the same reading.
    ///
    /// # Errors
    /// A module or a list cannot be read or is damaged, or `visit` fails: the first by path.
    pub fn scan_for<E: From<Error> + Send>(
        kernel: &Kernel,
        directory: &ReleaseDir,
        visit: impl Fn(&Path, &Module<'_>) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let files = directory.modules()?;
        let btf_bases: Vec<_> = kernel.btf.iter().collect();
        let reading = Reading {
            symbols: SymbolReading::VersionTable,
            signatures: kernel.refuses_unsigned(),
            btf_bases: &btf_bases,
        };
        let read = map_with(&files, Reader::new, |reader, file| {
            let path = directory.path().join(&file.path);
            let use_module = |module: &Module<'_>| {
                visit(&path, module)?;
                let facts = ModuleFacts::read(module, &path, reading).map_err(Error::from)?;
                Ok::<_, E>((record::read(module, file.clone())?, facts))
            };
            reader.module(&path, use_module).map_err(Error::from)?
        })?;
        let builtin = directory.builtin()?.unwrap_or_default();
        let builtin = builtin
            .iter()
            .map(|name| spelled(&String::from_utf8_lossy(name)))
            .collect();
        let aliases = directory.builtin_aliases()?;
        let aliases = aliases.iter().map(|alias| String::from_utf8_lossy(alias));
        let builtin_aliases = aliases.map(Cow::into_owned).collect();
        let tree = Self::new(kernel.release.clone(), directory.clone(), read, builtin);
        Ok(Self {
            builtin_aliases,
            ..tree
        })
    }

    fn new(
        release: Kernelrelease,
        directory: ReleaseDir,
        read: Vec<(Record, ModuleFacts)>,
        builtin: Vec<String>,
    ) -> Self {
        let mut modules = Vec::with_capacity(read.len());
        let mut loader = Modules::new();
        // Both give modules their numbers in this order.
        for (record, facts) in read {
            modules.push(record);
            loader.add(facts);
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
            loader,
            builtin,
            builtin_aliases: Vec::new(),
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

/// A tree made of records alone, for plans of kernels that do not exist.
impl Tree {
    /// Takes records in any order; symbols by the names the pairs give.
    pub fn from_records(
        release: Kernelrelease,
        records: Vec<(Record, Vec<String>, Vec<String>)>,
        builtin: Vec<String>,
    ) -> Self {
        let mut read: Vec<_> = records
            .into_iter()
            .map(|(record, exports, imports)| {
                let facts = made_up(&record, &exports, &imports);
                (record, facts)
            })
            .collect();
        read.sort_by(|(a, _), (b, _)| a.file.path.cmp(&b.file.path));
        let directory = ReleaseDir::absent(Path::new("/"), &release);
        Self::new(release, directory, read, builtin)
    }
}

/// A module with these exports and imports that loads anywhere.
fn made_up(record: &Record, exports: &[String], imports: &[String]) -> ModuleFacts {
    let mut facts = ModuleFacts {
        name: spelled(&record.file.name).into_bytes().into(),
        license: Some(b"GPL"[..].into()),
        ..ModuleFacts::default()
    };
    for name in exports {
        facts.symbols.add_export(&ExportedSymbol {
            name: name.as_bytes(),
            crc: None,
            namespace: None,
            gpl_only: false,
        });
    }
    for name in imports {
        facts.symbols.add_import(&ImportedSymbol {
            name: name.as_bytes(),
            version: Version::Unlisted,
            weak: false,
        });
    }
    facts
}
