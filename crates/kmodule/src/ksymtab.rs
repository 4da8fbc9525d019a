//! The loader's own tables in, exports out: the names `__ksymtab*` leads to, and
//! for files whose `__crc_` symbols were stripped the CRCs of `__kcrctab*` beside
//! them.
//!
//! An entry is `{ value, name, namespace }`, before 5.4 without the namespace;
//! fields are 32-bit self-relative offsets where the architecture has
//! PREL32 relocations, else pointers (linux/include/linux/export.h). A CRC is
//! an unsigned long before 4.11, and 32 bits since; from 4.11 to 5.18 with
//! MODULE_REL_CRCS it is the distance to the CRC
//! (linux/kernel/module.c, `resolve_rel_crc`).

use std::collections::HashMap;

use object::endian::Endianness;

use crate::Crc;
use crate::elf::{Elf, Section, string_at, word_at};
use crate::error::{Problem, Result};
use crate::exports::{self, Export};
use crate::pointers::Pointers;
use crate::symbols::{SymbolTable, relocations, symbols};

type Indexed<'e, 'd> = (usize, &'e Section<'d>);

/// A `__ksymtab*` section with the `__kcrctab*` that belongs to it.
pub(crate) struct CrcTable<'e, 'd> {
    ksymtab: Indexed<'e, 'd>,
    kcrctab: Indexed<'e, 'd>,
}

/// The pairs of tables that hold anything.
///
/// # Errors
/// A `__kcrctab*` is alone.
pub(crate) fn crc_tables<'e, 'd>(elf: &'e Elf<'d>) -> Result<Vec<CrcTable<'e, 'd>>> {
    let ksymtabs: HashMap<_, _> = tables_named(elf, b"__ksymtab").collect();
    tables_named(elf, b"__kcrctab")
        .map(|(suffix, kcrctab)| {
            let ksymtab = *ksymtabs
                .get(suffix)
                .ok_or_else(|| kcrctab.1.bad("no __ksymtab belongs to it"))?;
            Ok(CrcTable { ksymtab, kcrctab })
        })
        .collect()
}

/// The sections that hold anything and whose names start with `prefix`, by the
/// rest of their names.
fn tables_named<'e, 'd>(
    elf: &'e Elf<'d>,
    prefix: &'static [u8],
) -> impl Iterator<Item = (&'d [u8], Indexed<'e, 'd>)> {
    elf.sections
        .iter()
        .enumerate()
        .filter(|(_, section)| section.size > 0)
        .filter_map(move |(index, section)| {
            Some((section.name.strip_prefix(prefix)?, (index, section)))
        })
}

/// Whether the tables hold `count` CRCs of 32 bits.
pub(crate) fn is_count(tables: &[CrcTable<'_, '_>], count: usize) -> bool {
    let bytes: u64 = tables.iter().map(|table| table.kcrctab.1.size).sum();
    bytes == count as u64 * 4
}

/// Exports read from the tables alone. Relocatable files name the symbols by
/// relocations, so they need what is left of the symbol table.
///
/// # Errors
/// The names cannot be found: the file was stripped of more than the loader
/// could do without.
pub(crate) fn paired<'d>(
    elf: &Elf<'d>,
    tables: &[CrcTable<'_, 'd>],
    symbols: Option<&SymbolTable<'_, 'd>>,
) -> Result<Vec<Export<'d>>> {
    let names = Names::new(elf, symbols)?;
    let mut exports = Vec::new();
    for table in tables {
        let (layout, names) = names.of(table.ksymtab, Some(table.kcrctab.1.size))?;
        let crcs = table.crcs(elf, layout, symbols)?;
        exports.extend(
            names
                .into_iter()
                .zip(crcs)
                .map(|(name, crc)| Export { name, crc }),
        );
    }
    exports.sort_unstable();
    Ok(exports)
}

/// The names of all exports, whether or not they have CRCs, sorted.
///
/// `__ksymtab_strings` alone would not do: namespaces are in it, too.
///
/// # Errors
/// As for [`paired`].
pub(crate) fn export_names<'d>(elf: &Elf<'d>) -> Result<Vec<&'d [u8]>> {
    let tables: Vec<_> = tables_named(elf, b"__ksymtab")
        .filter(|(suffix, _)| *suffix != b"_strings")
        .collect();
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let symbols = symbols(elf)?;
    let names = Names::new(elf, symbols.as_ref())?;
    let mut exports = Vec::new();
    for (_, table) in tables {
        let (_, names) = names.of(table, None)?;
        exports.extend(names);
    }
    exports.sort_unstable();
    exports.dedup();
    Ok(exports)
}

/// Finds the names of the entries of `__ksymtab*` sections.
struct Names<'e, 'd> {
    elf: &'e Elf<'d>,
    symbols: Option<&'e SymbolTable<'e, 'd>>,
    strings: Indexed<'e, 'd>,
    text: &'d [u8],
}

impl<'e, 'd> Names<'e, 'd> {
    fn new(elf: &'e Elf<'d>, symbols: Option<&'e SymbolTable<'e, 'd>>) -> Result<Self> {
        let strings @ (_, section) = elf
            .sections
            .iter()
            .enumerate()
            .find(|(_, section)| section.name == b"__ksymtab_strings")
            .ok_or(Problem::NoSection("__ksymtab_strings"))?;
        Ok(Self {
            elf,
            symbols,
            strings,
            text: elf.data(section)?,
        })
    }

    /// The names of a table's entries and their layout, which must fit the
    /// size of the CRC table if there is one.
    fn of(&self, table: Indexed<'_, 'd>, kcrctab: Option<u64>) -> Result<(Layout, Vec<&'d [u8]>)> {
        let pointers = self.pointers(table)?;
        let (_, ksymtab) = table;
        Layout::candidates(self.elf.is_64, ksymtab.size, kcrctab)
            .find_map(|layout| Some((layout, layout.names(&pointers, self.text)?)))
            .ok_or_else(|| ksymtab.bad("its entries do not lead to names"))
    }

    fn pointers(&self, (index, ksymtab): Indexed<'_, 'd>) -> Result<Pointers<'d>> {
        let (strings, section) = self.strings;
        match (self.elf.is_relocatable, self.symbols) {
            (false, _) => Pointers::linked(self.elf, ksymtab, section),
            (true, Some(symbols)) => Pointers::relocated(self.elf, index, strings, symbols),
            (true, None) => Err(ksymtab.bad("the symbol table that names its entries is stripped")),
        }
    }
}

impl<'d> CrcTable<'_, 'd> {
    fn crcs(
        &self,
        elf: &Elf<'d>,
        layout: Layout,
        symbols: Option<&SymbolTable<'_, 'd>>,
    ) -> Result<Vec<Crc>> {
        let indirect = match (elf.is_relocatable, symbols) {
            (true, Some(symbols)) => self.relocated_crcs(elf, layout, symbols)?,
            (true, None) => None,
            (false, _) => self.distant_crcs(elf, layout)?,
        };
        if let Some(crcs) = indirect {
            return Ok(crcs);
        }
        let (_, kcrctab) = self.kcrctab;
        let data = elf.data(kcrctab)?;
        (0..layout.count)
            .map(|entry| word_at(data, layout.crc_at(elf, entry), elf.endian))
            .collect::<Option<_>>()
            .ok_or_else(|| kcrctab.bad("too short"))
    }

    /// The CRCs where relocations lead to them: all modules before 5.19.
    fn relocated_crcs(
        &self,
        elf: &Elf<'d>,
        layout: Layout,
        symbols: &SymbolTable<'_, 'd>,
    ) -> Result<Option<Vec<Crc>>> {
        let (index, kcrctab) = self.kcrctab;
        let relocations: HashMap<_, _> = relocations(elf, index)?
            .into_iter()
            .map(|entry| (entry.offset, entry))
            .collect();
        if relocations.is_empty() {
            return Ok(None);
        }
        let data = elf.data(kcrctab)?;
        (0..layout.count)
            .map(|entry| {
                let lost = || kcrctab.bad("an entry leads to no CRC");
                let relocation = relocations.get(&(entry * layout.crc)).ok_or_else(lost)?;
                let symbol = symbols.get(relocation.symbol).ok_or_else(lost)?;
                let addend = match relocation.addend {
                    Some(addend) => addend,
                    None => {
                        let word = word_at(data, layout.crc_at(elf, entry), elf.endian);
                        i64::from(word.ok_or_else(lost)? as i32)
                    }
                };
                exports::crc(elf, &symbol, addend)
            })
            .collect::<Result<_>>()
            .map(Some)
    }

    /// The CRCs of a linked file with MODULE_REL_CRCS. Nothing but the words
    /// tells such a file: all of them lead to an aligned place in .rodata,
    /// which chance does not make of thousands of CRCs.
    fn distant_crcs(&self, elf: &Elf<'d>, layout: Layout) -> Result<Option<Vec<Crc>>> {
        let Some(rodata) = elf.section(".rodata").filter(|_| layout.crc == 4) else {
            return Ok(None);
        };
        let pointers = Pointers::linked(elf, self.kcrctab.1, rodata)?;
        let places: Option<Vec<_>> = (0..layout.count)
            .map(|entry| {
                pointers
                    .lead_by_distance(entry * layout.crc)
                    .filter(|place| place % 4 == 0)
            })
            .collect();
        let Some(places) = places else {
            return Ok(None);
        };
        let data = elf.data(rodata)?;
        places
            .into_iter()
            .map(|place| word_at(data, place, elf.endian))
            .collect::<Option<_>>()
            .ok_or_else(|| rodata.bad("too short"))
            .map(Some)
    }
}

/// How the entries of one table are laid out.
#[derive(Clone, Copy)]
struct Layout {
    count: u64,
    entry: u64,
    field: u64,
    crc: u64,
}

impl Layout {
    /// What the sizes of the tables allow. On 64 bits the tables of 4.19 to 5.3
    /// (entries of 8 bytes, CRCs of 4) and those before 4.11 (16 and 8) have
    /// the same proportion, and without CRCs every size allows several; only
    /// the names tell them apart.
    fn candidates(is_64: bool, ksymtab: u64, kcrctab: Option<u64>) -> impl Iterator<Item = Self> {
        const SHAPES: [(u64, u64, u64); 5] =
            [(8, 4, 4), (12, 4, 4), (16, 8, 4), (24, 8, 4), (16, 8, 8)];
        SHAPES.into_iter().filter_map(move |(entry, field, crc)| {
            let layout = Self {
                count: ksymtab / entry,
                entry,
                field,
                crc,
            };
            let fits = ksymtab % entry == 0
                && kcrctab.is_none_or(|size| size == layout.count * crc)
                && (is_64 || field == 4);
            fits.then_some(layout)
        })
    }

    /// The names of all entries; `None` if one has none.
    fn names<'d>(self, pointers: &Pointers<'_>, strings: &'d [u8]) -> Option<Vec<&'d [u8]>> {
        (0..self.count)
            .map(|entry| {
                let place = pointers.lead(entry * self.entry + self.field, self.field)?;
                string_at(strings, place).filter(|name| !name.is_empty())
            })
            .collect()
    }

    /// Where the low 32 bits of a CRC are.
    fn crc_at(self, elf: &Elf<'_>, entry: u64) -> u64 {
        let high_half = self.crc == 8 && elf.endian == Endianness::Big;
        entry * self.crc + if high_half { 4 } else { 0 }
    }
}
