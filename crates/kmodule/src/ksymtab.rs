//! The loader's own tables in, exports out: `__ksymtab*` entry by entry beside
//! `__kcrctab*`, for files whose `__crc_` symbols were stripped.
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
use crate::exports::{CrcWords, Export};
use crate::pointers::Pointers;
use crate::symbols::{Symbol, relocations};

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
    let named = |prefix: &'static [u8]| {
        elf.sections
            .iter()
            .enumerate()
            .filter(|(_, section)| section.size > 0)
            .filter_map(move |(index, section)| {
                Some((section.name.strip_prefix(prefix)?, (index, section)))
            })
    };
    let ksymtabs: HashMap<_, _> = named(b"__ksymtab").collect();
    named(b"__kcrctab")
        .map(|(suffix, kcrctab)| {
            let ksymtab = *ksymtabs
                .get(suffix)
                .ok_or_else(|| kcrctab.1.bad("no __ksymtab belongs to it"))?;
            Ok(CrcTable { ksymtab, kcrctab })
        })
        .collect()
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
    symbols: Option<&[Symbol<'d>]>,
) -> Result<Vec<Export<'d>>> {
    let strings @ (_, section) =
        indexed(elf, "__ksymtab_strings").ok_or(Problem::NoSection("__ksymtab_strings"))?;
    let text = elf.data(section)?;
    let mut exports = Vec::new();
    for table in tables {
        let pointers = table.pointers(elf, strings, symbols)?;
        let (layout, names) = Layout::candidates(elf, table)
            .find_map(|layout| Some((layout, layout.names(&pointers, text)?)))
            .ok_or_else(|| table.ksymtab.1.bad("its entries do not lead to names"))?;
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

fn indexed<'e, 'd>(elf: &'e Elf<'d>, name: &str) -> Option<Indexed<'e, 'd>> {
    elf.sections
        .iter()
        .enumerate()
        .find(|(_, section)| section.name == name.as_bytes())
}

impl<'d> CrcTable<'_, 'd> {
    fn pointers(
        &self,
        elf: &Elf<'d>,
        (index, section): Indexed<'_, 'd>,
        symbols: Option<&[Symbol<'d>]>,
    ) -> Result<Pointers<'d>> {
        let (table, ksymtab) = self.ksymtab;
        match (elf.is_relocatable, symbols) {
            (false, _) => Pointers::linked(elf, ksymtab, section),
            (true, Some(symbols)) => Pointers::relocated(elf, table, index, symbols),
            (true, None) => Err(ksymtab.bad("the symbol table that names its entries is stripped")),
        }
    }

    fn crcs(
        &self,
        elf: &Elf<'d>,
        layout: Layout,
        symbols: Option<&[Symbol<'d>]>,
    ) -> Result<Vec<Crc>> {
        let indirect = match elf.is_relocatable {
            true => self.relocated_crcs(elf, layout, symbols.unwrap_or_default())?,
            false => self.distant_crcs(elf, layout)?,
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
        symbols: &[Symbol<'d>],
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
        let mut words = CrcWords::new(elf);
        (0..layout.count)
            .map(|entry| {
                let lost = || kcrctab.bad("an entry leads to no CRC");
                let relocation = relocations.get(&(entry * layout.crc)).ok_or_else(lost)?;
                let symbol = symbols.get(relocation.symbol).ok_or_else(lost)?;
                let addend = match relocation.addend {
                    Some(addend) => addend,
                    None => word_at(data, layout.crc_at(elf, entry), elf.endian)
                        .ok_or_else(lost)?
                        .cast_signed()
                        .into(),
                };
                words.crc(symbol, addend)
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
    /// the same proportion; only the names tell them apart.
    fn candidates(elf: &Elf<'_>, table: &CrcTable<'_, '_>) -> impl Iterator<Item = Self> {
        const SHAPES: [(u64, u64, u64); 5] =
            [(8, 4, 4), (12, 4, 4), (16, 8, 4), (24, 8, 4), (16, 8, 8)];
        let (ksymtab, kcrctab) = (table.ksymtab.1.size, table.kcrctab.1.size);
        let is_64 = elf.is_64;
        SHAPES.into_iter().filter_map(move |(entry, field, crc)| {
            let layout = Self {
                count: kcrctab / crc,
                entry,
                field,
                crc,
            };
            let fits = layout.count * crc == kcrctab
                && layout.count.checked_mul(entry) == Some(ksymtab)
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
