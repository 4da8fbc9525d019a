//! Lists the symbols that a module or a linked kernel exports, with or without their details.
//!
//! A kernel with modversions gives each exported symbol a `__crc_<symbol>`, which is the cheapest
//! way to names and CRCs. `strip` may drop these symbols, because the loader does not need them.
//! Then, and for namespaces and the GPL flag, the loader's own tables are read.

use crate::crc::{Crc, crc_at};
use crate::elf::Elf;
use crate::error::Result;
use crate::export_tables::{ExportTable, export_tables};
use crate::kcrctab;
use crate::ksymtab::Ksymtabs;
use crate::symbols::{Place, SymbolTable, symbols};

/// A symbol that a module or kernel exports, with the CRC of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Export<'d> {
    /// The symbol.
    pub name: &'d [u8],
    /// `None` where the build could not compute one.
    pub crc: Option<Crc>,
}

/// All that the kernel's loader asks of an exported symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DetailedExport<'d> {
    /// The symbol.
    pub name: &'d [u8],
    /// `None` where the build could not compute one, or the kernel has no modversions.
    pub crc: Option<Crc>,
    /// The namespace that a module must import to use it.
    pub namespace: Option<&'d [u8]>,
    /// Only modules with a GPL-compatible licence may use it.
    pub gpl_only: bool,
}

/// All exports that have a CRC, sorted; none for a kernel without modversions. `has_modversions` tells
/// whether the file's vermagic names them, and is asked if a table has no CRCs.
///
/// # Errors
/// The file was stripped of more than can be done without, or its tables lack CRCs that vermagic
/// promises (linux/kernel/module/main.c, `check_export_symbol_versions`).
pub(crate) fn exports<'d>(
    elf: &Elf<'d>,
    has_modversions: impl FnOnce() -> bool,
) -> Result<Vec<Export<'d>>> {
    let tables = export_tables(elf)?;
    let without = tables.iter().find(|table| table.kcrctab.is_none());
    if let Some(ExportTable {
        ksymtab: (_, section),
        ..
    }) = without
    {
        if has_modversions() {
            return Err(section.bad("its exports have no CRCs, but vermagic says modversions"));
        }
    }
    if tables.iter().all(|table| table.kcrctab.is_none()) {
        return Ok(Vec::new());
    }
    // Linked images have the tables ready for use, which are far smaller than their symbol table.
    if !elf.is_relocatable {
        if let Ok(exports) = from_tables(elf, &tables, None) {
            return Ok(exports);
        }
    }
    let symbols = symbols(elf)?;
    let mut named = match &symbols {
        Some(symbols) => from_crc_symbols(elf, symbols)?,
        None => Vec::new(),
    };
    named.sort_unstable();
    named.dedup();
    match kcrctab::holds(&tables, named.len()) {
        true => Ok(named),
        false => from_tables(elf, &tables, symbols.as_ref()),
    }
}

/// All exports with their details, sorted, whether or not they have CRCs.
///
/// # Errors
/// The file was stripped of more than the loader can do without.
pub(crate) fn detailed_exports<'d>(elf: &Elf<'d>) -> Result<Vec<DetailedExport<'d>>> {
    let tables = export_tables(elf)?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let symbols = symbols(elf)?;
    let ksymtabs = Ksymtabs::new(elf, symbols.as_ref())?;
    let mut exports = Vec::new();
    for table in &tables {
        let entries = ksymtabs.entries(table)?;
        let crcs = kcrctab::crcs(elf, table, entries.layout, symbols.as_ref())?;
        let namespaces = ksymtabs.namespaces(&entries)?;
        let gpl_only = table.gpl_flags(elf, entries.names.len())?;
        for (((name, crc), namespace), gpl_only) in entries
            .names
            .into_iter()
            .zip(crcs)
            .zip(namespaces)
            .zip(gpl_only)
        {
            exports.push(DetailedExport {
                name,
                crc,
                namespace,
                gpl_only,
            });
        }
    }
    exports.sort_unstable();
    Ok(exports)
}

/// The names of all exports, sorted, whether or not they have CRCs.
///
/// `__ksymtab_strings` alone would not do, because namespaces are in it too.
///
/// # Errors
/// As for [`detailed_exports`].
pub(crate) fn export_names<'d>(elf: &Elf<'d>) -> Result<Vec<&'d [u8]>> {
    let tables = export_tables(elf)?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let symbols = symbols(elf)?;
    let ksymtabs = Ksymtabs::new(elf, symbols.as_ref())?;
    let mut names = Vec::new();
    for table in &tables {
        names.extend(ksymtabs.entries(table)?.names);
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Pairs the entries of `__ksymtab*` with the words of `__kcrctab*`. Relocations name the symbols
/// of a module, so it needs what is left of the symbol table.
fn from_tables<'d>(
    elf: &Elf<'d>,
    tables: &[ExportTable<'_, 'd>],
    symbols: Option<&SymbolTable<'_, 'd>>,
) -> Result<Vec<Export<'d>>> {
    let ksymtabs = Ksymtabs::new(elf, symbols)?;
    let mut exports = Vec::new();
    for table in tables.iter().filter(|table| table.kcrctab.is_some()) {
        let entries = ksymtabs.entries(table)?;
        let crcs = kcrctab::crcs(elf, table, entries.layout, symbols)?;
        let named = entries.names.into_iter().zip(crcs);
        exports.extend(named.map(|(name, crc)| Export { name, crc }));
    }
    exports.sort_unstable();
    Ok(exports)
}

/// What the symbol with the CRC of another is called.
const PREFIX: &[u8] = b"__crc_";

fn from_crc_symbols<'d>(elf: &Elf<'d>, symbols: &SymbolTable<'_, 'd>) -> Result<Vec<Export<'d>>> {
    let mut exports = Vec::new();
    for symbol in symbols.that_start_with(PREFIX) {
        let symbol = symbol?;
        if symbol.place == Place::Elsewhere {
            continue;
        }
        if let Some(name) = symbols.name(&symbol)?.strip_prefix(PREFIX) {
            let crc = crc_at(elf, &symbol, 0)?;
            exports.push(Export { name, crc });
        }
    }
    Ok(exports)
}
