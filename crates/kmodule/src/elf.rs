//! Reads the header and the section table of an ELF file, whatever its class and byte order.
//!
//! `object` decodes the raw structures. This file makes one list of sections of both classes, so that
//! the readers of sections are written once. How much damage is accepted is part of the type: a file
//! that was read as kmod does cannot reach a reader that trusts it.

use std::cell::OnceCell;
use std::marker::PhantomData;

use object::elf::{
    ELFCLASS32, FileHeader32, FileHeader64, FileType, Machine as MachineNumber, SHF_ALLOC,
    SHT_NOBITS, SHT_NULL, SectionFlags,
};
use object::endian::Endianness;
use object::read::elf::{FileHeader, SectionHeader};

use crate::bytes::{Ahead, Bytes};
use crate::error::{Problem, Result};
use crate::section::Section;
use crate::strictness::{Strict, Strictness};
use crate::strings::StringTable;
use crate::work;

/// How much of the section names is read with the headers: more than those of a
/// module need.
const NAMES: u64 = 2048;

/// How much of what follows the headers is read with them: a signature.
const BEHIND: u64 = 1024;

/// An ELF file. Its section table has been read, and checked as `S` demands.
pub(crate) struct Elf<'d, S = Strict> {
    /// All bytes of the file.
    pub(crate) bytes: Ahead<'d>,
    pub(crate) endian: Endianness,
    pub(crate) is_64: bool,
    pub(crate) machine: MachineNumber,
    pub(crate) is_mips64el: bool,
    pub(crate) kind: FileType,
    pub(crate) is_relocatable: bool,
    pub(crate) sections: Vec<Section<'d>>,
    /// Where the file header and the section headers begin and end.
    header: (u64, u64),
    section_headers: (u64, u64),
    strictness: PhantomData<S>,
}

/// What an ELF file was compiled for. A kernel loads modules of its own kind alone
/// (`elf_check_arch` in linux/arch/*/include/asm/elf.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Machine {
    /// e_machine.
    pub number: u16,
    /// The class of the file is 64 bits.
    pub is_64: bool,
    /// The file is big-endian.
    pub is_big_endian: bool,
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bits = if self.is_64 { 64 } else { 32 };
        let order = if self.is_big_endian { "big" } else { "little" };
        let number = self.number;
        write!(f, "ELF machine {number} with {bits} bits, {order}-endian")
    }
}

impl<'d, S: Strictness> Elf<'d, S> {
    /// Reads header and section table.
    ///
    /// # Errors
    /// There is no ELF magic, or `S` does not accept a header.
    pub(crate) fn parse(bytes: Bytes<'d>) -> Result<Self> {
        let ident = bytes.range(0, bytes.size().min(16))?;
        if !ident.starts_with(&object::elf::ELFMAG) {
            return Err(Problem::NotElf);
        }
        match S::class(ident)? {
            ELFCLASS32 => Self::with_header::<FileHeader32<Endianness>>(bytes),
            _ => Self::with_header::<FileHeader64<Endianness>>(bytes),
        }
    }

    fn with_header<H: FileHeader<Endian = Endianness>>(bytes: Bytes<'d>) -> Result<Self> {
        let header: &H = S::header(bytes)?;
        let endian = header.endian()?;
        // ld puts the names right before the headers.
        let at: u64 = header.e_shoff(endian).into();
        let entry = u64::from(header.e_shentsize(endian));
        let end = at.saturating_add(u64::from(header.e_shnum(endian)) * entry);
        let bytes_ahead = bytes.ahead(at.saturating_sub(NAMES), end.saturating_add(BEHIND))?;
        let headers = header.section_headers(endian, bytes_ahead)?;
        let names = section_names::<H, S>(header, headers, endian, bytes_ahead)?;
        let names = StringTable::new(names, bytes.size());
        // A Vec that collects results does not know their number.
        let mut sections = Vec::with_capacity(headers.len());
        for header in headers {
            sections.push(Section {
                name: S::section_name(names.at(header.sh_name(endian).into()))?,
                kind: header.sh_type(endian),
                flags: header.sh_flags(endian),
                address: header.sh_addr(endian).into(),
                offset: header.sh_offset(endian).into(),
                size: header.sh_size(endian).into(),
                link: header.sh_link(endian),
                info: header.sh_info(endian),
                contents: OnceCell::new(),
            });
        }
        let elf = Self {
            bytes: bytes_ahead,
            endian,
            is_64: header.is_type_64(),
            machine: header.e_machine(endian),
            is_mips64el: header.is_mips64el(endian),
            kind: header.e_type(endian),
            is_relocatable: header.e_type(endian) == object::elf::ET_REL,
            sections,
            header: (0, size_of::<H>() as u64),
            section_headers: (at, at.saturating_add(headers.len() as u64 * entry)),
            strictness: PhantomData,
        };
        let headers = [elf.header, elf.section_headers];
        S::check(&elf.sections, headers, bytes.size())?;
        Ok(elf)
    }

    /// The first section of that name.
    pub(crate) fn section(&self, name: &str) -> Option<&Section<'d>> {
        let mut sections = self.sections.iter().skip(1).inspect(|_| work::count(1));
        let is_it = |section: &&Section<'_>| {
            section.name == name.as_bytes() && S::is_there(section, self.bytes.size())
        };
        sections.find(is_it)
    }

    /// The contents of a section, which are read only once; empty for one that
    /// takes no room in the file.
    pub(crate) fn data(&self, section: &Section<'d>) -> Result<&'d [u8]> {
        if let Some(contents) = section.contents.get() {
            return Ok(contents);
        }
        let contents = S::contents(section, self.bytes)?;
        Ok(section.contents.get_or_init(|| contents))
    }
}

impl<'d> Elf<'d> {
    pub(crate) fn machine(&self) -> Machine {
        Machine {
            number: self.machine.0,
            is_64: self.is_64,
            is_big_endian: self.endian == Endianness::Big,
        }
    }

    /// The size of the one section of this name, which must take part in memory; `None` if there
    /// is none.
    pub(crate) fn loaded_size(&self, name: &str) -> Result<Option<u64>> {
        let mut named = self
            .sections
            .iter()
            .filter(|section| section.name == name.as_bytes());
        match (named.next(), named.next()) {
            (None, _) => Ok(None),
            (Some(section), Some(_)) => Err(section.bad("it is there twice")),
            (Some(section), None) if section.kind == SHT_NOBITS => {
                Err(section.bad("it has no contents"))
            }
            (Some(section), None) if section.flags & SHF_ALLOC == SectionFlags(0) => {
                Err(section.bad("it is not loaded"))
            }
            (Some(section), None) => Ok(Some(section.size)),
        }
    }

    /// Where the ELF file ends; signatures may follow.
    pub(crate) fn end(&self) -> u64 {
        // No section ends behind the file.
        if self.section_headers.1 == self.bytes.size() {
            return self.section_headers.1;
        }
        let in_file = |section: &&Section<'_>| !matches!(section.kind, SHT_NOBITS | SHT_NULL);
        let sections = self.sections.iter().filter(in_file).map(Section::end);
        let headers = [self.header.1, self.section_headers.1];
        sections.chain(headers).max().unwrap_or_default()
    }

    /// The bytes of all sections that take part in memory, zeroed ones
    /// included.
    pub(crate) fn allocated(&self) -> Result<u64> {
        self.sections
            .iter()
            .filter(|section| section.flags & SHF_ALLOC != SectionFlags(0))
            .try_fold(0_u64, |sum, section| {
                sum.checked_add(section.size)
                    .ok_or_else(|| section.bad("larger than any memory"))
            })
    }
}

/// The table of the names of all sections. Its last byte must be NUL: kmod demands it
/// (kmod/libkmod/libkmod-elf.c, `kmod_elf_new`), and so does the kernel
/// (linux/kernel/module/main.c, `elf_validity_cache_secstrings`).
fn section_names<'d, H: FileHeader<Endian = Endianness>, S: Strictness>(
    header: &H,
    headers: &[H::SectionHeader],
    endian: Endianness,
    bytes: Ahead<'d>,
) -> Result<&'d [u8]> {
    const NAME: &str = ".shstrtab";
    let table = headers
        .get(header.shstrndx(endian, bytes)? as usize)
        .ok_or(Problem::NoSection(NAME))?;
    S::check_names(table.sh_type(endian))?;
    let (at, size) = (table.sh_offset(endian), table.sh_size(endian));
    let names = bytes.range(at.into(), size.into())?;
    match names.last() {
        Some(0) => Ok(names),
        _ => Err(Problem::bad_section(NAME, "a name without an end")),
    }
}

/// The entries of a table, if its size is a whole number of them.
pub(crate) fn entries<T: object::pod::Pod>(data: &[u8]) -> Option<&[T]> {
    let count = data.len() / size_of::<T>();
    let (entries, rest) = object::pod::slice_from_bytes(data, count).ok()?;
    rest.is_empty().then_some(entries)
}

/// A symbol without the dot the ppc64 ABI puts before function names.
pub(crate) fn dedotted(name: &[u8]) -> &[u8] {
    name.strip_prefix(b".").unwrap_or(name)
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
