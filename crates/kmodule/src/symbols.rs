//! An ELF view in, its symbol table and relocations out.

use object::SymbolIndex;
use object::elf::{
    FileHeader32, FileHeader64, SHN_ABS, SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX, SHT_REL, SHT_RELA,
    SHT_SYMTAB, SHT_SYMTAB_SHNDX, SymbolSection,
};
use object::endian::{Endianness, U32};
use object::read::elf::{FileHeader, Rel, Rela, Sym};

use crate::elf::{Elf, Section, entries, string_at};
use crate::error::Result;

/// Where a symbol is defined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Undefined,
    Absolute,
    Section(usize),
    /// An index with a meaning of its own, such as SHN_COMMON.
    Elsewhere,
}

pub(crate) struct Symbol<'d> {
    pub(crate) name: &'d [u8],
    pub(crate) value: u64,
    pub(crate) place: Place,
}

/// A relocation entry. `addend` is `None` for REL, whose addend lies in the
/// section it changes.
pub(crate) struct Relocation {
    pub(crate) offset: u64,
    pub(crate) symbol: usize,
    pub(crate) addend: Option<i64>,
}

/// The symbol table in file order, or `None` where it was stripped.
pub(crate) fn symbols<'d>(elf: &Elf<'d>) -> Result<Option<Vec<Symbol<'d>>>> {
    match elf.is_64 {
        true => symbols_of::<FileHeader64<Endianness>>(elf),
        false => symbols_of::<FileHeader32<Endianness>>(elf),
    }
}

/// All relocations of the section with index `target`.
pub(crate) fn relocations(elf: &Elf<'_>, target: usize) -> Result<Vec<Relocation>> {
    match elf.is_64 {
        true => relocations_of::<FileHeader64<Endianness>>(elf, target),
        false => relocations_of::<FileHeader32<Endianness>>(elf, target),
    }
}

fn symbols_of<'d, H>(elf: &Elf<'d>) -> Result<Option<Vec<Symbol<'d>>>>
where
    H: FileHeader<Endian = Endianness>,
{
    let is_table = |(_, section): &(usize, &Section<'_>)| section.kind == SHT_SYMTAB;
    let Some((index, table)) = elf.sections.iter().enumerate().find(is_table) else {
        return Ok(None);
    };
    let strings = elf
        .sections
        .get(table.link as usize)
        .ok_or_else(|| table.bad("its string table does not exist"))?;
    let strings = elf.data(strings)?;
    let high_indexes = high_indexes(elf, index)?;
    let entries = entries::<H::Sym>(elf.data(table)?).ok_or_else(|| table.bad("odd size"))?;
    let symbol = |(index, entry): (usize, &H::Sym)| -> Option<Symbol<'d>> {
        Some(Symbol {
            name: string_at(strings, u64::from(entry.st_name(elf.endian)))?,
            value: entry.st_value(elf.endian).into(),
            place: match entry.st_shndx(elf.endian) {
                SHN_XINDEX => Place::Section(high_indexes.get(index)?.get(elf.endian) as usize),
                index => place(index),
            },
        })
    };
    entries
        .iter()
        .enumerate()
        .map(|entry| symbol(entry).ok_or_else(|| table.bad("a symbol without name or section")))
        .collect::<Result<_>>()
        .map(Some)
}

/// The section indexes that do not fit into a symbol's 16 bits, by symbol.
fn high_indexes<'d>(elf: &Elf<'d>, symtab: usize) -> Result<&'d [U32<Endianness>]> {
    let of_symtab =
        |s: &&Section<'_>| s.kind == SHT_SYMTAB_SHNDX && u64::from(s.link) == symtab as u64;
    match elf.sections.iter().find(of_symtab) {
        Some(section) => entries(elf.data(section)?).ok_or_else(|| section.bad("odd size")),
        None => Ok(&[]),
    }
}

fn place(index: SymbolSection) -> Place {
    match index {
        SHN_UNDEF => Place::Undefined,
        SHN_ABS => Place::Absolute,
        SymbolSection(index) if index >= SHN_LORESERVE => Place::Elsewhere,
        SymbolSection(index) => Place::Section(usize::from(index)),
    }
}

fn relocations_of<H>(elf: &Elf<'_>, target: usize) -> Result<Vec<Relocation>>
where
    H: FileHeader<Endian = Endianness>,
{
    let number = |symbol: Option<SymbolIndex>| symbol.map_or(0, |index| index.0);
    // A linker writes one such section for each it relocates.
    let of_target = |s: &&Section<'_>| {
        matches!(s.kind, SHT_REL | SHT_RELA) && u64::from(s.info) == target as u64
    };
    let Some(section) = elf.sections.iter().find(of_target) else {
        return Ok(Vec::new());
    };
    let data = elf.data(section)?;
    let odd = || section.bad("odd size");
    Ok(match section.kind {
        SHT_RELA => entries::<H::Rela>(data)
            .ok_or_else(odd)?
            .iter()
            .map(|entry| Relocation {
                offset: entry.r_offset(elf.endian).into(),
                symbol: number(entry.symbol(elf.endian, elf.is_mips64el)),
                addend: Some(entry.r_addend(elf.endian).into()),
            })
            .collect(),
        _ => entries::<H::Rel>(data)
            .ok_or_else(odd)?
            .iter()
            .map(|entry| Relocation {
                offset: entry.r_offset(elf.endian).into(),
                symbol: number(entry.symbol(elf.endian)),
                addend: None,
            })
            .collect(),
    })
}
