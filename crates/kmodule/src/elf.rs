//! Bytes in, one view of an ELF file out, whatever its class and byte order.
//!
//! `object` decodes the raw structures; this file flattens its two classes into
//! one section list, so that the readers above are written once.

use std::cell::OnceCell;

use object::elf::{
    FileHeader32, FileHeader64, Machine as MachineNumber, SHF_ALLOC, SHF_COMPRESSED, SHT_NOBITS,
    SHT_NULL, SectionFlags, SectionType,
};
use object::endian::Endianness;
use object::read::elf::{FileHeader, SectionHeader};

use crate::bytes::Bytes;
use crate::error::{Problem, Result};

/// How much of the section names is read with the headers: more than those of a
/// module need.
const NAMES: u64 = 2048;

/// An ELF file whose section table has been read and checked against its size.
pub(crate) struct Elf<'d> {
    bytes: Bytes<'d>,
    pub(crate) endian: Endianness,
    pub(crate) is_64: bool,
    pub(crate) machine: MachineNumber,
    pub(crate) is_mips64el: bool,
    pub(crate) is_relocatable: bool,
    pub(crate) sections: Vec<Section<'d>>,
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

/// One section header, and the contents once they have been read.
pub(crate) struct Section<'d> {
    pub(crate) name: &'d [u8],
    pub(crate) kind: SectionType,
    pub(crate) flags: SectionFlags,
    pub(crate) address: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) link: u32,
    pub(crate) info: u32,
    contents: OnceCell<&'d [u8]>,
}

impl<'d> Elf<'d> {
    /// # Errors
    /// No ELF magic, a header that lies, or a section that ends outside the
    /// file or shares its bytes with another.
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
        // The names are the last thing before the headers, where ld puts them.
        let at: u64 = header.e_shoff(endian).into();
        let size = u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian));
        let bytes_ahead = bytes.ahead(at.saturating_sub(NAMES), at.saturating_add(size))?;
        let headers = header.section_headers(endian, bytes_ahead)?;
        let names = match headers.is_empty() {
            true => &[][..],
            false => {
                let index = header.shstrndx(endian, bytes_ahead)? as usize;
                let table = headers.get(index).ok_or(Problem::NoSection(".shstrtab"))?;
                let (at, size) = (table.sh_offset(endian), table.sh_size(endian));
                bytes_ahead.range(at.into(), size.into())?
            }
        };
        // Collecting results would not know how many there are.
        let mut sections = Vec::with_capacity(headers.len());
        for header in headers {
            let name = string_at(names, u64::from(header.sh_name(endian)));
            sections.push(Section {
                name: name.ok_or_else(|| Problem::BadSection {
                    section: ".shstrtab".into(),
                    reason: "a section name outside it",
                })?,
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
        check_extents(&sections, bytes.size())?;
        Ok(Self {
            bytes,
            endian,
            is_64: header.is_type_64(),
            machine: header.e_machine(endian),
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

    /// The contents of a section, which are read only once; empty for one that
    /// takes no room in the file.
    pub(crate) fn data(&self, section: &Section<'d>) -> Result<&'d [u8]> {
        if let Some(contents) = section.contents.get() {
            return Ok(contents);
        }
        let contents = self.read(section)?;
        Ok(section.contents.get_or_init(|| contents))
    }

    fn read(&self, section: &Section<'_>) -> Result<&'d [u8]> {
        // Only debug information may be compressed: what the loader reads lies
        // in memory as it is in the file.
        if section.flags & SHF_COMPRESSED != SectionFlags(0) {
            return Err(section.bad("it is compressed"));
        }
        match section.kind {
            SHT_NOBITS => Ok(&[]),
            _ => self.bytes.range(section.offset, section.size),
        }
    }

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
}

/// Every section must lie in the file. Together they cannot be larger than it
/// either, which bounds what a lying header can make us read.
fn check_extents(sections: &[Section<'_>], len: u64) -> Result<()> {
    let mut room = len;
    for section in sections {
        if matches!(section.kind, SHT_NOBITS | SHT_NULL) {
            continue;
        }
        let end = section.offset.saturating_add(section.size);
        if end > len {
            return Err(Problem::CutShort {
                section: section.display_name(),
                end,
                len,
            });
        }
        room = room
            .checked_sub(section.size)
            .ok_or_else(|| section.bad("it overlaps another"))?;
    }
    Ok(())
}

/// The bytes of a table as its entries, if they are a whole number.
pub(crate) fn entries<T: object::pod::Pod>(data: &[u8]) -> Option<&[T]> {
    let count = data.len() / size_of::<T>();
    let (entries, rest) = object::pod::slice_from_bytes(data, count).ok()?;
    rest.is_empty().then_some(entries)
}

/// The longest string that is looked for: eight times the kernel's KSYM_NAME_LEN
/// (linux/include/linux/kallsyms.h). Names that overlap would take a time that grows with the
/// square of the table's size.
const LONGEST: usize = 4096;

/// The NUL-terminated string at `offset` of a string table.
pub(crate) fn string_at(table: &[u8], offset: u64) -> Option<&[u8]> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    let rest = rest.get(..LONGEST.min(rest.len()))?;
    rest.get(..memchr::memchr(0, rest)?)
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
