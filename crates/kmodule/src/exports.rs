//! The symbol table of a module in, its exported symbols with their CRCs out.
//!
//! A modversions kernel gives each exported symbol a `__crc_<symbol>`. Its value
//! is the CRC itself where the symbol is absolute (most architectures before
//! 5.19); otherwise it is the place of a 32-bit word that holds it
//! (`__kcrctab*` since 5.19, `.rodata` with MODULE_REL_CRCS). `strip` may drop
//! these symbols, which the loader does not need: then `ksymtab` pairs the
//! tables the loader reads.

use crate::Crc;
use crate::elf::{Elf, word_at};
use crate::error::{Problem, Result};
use crate::ksymtab;
use crate::symbols::{Place, Symbol, SymbolTable, symbols};

/// A symbol a module or kernel offers, with the CRC of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Export<'d> {
    /// The symbol.
    pub name: &'d [u8],
    /// 0 where the build could not compute one.
    pub crc: Crc,
}

/// All exports that have a CRC; none for a kernel without modversions.
pub(crate) fn exports<'d>(elf: &Elf<'d>) -> Result<Vec<Export<'d>>> {
    let tables = ksymtab::crc_tables(elf)?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    // Linked images carry the tables ready for use, with far fewer bytes to
    // read than their symbol table.
    if !elf.is_relocatable {
        if let Ok(exports) = ksymtab::paired(elf, &tables, None) {
            return Ok(exports);
        }
    }
    let symbols = symbols(elf)?;
    let mut by_name = match &symbols {
        Some(symbols) => named_crcs(elf, symbols)?,
        None => Vec::new(),
    };
    by_name.sort_unstable();
    by_name.dedup();
    if ksymtab::is_count(&tables, by_name.len()) {
        return Ok(by_name);
    }
    ksymtab::paired(elf, &tables, symbols.as_ref())
}

/// What the symbol with the CRC of another is called.
const PREFIX: &[u8] = b"__crc_";

fn named_crcs<'d>(elf: &Elf<'d>, symbols: &SymbolTable<'_, 'd>) -> Result<Vec<Export<'d>>> {
    let mut crcs = Vec::new();
    for symbol in symbols.that_start_with(PREFIX) {
        let symbol = symbol?;
        if symbol.place == Place::Elsewhere {
            continue;
        }
        if let Some(name) = symbols.name(&symbol)?.strip_prefix(PREFIX) {
            let crc = crc(elf, &symbol, 0)?;
            crcs.push(Export { name, crc });
        }
    }
    Ok(crcs)
}

/// The CRC that `symbol`, moved by `addend`, is or points at.
pub(crate) fn crc(elf: &Elf<'_>, symbol: &Symbol<'_>, addend: i64) -> Result<Crc> {
    let value = symbol.value.wrapping_add_signed(addend);
    let index = match symbol.place {
        Place::Absolute => return Ok(value as Crc),
        Place::Section(index) => index,
        // A weak undefined symbol: genksyms gave up and the loader sees 0.
        Place::Undefined | Place::Elsewhere => return Ok(0),
    };
    let missing = || Problem::BadSection {
        section: String::from_utf8_lossy(symbol.name().unwrap_or_default()).into_owned(),
        reason: "this symbol points outside the file",
    };
    let section = elf.sections.get(index).ok_or_else(missing)?;
    let base = match elf.is_relocatable {
        true => 0,
        false => section.address,
    };
    let data = elf.data(section)?;
    value
        .checked_sub(base)
        .and_then(|offset| word_at(data, offset, elf.endian))
        .ok_or_else(missing)
}
