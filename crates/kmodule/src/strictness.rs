//! Decides how much damage of an ELF file is accepted: as much as the kernel's module loader accepts,
//! or as much as kmod.

use object::elf::{
    DataEncoding, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, FileClass, SHF_COMPRESSED,
    SHT_NOBITS, SHT_NULL, SHT_REL, SHT_RELA, SHT_STRTAB, SectionFlags, SectionType,
};
use object::endian::Endianness;
use object::read::elf::FileHeader;

use crate::bytes::{Ahead, Bytes};
use crate::error::{Problem, Result};
use crate::section::Section;
use crate::strings::BadName;

/// The checks of a reader of ELF files.
pub(crate) trait Strictness {
    /// The class the first bytes announce.
    fn class(ident: &[u8]) -> Result<FileClass>;

    /// The file header.
    fn header<'d, H: FileHeader<Endian = Endianness>>(bytes: Bytes<'d>) -> Result<&'d H>;

    /// Checks the type of the section with the names of all others.
    fn check_names(kind: SectionType) -> Result<()>;

    /// The name of a section, or what is done if it was not found.
    fn section_name(found: std::result::Result<&[u8], BadName>) -> Result<&[u8]>;

    /// Checks the section table of a file of `len` bytes, and that no byte belongs to two sections.
    /// `headers` are where file header and section headers begin and end.
    fn check(sections: &[Section<'_>], headers: [(u64, u64); 2], len: u64) -> Result<()>;

    /// Whether a section can be found by its name.
    fn is_there(section: &Section<'_>, len: u64) -> bool;

    /// The bytes of a section.
    fn contents<'d>(section: &Section<'_>, bytes: Ahead<'d>) -> Result<&'d [u8]>;
}

/// Refuses what the kernel's loader refuses (linux/kernel/module/main.c, `elf_validity_cache_copy`),
/// and damage that the loader does not look for.
pub(crate) enum Strict {}

/// Accepts what libkmod accepts (kmod/libkmod/libkmod-elf.c). Sections are found by name, one that
/// ends outside the file is passed over, and types and flags do not count.
pub(crate) enum Lenient {}

impl Strictness for Strict {
    fn class(ident: &[u8]) -> Result<FileClass> {
        Ok(ident.get(4).copied().map_or(ELFCLASS64, FileClass))
    }

    fn header<'d, H: FileHeader<Endian = Endianness>>(bytes: Bytes<'d>) -> Result<&'d H> {
        Ok(H::parse(bytes)?)
    }

    fn check_names(kind: SectionType) -> Result<()> {
        match kind {
            SHT_STRTAB => Ok(()),
            _ => Err(Problem::bad_section(".shstrtab", "it is no string table")),
        }
    }

    fn section_name(found: std::result::Result<&[u8], BadName>) -> Result<&[u8]> {
        found.map_err(|bad| Problem::bad_section(".shstrtab", bad.reason()))
    }

    fn check(sections: &[Section<'_>], headers: [(u64, u64); 2], len: u64) -> Result<()> {
        let empty =
            |first: &Section<'_>| (first.kind, first.size, first.address) == (SHT_NULL, 0, 0);
        if !sections.first().is_none_or(empty) {
            return Err(Problem::bad_section("first", "it must be empty"));
        }
        if let Some(cut) = sections
            .iter()
            .find(|section| section.end() > len && !matches!(section.kind, SHT_NOBITS | SHT_NULL))
        {
            return Err(Problem::CutShort {
                section: cut.display_name(),
                end: cut.end(),
                len,
            });
        }
        match are_in_order(sections, headers) {
            true => Ok(()),
            false => check_apart(sections, headers),
        }
    }

    fn is_there(_: &Section<'_>, _: u64) -> bool {
        true
    }

    /// Only debug information may be compressed, because the loader uses sections as they are in the
    /// file. A section without room in the file has no bytes.
    fn contents<'d>(section: &Section<'_>, bytes: Ahead<'d>) -> Result<&'d [u8]> {
        if section.flags & SHF_COMPRESSED != SectionFlags(0) {
            return Err(section.bad("it is compressed"));
        }
        match section.kind {
            SHT_NOBITS => Ok(&[]),
            _ => bytes.range(section.offset, section.size),
        }
    }
}

/// Whether a section has bytes in the file.
fn has_bytes(section: &Section<'_>) -> bool {
    section.size > 0 && !matches!(section.kind, SHT_NOBITS | SHT_NULL)
}

/// Whether all is where ld puts it: the file header first, then sections in the order of their headers,
/// among them all relocations in one piece, then the section headers. That is cheaper to see than to
/// sort.
fn are_in_order(sections: &[Section<'_>], headers: [(u64, u64); 2]) -> bool {
    let [file_header, section_headers] = headers;
    let is_relocation = |section: &&Section<'_>| matches!(section.kind, SHT_REL | SHT_RELA);
    let (mut first, mut last) = (u64::MAX, 0);
    for section in sections.iter().filter(is_relocation) {
        if section.offset < last {
            return false;
        }
        first = first.min(section.offset);
        last = section.end();
    }
    let mut taken_to = file_header.1;
    for section in sections {
        if is_relocation(&section) || !has_bytes(section) {
            continue;
        }
        let is_apart = section.end() <= first || section.offset >= last;
        if section.offset < taken_to || !is_apart {
            return false;
        }
        taken_to = section.end();
    }
    file_header.1 <= first && section_headers.0 >= taken_to.max(last)
}

/// Refuses sections that share bytes. They show damage, and if bytes were read for several sections, a
/// small file could cost any amount of memory.
fn check_apart(sections: &[Section<'_>], headers: [(u64, u64); 2]) -> Result<()> {
    let own = sections
        .iter()
        .filter(|section| has_bytes(section))
        .map(|section| (section.offset, section.end(), Some(section)));
    let headers = headers.map(|(start, end)| (start, end, None));
    let mut extents: Vec<_> = own.chain(headers).filter(|(a, b, _)| a < b).collect();
    extents.sort_unstable_by_key(|(start, end, _)| (*start, *end));
    for pair in extents.windows(2) {
        let [(_, end, one), (start, _, other)] = pair else {
            continue;
        };
        if start < end {
            return Err(match other.or(*one) {
                Some(section) => section.bad("it overlaps another, or the headers"),
                None => Problem::bad_section("header", "the section headers overlap it"),
            });
        }
    }
    Ok(())
}

impl Strictness for Lenient {
    fn class(ident: &[u8]) -> Result<FileClass> {
        let class = ident.get(4).copied().map(FileClass);
        let order = ident.get(5).copied().map(DataEncoding);
        match (class, order) {
            (Some(class @ (ELFCLASS32 | ELFCLASS64)), Some(ELFDATA2LSB | ELFDATA2MSB)) => Ok(class),
            _ => Err(Problem::NotElf),
        }
    }

    /// `H::parse` would also check the version, which kmod does not.
    fn header<'d, H: FileHeader<Endian = Endianness>>(bytes: Bytes<'d>) -> Result<&'d H> {
        let head = bytes.range(0, size_of::<H>() as u64)?;
        match object::pod::from_bytes(head) {
            Ok((header, _)) => Ok(header),
            Err(()) => Err(Problem::NotElf),
        }
    }

    fn check_names(_: SectionType) -> Result<()> {
        Ok(())
    }

    fn section_name(found: std::result::Result<&[u8], BadName>) -> Result<&[u8]> {
        Ok(found.unwrap_or_default())
    }

    fn check(_: &[Section<'_>], _: [(u64, u64); 2], _: u64) -> Result<()> {
        Ok(())
    }

    fn is_there(section: &Section<'_>, len: u64) -> bool {
        section.end() <= len
    }

    fn contents<'d>(section: &Section<'_>, bytes: Ahead<'d>) -> Result<&'d [u8]> {
        bytes.range(section.offset, section.size)
    }
}
