//! Reads from a module what the kernel's loader asks of it.

use std::path::Path;

use hashbrown::HashMap;
use kmodule::{Error, Import, Machine, Module, Signature, Undefined};

use crate::btf::BtfBase;
use crate::facts::{ModuleBtf, ModuleFacts, ModuleSignature, VersionTables};
use crate::symbol_list::{ExportedSymbol, ImportedSymbol, Version};

/// How exactly a module is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'b> {
    /// Where the symbols that it imports are read.
    pub symbols: SymbolReading,
    /// Whether signatures are read.
    pub signatures: bool,
    /// The kernels whose BTF its own is to be checked against. The kernel does so only where its
    /// configuration forbids a mismatch.
    pub btf_bases: &'b [&'b BtfBase],
}

impl Default for Reading<'_> {
    /// All that does not depend on a kernel.
    fn default() -> Self {
        Self {
            symbols: SymbolReading::SymbolTable,
            signatures: true,
            btf_bases: &[],
        }
    }
}

/// Where the symbols that a module imports are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolReading {
    /// The symbol table, as the loader does.
    SymbolTable,
    /// The version table where there is one: that is half of the reading. modpost lists there
    /// each symbol that it found an exporter for, so the two differ only in modules that modpost
    /// warned of, and in weak symbols.
    VersionTable,
}

/// The symbol whose CRC stands for the layout of the loader's structures.
const MODULE_LAYOUT: &[u8] = b"module_layout";

impl ModuleFacts {
    /// Reads a module.
    ///
    /// # Errors
    /// It is damaged.
    pub fn read(module: &Module<'_>, path: &Path, reading: Reading<'_>) -> Result<Self, Error> {
        let info = module.modinfo();
        let owned = |key| info.value(key).map(Box::from);
        let name = info.value("name").or_else(|| kmodule::module_name(path));
        let mut facts = Self {
            name: kmodule::normalized(name.unwrap_or_default()).into(),
            machine: Some(module.machine()),
            vermagic: owned("vermagic"),
            license: owned("license"),
            import_ns: info.values("import_ns").map(Box::from).collect(),
            is_in_tree: info.value("intree").is_some(),
            is_livepatch: info.value("livepatch").is_some(),
            struct_module_size: module.struct_module_size()?,
            signature: match reading.signatures {
                true => signature(module)?,
                false => ModuleSignature::Unread,
            },
            btf: btf(module, reading.btf_bases)?,
            export_tables: module.export_tables()?,
            ..Self::default()
        };
        facts.read_imports(module, reading.symbols)?;
        for export in module.detailed_exports()? {
            facts.symbols.add_export(&ExportedSymbol {
                name: export.name,
                crc: export.crc,
                namespace: export.namespace,
                gpl_only: export.gpl_only,
            });
        }
        Ok(facts)
    }

    fn read_imports(&mut self, module: &Module<'_>, reading: SymbolReading) -> Result<(), Error> {
        let versions = module.versions()?;
        self.version_tables = VersionTables {
            basic: versions.basic.is_some(),
            extended: versions.extended.is_some(),
        };
        // linux/kernel/module/version.c, `check_version`: the extended table is relied on alone.
        let table = versions.extended.or(versions.basic);
        if reading == SymbolReading::VersionTable {
            if let Some(table) = table.as_deref().filter(|table| !table.is_empty()) {
                self.add_version_table(table);
                return Ok(());
            }
        }
        let table = table.unwrap_or_default();
        let mut crcs = HashMap::with_capacity(table.len());
        for Import { name, crc } in table {
            crcs.entry(name).or_insert(crc);
        }
        let version = |name| {
            crcs.get(name)
                .copied()
                .map_or(Version::Unlisted, Version::Listed)
        };
        self.module_layout = Some(version(MODULE_LAYOUT));
        for symbol in module.undefined()? {
            if is_defined_by_loader(module.machine(), symbol.name) {
                continue;
            }
            let Undefined { name, weak } = symbol;
            let version = version(name);
            self.symbols.add_import(&ImportedSymbol {
                name,
                version,
                weak,
            });
        }
        Ok(())
    }

    fn add_version_table(&mut self, table: &[Import<'_>]) {
        self.module_layout = Some(Version::Unlisted);
        for Import { name, crc } in table {
            let version = Version::Listed(*crc);
            if *name == MODULE_LAYOUT {
                self.module_layout = Some(version);
                continue;
            }
            self.symbols.add_import(&ImportedSymbol {
                name,
                version,
                weak: false,
            });
        }
    }
}

fn signature(module: &Module<'_>) -> Result<ModuleSignature, Error> {
    match module.signature() {
        Ok(None) => Ok(ModuleSignature::Missing),
        Ok(Some(Signature::Unsupported)) => Ok(ModuleSignature::Unsupported),
        Ok(Some(Signature::Pkcs7(signers))) => Ok(ModuleSignature::By(signers)),
        Err(error) if matches!(error.problem, kmodule::Problem::BadSignature(_)) => {
            Ok(ModuleSignature::Damaged)
        }
        Err(error) => Err(error),
    }
}

fn btf(module: &Module<'_>, bases: &[&BtfBase]) -> Result<ModuleBtf, Error> {
    if module.has_btf_base() {
        return Ok(ModuleBtf::WithBase);
    }
    if bases.is_empty() {
        return Ok(match module.has_btf() {
            true => ModuleBtf::Split(Vec::new()),
            false => ModuleBtf::Missing,
        });
    }
    Ok(match module.btf()? {
        None | Some([]) => ModuleBtf::Missing,
        Some(split) => {
            let checked = bases.iter().map(|base| (base.id(), base.accepts(split)));
            ModuleBtf::Split(checked.collect())
        }
    })
}

/// EM_386, EM_X86_64, EM_PPC64 and EM_S390.
const X86: [u16; 2] = [3, 62];
const PPC64: u16 = 21;
const S390: u16 = 22;

/// Symbols that no one exports and the loader takes care of.
fn is_defined_by_loader(machine: Machine, symbol: &[u8]) -> bool {
    match symbol {
        // linux/kernel/module/main.c, `ignore_undef_symbol`, and
        // linux/arch/s390/kernel/module.c, `module_frob_arch_sections`.
        b"_GLOBAL_OFFSET_TABLE_" => X86.contains(&machine.number) || machine.number == S390,
        // linux/arch/powerpc/kernel/module_64.c, `dedotify`.
        b"TOC." => machine.number == PPC64,
        _ => false,
    }
}
