//! The loader's own tables in, exports out: `__ksymtab*` entry by entry beside
//! `__kcrctab*`, for files whose `__crc_` symbols were stripped.
//!
//! An entry is `{ value, name, namespace }`, before 5.4 without the namespace;
//! fields are 32-bit self-relative offsets where the architecture has
//! PREL32 relocations, else pointers (linux/include/linux/export.h).

use object::SectionIndex;
use object::endian::Endianness;

use crate::elf::{Elf, Place, Section, Symbol, string_at, word_at};
use crate::error::{Problem, Result};
use crate::exports::Export;

/// A `__ksymtab*` section with the `__kcrctab*` that belongs to it.
pub(crate) struct CrcTable<'e, 'd> {
    symbols: SectionIndex,
    ksymtab: &'e Section<'d>,
    kcrctab: &'e Section<'d>,
}

/// The pairs of tables that hold anything.
pub(crate) fn crc_tables<'e, 'd>(elf: &'e Elf<'d>) -> Vec<CrcTable<'e, 'd>> {
    let suffix = |section: &Section<'d>, prefix: &str| section.name.strip_prefix(prefix.as_bytes());
    elf.sections
        .iter()
        .filter(|section| section.size > 0)
        .filter_map(|kcrctab| {
            let suffix_wanted = suffix(kcrctab, "__kcrctab")?;
            let (index, ksymtab) = elf
                .sections
                .iter()
                .enumerate()
                .find(|(_, section)| suffix(section, "__ksymtab") == Some(suffix_wanted))?;
            Some(CrcTable {
                symbols: SectionIndex(index),
                ksymtab,
                kcrctab,
            })
        })
        .collect()
}

/// Whether the tables hold `count` CRCs of 4 bytes each (or 8, before 4.11).
pub(crate) fn is_count(tables: &[CrcTable<'_, '_>], count: usize) -> bool {
    let bytes: u64 = tables.iter().map(|table| table.kcrctab.size).sum();
    let count = count as u64;
    bytes == count * 4 || bytes == count * 8
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
    let strings = Strings::find(elf)?;
    let mut exports = Vec::new();
    for table in tables {
        let layout = Layout::of(elf, table)?;
        let name_of = match (elf.is_relocatable, symbols) {
            (false, _) => NameOf::Linked,
            (true, Some(symbols)) => {
                NameOf::Relocated(relocated_names(elf, table, layout, symbols)?)
            }
            (true, None) => {
                return Err(table
                    .ksymtab
                    .bad("symbol table and CRC symbols are stripped"));
            }
        };
        let crcs = elf.data(table.kcrctab)?;
        let entries = elf.data(table.ksymtab)?;
        for entry in 0..layout.count {
            let name = match &name_of {
                NameOf::Linked => layout.linked_name(elf, table.ksymtab, entries, entry),
                NameOf::Relocated(names) => names.get(entry as usize).copied().flatten(),
            };
            let export = name
                .and_then(|address| strings.at(address))
                .filter(|name| !name.is_empty())
                .zip(word_at(crcs, layout.crc_at(elf, entry), elf.endian))
                .map(|(name, crc)| Export { name, crc })
                .ok_or_else(|| table.ksymtab.bad("an entry without a name"))?;
            exports.push(export);
        }
    }
    exports.sort_unstable();
    Ok(exports)
}

enum NameOf {
    /// The entry itself tells the address.
    Linked,
    /// Offset into the strings, by entry.
    Relocated(Vec<Option<u64>>),
}

/// `__ksymtab_strings`, addressed as the entries do: by address in a linked
/// file, by offset in a relocatable one.
struct Strings<'d> {
    base: u64,
    table: &'d [u8],
}

impl<'d> Strings<'d> {
    fn find(elf: &Elf<'d>) -> Result<Self> {
        let section = elf
            .section("__ksymtab_strings")
            .ok_or(Problem::NoSection("__ksymtab_strings"))?;
        Ok(Self {
            base: if elf.is_relocatable {
                0
            } else {
                section.address
            },
            table: elf.data(section)?,
        })
    }

    fn at(&self, address: u64) -> Option<&'d [u8]> {
        string_at(self.table, address.checked_sub(self.base)?)
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
    fn of(elf: &Elf<'_>, table: &CrcTable<'_, '_>) -> Result<Self> {
        [4, 8]
            .into_iter()
            .filter_map(|crc| {
                let count = table.kcrctab.size / crc;
                let entry = table.ksymtab.size.checked_div(count)?;
                let field = match entry {
                    8 | 12 => 4,
                    16 | 24 if elf.is_64 => 8,
                    _ => return None,
                };
                let whole =
                    count * crc == table.kcrctab.size && count * entry == table.ksymtab.size;
                whole.then_some(Self {
                    count,
                    entry,
                    field,
                    crc,
                })
            })
            .next()
            .ok_or_else(|| table.ksymtab.bad("its size does not fit its CRCs"))
    }

    fn crc_at(self, elf: &Elf<'_>, entry: u64) -> u64 {
        let high_half = self.crc == 8 && elf.endian == Endianness::Big;
        entry * self.crc + if high_half { 4 } else { 0 }
    }

    /// The address of the entry's name in a linked file.
    fn linked_name(
        self,
        elf: &Elf<'_>,
        ksymtab: &Section<'_>,
        entries: &[u8],
        entry: u64,
    ) -> Option<u64> {
        let at = entry * self.entry + self.field;
        let low = word_at(entries, at, elf.endian)?;
        let relative = || {
            let here = ksymtab.address.wrapping_add(at);
            here.wrapping_add_signed(i64::from(low.cast_signed()))
        };
        match (self.field, elf.is_64) {
            (8, _) => {
                let high = word_at(entries, at + 4, elf.endian)?;
                let (low, high) = match elf.endian {
                    Endianness::Little => (low, high),
                    Endianness::Big => (high, low),
                };
                Some(u64::from(high) << 32 | u64::from(low))
            }
            (_, true) => Some(relative()),
            // 32-bit architectures differ: x86 has PREL32, arm has pointers.
            (_, false) => {
                let strings = elf.section("__ksymtab_strings")?;
                let span = strings.address..strings.address.saturating_add(strings.size);
                let wrapped = relative() & u64::from(u32::MAX);
                Some(if span.contains(&wrapped) {
                    wrapped
                } else {
                    u64::from(low)
                })
            }
        }
    }
}

/// By entry, where in `__ksymtab_strings` the relocation of its name points.
fn relocated_names(
    elf: &Elf<'_>,
    table: &CrcTable<'_, '_>,
    layout: Layout,
    symbols: &[Symbol<'_>],
) -> Result<Vec<Option<u64>>> {
    let strings = elf
        .sections
        .iter()
        .position(|section| section.name == b"__ksymtab_strings")
        .map(Place::Section);
    let entries = elf.data(table.ksymtab)?;
    let mut names = vec![None; layout.count as usize];
    for relocation in elf.relocations(table.symbols)? {
        if relocation.offset % layout.entry != layout.field {
            continue;
        }
        let target = symbols
            .get(relocation.symbol)
            .filter(|symbol| Some(symbol.place) == strings);
        let addend = relocation.addend.or_else(|| {
            word_at(entries, relocation.offset, elf.endian).map(|word| word.cast_signed().into())
        });
        let slot = names.get_mut((relocation.offset / layout.entry) as usize);
        if let (Some(slot), Some(symbol), Some(addend)) = (slot, target, addend) {
            *slot = symbol.value.checked_add_signed(addend);
        }
    }
    Ok(names)
}
