//! Bytes in, one view of an ELF file out, whatever its class and byte order.
//!
//! `object` decodes the raw structures; this file flattens its two classes into
//! one section list, so that the readers above are written once.

use object::elf::{
    FileHeader32, FileHeader64, SHT_NOBITS, SHT_REL, SHT_RELA, SHT_SYMTAB, SectionType,
    SymbolSection,
};
use object::endian::Endianness;
use object::read::elf::{FileHeader, Rel, Rela, SectionHeader, Sym};
use object::{SectionIndex, SymbolIndex};

use crate::bytes::Bytes;
use crate::error::{Problem, Result};

/// An ELF file whose section table has been read and checked against its size.
pub(crate) struct Elf<'d> {
    bytes: Bytes<'d>,
    pub(crate) endian: Endianness,
    pub(crate) is_64: bool,
    is_mips64el: bool,
    pub(crate) is_relocatable: bool,
    pub(crate) sections: Vec<Section<'d>>,
}

/// One section header.
pub(crate) struct Section<'d> {
    pub(crate) name: &'d [u8],
    pub(crate) kind: SectionType,
    pub(crate) address: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) link: u32,
    pub(crate) info: u32,
}

/// Where a symbol is defined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Undefined,
    Absolute,
    Section(usize),
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

impl<'d> Elf<'d> {
    /// # Errors
    /// No ELF magic, a header that lies, or a section that ends outside the
    /// file.
    pub(crate) fn parse(bytes: Bytes<'d>) -> Result<Self> {
        let ident = bytes.range(0, bytes.size().min(16))?;
        if !ident.starts_with(&object::elf::ELFMAG) {
            return Err(Problem::NotElf);
        }
        match ident.get(4) {
            Some(&class) if class == object::elf::ELFCLASS32.0 => {
                Self::sections_of::<FileHeader32<Endianness>>(bytes)
            }
            _ => Self::sections_of::<FileHeader64<Endianness>>(bytes),
        }
    }

    fn sections_of<H: FileHeader<Endian = Endianness>>(bytes: Bytes<'d>) -> Result<Self> {
        let header = H::parse(bytes)?;
        let endian = header.endian()?;
        let headers = header.section_headers(endian, bytes)?;
        let names = match headers.is_empty() {
            true => &[][..],
            false => {
                let index = header.shstrndx(endian, bytes)? as usize;
                let table = headers.get(index).ok_or(Problem::NoSection(".shstrtab"))?;
                bytes.range(table.sh_offset(endian).into(), table.sh_size(endian).into())?
            }
        };
        let sections = headers
            .iter()
            .map(|header| {
                Some(Section {
                    name: string_at(names, u64::from(header.sh_name(endian)))?,
                    kind: header.sh_type(endian),
                    address: header.sh_addr(endian).into(),
                    offset: header.sh_offset(endian).into(),
                    size: header.sh_size(endian).into(),
                    link: header.sh_link(endian),
                    info: header.sh_info(endian),
                })
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(Problem::BadSection {
                section: ".shstrtab".into(),
                reason: "a section name outside it",
            })?;
        sections
            .iter()
            .try_for_each(|section| section.check(bytes.size()))?;
        Ok(Self {
            bytes,
            endian,
            is_64: header.is_type_64(),
            is_mips64el: header.is_mips64el(endian),
            is_relocatable: header.e_type(endian) == object::elf::ET_REL,
            sections,
        })
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section<'d>> {
        self.sections
            .iter()
            .find(|section| section.name == name.as_bytes())
    }

    /// The contents of a section; empty for one that takes no room in the file.
    pub(crate) fn data(&self, section: &Section<'_>) -> Result<&'d [u8]> {
        match section.kind {
            SHT_NOBITS => Ok(&[]),
            _ => self.bytes.range(section.offset, section.size),
        }
    }

    /// The symbol table in file order, or `None` where it was stripped.
    pub(crate) fn symbols(&self) -> Result<Option<Vec<Symbol<'d>>>> {
        match self.is_64 {
            true => self.symbols_of::<FileHeader64<Endianness>>(),
            false => self.symbols_of::<FileHeader32<Endianness>>(),
        }
    }

    fn symbols_of<H: FileHeader<Endian = Endianness>>(&self) -> Result<Option<Vec<Symbol<'d>>>> {
        let Some(table) = self.sections.iter().find(|s| s.kind == SHT_SYMTAB) else {
            return Ok(None);
        };
        let strings = self
            .sections
            .get(table.link as usize)
            .ok_or_else(|| table.bad("its string table does not exist"))?;
        let strings = self.data(strings)?;
        let entries = entries::<H::Sym>(self.data(table)?).ok_or_else(|| table.bad("odd size"))?;
        let symbol = |entry: &H::Sym| -> Option<Symbol<'d>> {
            Some(Symbol {
                name: string_at(strings, u64::from(entry.st_name(self.endian)))?,
                value: entry.st_value(self.endian).into(),
                place: place(entry.st_shndx(self.endian)),
            })
        };
        entries
            .iter()
            .map(|entry| symbol(entry).ok_or_else(|| table.bad("a name outside the string table")))
            .collect::<Result<_>>()
            .map(Some)
    }

    /// All relocations of the section with this index.
    pub(crate) fn relocations(&self, target: SectionIndex) -> Result<Vec<Relocation>> {
        match self.is_64 {
            true => self.relocations_of::<FileHeader64<Endianness>>(target),
            false => self.relocations_of::<FileHeader32<Endianness>>(target),
        }
    }

    fn relocations_of<H: FileHeader<Endian = Endianness>>(
        &self,
        target: SectionIndex,
    ) -> Result<Vec<Relocation>> {
        let index = |symbol: Option<SymbolIndex>| symbol.map_or(0, |index| index.0);
        let mut all = Vec::new();
        for section in self.sections.iter().filter(|s| s.info as usize == target.0) {
            match section.kind {
                SHT_RELA => all.extend(
                    entries::<H::Rela>(self.data(section)?)
                        .ok_or_else(|| section.bad("odd size"))?
                        .iter()
                        .map(|entry| Relocation {
                            offset: entry.r_offset(self.endian).into(),
                            symbol: index(entry.symbol(self.endian, self.is_mips64el)),
                            addend: Some(entry.r_addend(self.endian).into()),
                        }),
                ),
                SHT_REL => all.extend(
                    entries::<H::Rel>(self.data(section)?)
                        .ok_or_else(|| section.bad("odd size"))?
                        .iter()
                        .map(|entry| Relocation {
                            offset: entry.r_offset(self.endian).into(),
                            symbol: index(entry.symbol(self.endian)),
                            addend: None,
                        }),
                ),
                _ => {}
            }
        }
        Ok(all)
    }
}

impl Section<'_> {
    pub(crate) fn bad(&self, reason: &'static str) -> Problem {
        Problem::BadSection {
            section: self.display_name(),
            reason,
        }
    }

    fn display_name(&self) -> String {
        String::from_utf8_lossy(self.name).into_owned()
    }

    fn check(&self, len: u64) -> Result<()> {
        let end = self.offset.checked_add(self.size);
        match (self.kind, end) {
            (SHT_NOBITS | object::elf::SHT_NULL, _) => Ok(()),
            (_, Some(end)) if end <= len => Ok(()),
            _ => Err(Problem::CutShort {
                section: self.display_name(),
                end: end.unwrap_or(u64::MAX),
                len,
            }),
        }
    }
}

fn place(index: SymbolSection) -> Place {
    match index {
        object::elf::SHN_UNDEF => Place::Undefined,
        object::elf::SHN_ABS => Place::Absolute,
        // Modules stay far below SHN_LORESERVE sections; vmlinux built with
        // -ffunction-sections merges them.
        SymbolSection(index) if index >= object::elf::SHN_LORESERVE => Place::Elsewhere,
        SymbolSection(index) => Place::Section(usize::from(index)),
    }
}

fn entries<T: object::pod::Pod>(data: &[u8]) -> Option<&[T]> {
    let count = data.len() / size_of::<T>();
    let (entries, rest) = object::pod::slice_from_bytes(data, count).ok()?;
    rest.is_empty().then_some(entries)
}

/// The NUL-terminated string at `offset` of a string table.
pub(crate) fn string_at(table: &[u8], offset: u64) -> Option<&[u8]> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    rest.get(..memchr::memchr(0, rest)?)
}

/// The 32-bit word at `offset`.
pub(crate) fn word_at(data: &[u8], offset: u64, endian: Endianness) -> Option<u32> {
    let at = usize::try_from(offset).ok()?;
    let word = data.get(at..)?.first_chunk::<4>()?;
    Some(match endian {
        Endianness::Little => u32::from_le_bytes(*word),
        Endianness::Big => u32::from_be_bytes(*word),
    })
}
