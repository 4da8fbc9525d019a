//! Reads `__kcrctab*`: the CRCs of the entries of `__ksymtab*`.
//!
//! A CRC is an unsigned long before 4.11, and 32 bits since. In modules before 5.19 a relocation
//! leads to it. From 4.11 to 5.18 with MODULE_REL_CRCS a linked file holds the distance to it
//! (linux/kernel/module.c, `resolve_rel_crc`).

use std::collections::HashMap;

use object::endian::Endianness;

use crate::crc::{Crc, crc_at, crc_of};
use crate::elf::{Elf, word_at};
use crate::error::Result;
use crate::export_tables::{ExportTable, Indexed};
use crate::ksymtab::Layout;
use crate::pointers::Pointers;
use crate::section::Section;
use crate::symbols::{SymbolTable, relocations};

type Crcs = Vec<Option<Crc>>;

/// Whether the tables hold `count` CRCs of 32 bits.
pub(crate) fn holds(tables: &[ExportTable<'_, '_>], count: usize) -> bool {
    let kcrctabs = tables.iter().filter_map(|table| table.kcrctab);
    let bytes: u64 = kcrctabs.map(|(_, kcrctab)| kcrctab.size).sum();
    bytes == count as u64 * 4
}

/// The CRC of each entry of a table, in its order; all absent for a kernel without modversions.
pub(crate) fn crcs<'d>(
    elf: &Elf<'d>,
    table: &ExportTable<'_, 'd>,
    layout: Layout,
    symbols: Option<&SymbolTable<'_, 'd>>,
) -> Result<Crcs> {
    let Some(kcrctab @ (_, section)) = table.kcrctab else {
        return Ok((0..layout.count).map(|_| None).collect());
    };
    let indirect = match (elf.is_relocatable, symbols) {
        (true, Some(symbols)) => relocated(elf, kcrctab, layout, symbols)?,
        (true, None) => None,
        (false, _) => distant(elf, section, layout)?,
    };
    if let Some(crcs) = indirect {
        return Ok(crcs);
    }
    let data = elf.data(section)?;
    (0..layout.count)
        .map(|entry| word_at(data, low_half(elf, layout, entry), elf.endian).map(crc_of))
        .collect::<Option<_>>()
        .ok_or_else(|| section.bad("too short"))
}

/// The CRCs where relocations lead to them; `None` if there are no relocations.
fn relocated<'d>(
    elf: &Elf<'d>,
    (index, kcrctab): Indexed<'_, 'd>,
    layout: Layout,
    symbols: &SymbolTable<'_, 'd>,
) -> Result<Option<Crcs>> {
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
                    let word = word_at(data, low_half(elf, layout, entry), elf.endian);
                    i64::from(word.ok_or_else(lost)? as i32)
                }
            };
            crc_at(elf, &symbol, addend)
        })
        .collect::<Result<_>>()
        .map(Some)
}

/// The CRCs of a linked file with MODULE_REL_CRCS; `None` for any other.
///
/// Nothing but the words tells such a file: all of them lead to an aligned place in .rodata,
/// which chance does not make of thousands of CRCs.
fn distant<'d>(elf: &Elf<'d>, kcrctab: &Section<'d>, layout: Layout) -> Result<Option<Crcs>> {
    let Some(rodata) = elf.section(".rodata").filter(|_| layout.crc == 4) else {
        return Ok(None);
    };
    let pointers = Pointers::linked(elf, kcrctab, rodata)?;
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
        .map(|place| word_at(data, place, elf.endian).map(crc_of))
        .collect::<Option<_>>()
        .ok_or_else(|| rodata.bad("too short"))
        .map(Some)
}

/// Where the low 32 bits of a CRC are.
fn low_half(elf: &Elf<'_>, layout: Layout, entry: u64) -> u64 {
    let high_half_first = layout.crc == 8 && elf.endian == Endianness::Big;
    entry * layout.crc + if high_half_first { 4 } else { 0 }
}
