//! Reads the symbol table and the relocations of an ELF file.

use object::SymbolIndex;
use object::elf::{
    FileHeader32, FileHeader64, SHN_ABS, SHN_LORESERVE, SHN_UNDEF, SHN_XINDEX, SHT_REL, SHT_RELA,
    SHT_STRTAB, SHT_SYMTAB, SHT_SYMTAB_SHNDX, STB_WEAK, Sym32, Sym64, SymbolSection, SymbolType,
};
use object::endian::{Endianness, U32};
use object::read::elf::{FileHeader, Rel, Rela, Sym};

use crate::elf::{Elf, entries};
use crate::error::{Problem, Result};
use crate::section::Section;
use crate::strings::StringTable;
use crate::work;

/// Where a symbol is defined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Undefined,
    Absolute,
    Section(usize),
    /// An index with a meaning of its own, such as SHN_COMMON.
    Elsewhere,
}

/// The symbol table. An entry is decoded when it is asked for: most callers want few of them, and
/// finding the end of a name costs more than all the rest.
pub(crate) struct SymbolTable<'e, 'd> {
    section: &'e Section<'d>,
    entries: Entries<'d>,
    strings: StringTable<'d>,
    high_indexes: &'d [U32<Endianness>],
    endian: Endianness,
}

enum Entries<'d> {
    Of32(&'d [Sym32<Endianness>]),
    Of64(&'d [Sym64<Endianness>]),
}

pub(crate) struct Symbol {
    name: u32,
    pub(crate) value: u64,
    pub(crate) place: Place,
    pub(crate) kind: SymbolType,
    pub(crate) weak: bool,
}

/// A relocation entry. `addend` is `None` for REL, whose addend lies in the
/// section it changes.
pub(crate) struct Relocation {
    pub(crate) offset: u64,
    pub(crate) symbol: usize,
    pub(crate) addend: Option<i64>,
}

/// The symbol table, or `None` where it was stripped.
pub(crate) fn symbols<'e, 'd>(elf: &'e Elf<'d>) -> Result<Option<SymbolTable<'e, 'd>>> {
    let is_table = |(_, section): &(usize, &Section<'_>)| section.kind == SHT_SYMTAB;
    let Some((index, section)) = elf.sections.iter().enumerate().find(is_table) else {
        return Ok(None);
    };
    let strings = elf
        .sections
        .get(section.link as usize)
        .ok_or_else(|| section.bad("its string table does not exist"))?;
    let text = elf.data(strings)?;
    // linux/kernel/module/main.c, `elf_validity_cache_strtab`.
    if strings.kind != SHT_STRTAB || text.first() != Some(&0) || text.last() != Some(&0) {
        return Err(section.bad("its string table is damaged"));
    }
    let data = elf.data(section)?;
    let entries = match elf.is_64 {
        true => entries(data).map(Entries::Of64),
        false => entries(data).map(Entries::Of32),
    };
    Ok(Some(SymbolTable {
        section,
        entries: entries.ok_or_else(|| section.bad("odd size"))?,
        strings: StringTable::new(text, elf.bytes.size()),
        high_indexes: high_indexes(elf, index)?,
        endian: elf.endian,
    }))
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

impl<'d> SymbolTable<'_, 'd> {
    /// The symbol relocations call `index`; `None` if there is none.
    pub(crate) fn get(&self, index: usize) -> Option<Symbol> {
        match self.entries {
            Entries::Of32(entries) => self.decode(index, entries.get(index)?),
            Entries::Of64(entries) => self.decode(index, entries.get(index)?),
        }
    }

    /// All symbols in file order, the null symbol first.
    ///
    /// # Errors
    /// A symbol's section index is missing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<Symbol>> {
        (0..self.count()).map(|index| self.get(index).ok_or_else(|| self.bad_symbol()))
    }

    /// The name of a symbol of this table.
    ///
    /// # Errors
    /// It lies outside the string table, has no end, or is more than may be taken of it.
    pub(crate) fn name(&self, symbol: &Symbol) -> Result<&'d [u8]> {
        let name = self.strings.at(symbol.name.into());
        name.map_err(|bad| self.section.bad(bad.reason()))
    }

    /// The symbols in file order whose names start so. No other is decoded, nor the end of its
    /// name looked for.
    ///
    /// # Errors
    /// A name lies outside the string table, or a symbol's section index is missing.
    pub(crate) fn that_start_with(&self, start: &[u8]) -> impl Iterator<Item = Result<Symbol>> {
        (0..self.count()).filter_map(move |index| match self.starts_with(index, start) {
            Some(false) => None,
            Some(true) => Some(self.get(index).ok_or_else(|| self.bad_symbol())),
            None => Some(Err(self.bad_symbol())),
        })
    }

    fn starts_with(&self, index: usize, start: &[u8]) -> Option<bool> {
        let name = match self.entries {
            Entries::Of32(entries) => entries.get(index)?.st_name(self.endian),
            Entries::Of64(entries) => entries.get(index)?.st_name(self.endian),
        };
        self.strings.starts_with(name.into(), start)
    }

    fn count(&self) -> usize {
        match self.entries {
            Entries::Of32(entries) => entries.len(),
            Entries::Of64(entries) => entries.len(),
        }
    }

    fn bad_symbol(&self) -> Problem {
        self.section.bad("a symbol without name or section")
    }

    fn decode(&self, index: usize, entry: &impl Sym<Endian = Endianness>) -> Option<Symbol> {
        Some(Symbol {
            name: entry.st_name(self.endian),
            value: entry.st_value(self.endian).into(),
            place: match entry.st_shndx(self.endian) {
                SHN_XINDEX => {
                    Place::Section(self.high_indexes.get(index)?.get(self.endian) as usize)
                }
                index => place(index),
            },
            kind: entry.st_type(),
            weak: entry.st_bind() == STB_WEAK,
        })
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

/// All relocations of the section with index `target`.
pub(crate) fn relocations(elf: &Elf<'_>, target: usize) -> Result<Vec<Relocation>> {
    match elf.is_64 {
        true => relocations_of::<FileHeader64<Endianness>>(elf, target),
        false => relocations_of::<FileHeader32<Endianness>>(elf, target),
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
    let mut sections = elf.sections.iter().inspect(|_| work::count(1));
    let Some(section) = sections.find(of_target) else {
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
