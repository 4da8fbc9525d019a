//! The bytes of a module in, what kmod's depmod finds in them out.
//!
//! The indexes depend on more than what a module says: on the order of its symbol table, on
//! strings that are no exports, on what is made of damage. So this reader follows libkmod
//! (kmod/libkmod/libkmod-elf.c) where [`Module`](crate::Module) follows the kernel: sections are
//! found by name, the first counts, one that ends outside the file is passed over, and each fact
//! that cannot be read leaves the others alone.

use std::collections::HashMap;

use object::elf::{
    DataEncoding, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, EM_SPARC, EM_SPARCV9,
    FileClass, FileHeader32, FileHeader64, Machine, SHN_ABS, SHN_UNDEF, STB_WEAK,
    STT_SPARC_REGISTER, Sym32, Sym64, SymbolSection,
};
use object::endian::Endianness;
use object::read::elf::{FileHeader, SectionHeader, Sym};

use crate::bytes::{Arena, Bytes};
use crate::elf::{entries, string_at, word_at};
use crate::error::{Error, Problem, Result};
use crate::image::Image;

/// A module as kmod sees it.
pub struct AsKmod<'d> {
    image: &'d Image,
    bytes: Bytes<'d>,
    endian: Endianness,
    is_64: bool,
    machine: Machine,
    sections: Vec<Extent>,
    modinfo: Option<Extent>,
    symtab: Option<Extent>,
    strtab: Option<Extent>,
    versions: Option<Extent>,
    export_strings: Option<Extent>,
}

#[derive(Clone, Copy, Default)]
struct Extent {
    offset: u64,
    size: u64,
}

/// A symbol kmod takes for exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KmodExport<'d> {
    /// As it is written in the file.
    pub name: &'d [u8],
    section: SymbolSection,
    value: u64,
}

/// A symbol kmod takes for needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KmodImport<'d> {
    /// As it is written in the file, a leading dot included.
    pub name: &'d [u8],
    /// The module loads without it, too.
    pub weak: bool,
    /// What `__versions` expects of it, 0 where it says nothing.
    pub crc: u64,
}

/// What of a module's symbols could be read.
pub struct KmodSymbols<'d> {
    /// In the order of the symbol table: what `__crc_` stands before; without any, each string of
    /// `__ksymtab_strings`, be it a symbol or a namespace.
    pub exports: std::result::Result<Vec<KmodExport<'d>>, Error>,
    /// Undefined symbols in the order of the symbol table, then what only `__versions` names.
    pub imports: std::result::Result<Vec<KmodImport<'d>>, Error>,
}

impl<'d> AsKmod<'d> {
    /// Reads the section table of an opened module.
    ///
    /// # Errors
    /// The file is no ELF file, or its section table cannot be read.
    pub fn parse(image: &'d Image, arena: &'d Arena) -> std::result::Result<Self, Error> {
        let bytes = image.bytes(arena);
        let parse = || {
            let ident = bytes.range(0, bytes.size().min(16))?;
            if !ident.starts_with(&object::elf::ELFMAG) {
                return Err(Problem::NotElf);
            }
            let class = ident.get(4).copied().map(FileClass);
            let order = ident.get(5).copied().map(DataEncoding);
            match (class, order) {
                (_, order) if !matches!(order, Some(ELFDATA2LSB | ELFDATA2MSB)) => {
                    Err(Problem::NotElf)
                }
                (Some(ELFCLASS32), _) => {
                    Self::with_header::<FileHeader32<Endianness>>(image, bytes)
                }
                (Some(ELFCLASS64), _) => {
                    Self::with_header::<FileHeader64<Endianness>>(image, bytes)
                }
                _ => Err(Problem::NotElf),
            }
        };
        parse().map_err(|problem| Error::new(image.path(), problem))
    }

    fn with_header<H>(image: &'d Image, bytes: Bytes<'d>) -> Result<Self>
    where
        H: FileHeader<Endian = Endianness>,
    {
        // Not `H::parse`, which also looks at the version.
        let head = bytes.range(0, size_of::<H>() as u64)?;
        let (header, _) = object::pod::from_bytes::<H>(head).map_err(|()| Problem::NotElf)?;
        let endian = header.endian()?;
        let headers = header.section_headers(endian, bytes)?;
        let extent = |header: &H::SectionHeader| Extent {
            offset: header.sh_offset(endian).into(),
            size: header.sh_size(endian).into(),
        };
        let names = headers
            .get(header.shstrndx(endian, bytes)? as usize)
            .map(extent)
            .ok_or(Problem::NoSection(".shstrtab"))?;
        let names = bytes.range(names.offset, names.size)?;
        if names.last() != Some(&0) {
            return Err(odd(".shstrtab", "a name without an end"));
        }
        let mut view = Self {
            image,
            bytes,
            endian,
            is_64: header.is_type_64(),
            machine: header.e_machine(endian),
            sections: headers.iter().map(extent).collect(),
            modinfo: None,
            symtab: None,
            strtab: None,
            versions: None,
            export_strings: None,
        };
        for header in headers.iter().skip(1) {
            let extent = extent(header);
            if extent.offset.saturating_add(extent.size) > bytes.size() {
                continue;
            }
            let place = match string_at(names, header.sh_name(endian).into()) {
                Some(b".modinfo") => &mut view.modinfo,
                Some(b".symtab") => &mut view.symtab,
                Some(b".strtab") => &mut view.strtab,
                Some(b"__versions") => &mut view.versions,
                Some(b"__ksymtab_strings") => &mut view.export_strings,
                _ => continue,
            };
            place.get_or_insert(extent);
        }
        Ok(view)
    }

    /// The keys and values of its .modinfo section, in file order; the value of a key without `=`
    /// is empty.
    ///
    /// # Errors
    /// The section cannot be read. Having none is none.
    pub fn modinfo(
        &self,
    ) -> std::result::Result<impl Iterator<Item = (&'d [u8], &'d [u8])> + use<'d>, Error> {
        let section = self.contents(self.modinfo).map_err(|p| self.error(p))?;
        Ok(
            strings(section).map(|field| match memchr::memchr(b'=', field) {
                Some(at) => (
                    field.get(..at).unwrap_or_default(),
                    field.get(at + 1..).unwrap_or_default(),
                ),
                None => (field, &[][..]),
            }),
        )
    }

    /// What it exports and imports.
    pub fn symbols(&self) -> KmodSymbols<'d> {
        let found = match self.is_64 {
            true => self.scan::<Sym64<Endianness>>(),
            false => self.scan::<Sym32<Endianness>>(),
        };
        let (exports, imports) = match found {
            Ok(found) => (found.exports.unwrap_or_default(), found.imports),
            Err(problem) => (Vec::new(), Err(problem)),
        };
        let exports = match exports.is_empty() {
            true => self.exports_by_strings(),
            false => Ok(exports),
        };
        let imports = imports.and_then(|imports| self.with_versions(imports));
        KmodSymbols {
            exports: exports.map_err(|problem| self.error(problem)),
            imports: imports.map_err(|problem| self.error(problem)),
        }
    }

    /// The CRC of one of its exports: its value where that is absolute, else the word there.
    pub fn crc(&self, export: &KmodExport<'d>) -> u64 {
        let word = |index: u16| {
            let section = self.sections.get(usize::from(index))?;
            let last = section.size.checked_sub(4)?;
            let at = section.offset.checked_add(export.value)?;
            let word = self.bytes.range(at, 4).ok()?;
            (export.value <= last).then(|| word_at(word, 0, self.endian))?
        };
        match export.section {
            SHN_ABS | SHN_UNDEF => export.value,
            SymbolSection(index) => word(index).map_or(u64::MAX, u64::from),
        }
    }

    fn contents(&self, section: Option<Extent>) -> Result<&'d [u8]> {
        match section {
            Some(section) => self.bytes.range(section.offset, section.size),
            None => Ok(&[]),
        }
    }

    /// One walk over the symbol table. A name outside the string table spoils what it would have
    /// been part of.
    fn scan<S: Sym<Endian = Endianness>>(&self) -> Result<Scan<'d>> {
        let symtab = self.symtab.ok_or(Problem::NoSection(".symtab"))?;
        let strtab = self.strtab.ok_or(Problem::NoSection(".strtab"))?;
        let symbols: &[S] =
            entries(self.contents(Some(symtab))?).ok_or(odd(".symtab", "odd size"))?;
        let names = self.contents(Some(strtab))?;
        let sparc = matches!(self.machine, EM_SPARC | EM_SPARCV9);
        let mut exports = Some(Vec::new());
        let mut imports = Ok(Vec::new());
        for symbol in symbols.iter().skip(1) {
            let section = symbol.st_shndx(self.endian);
            let name = name_at(names, symbol.st_name(self.endian));
            let export = name.map(|name| name.strip_prefix(b"__crc_"));
            match (export, &mut exports) {
                (None, _) => exports = None,
                (Some(Some(name)), Some(exports)) => exports.push(KmodExport {
                    name,
                    section,
                    value: symbol.st_value(self.endian).into(),
                }),
                _ => {}
            }
            if section != SHN_UNDEF || (sparc && symbol.st_type() == STT_SPARC_REGISTER) {
                continue;
            }
            match (name, &mut imports) {
                (None, _) => imports = Err(odd(".symtab", "a name outside .strtab")),
                (Some(b""), _) | (_, Err(_)) => {}
                (Some(name), Ok(imports)) => imports.push(KmodImport {
                    name,
                    weak: symbol.st_bind() == STB_WEAK,
                    crc: 0,
                }),
            }
        }
        Ok(Scan { exports, imports })
    }

    fn exports_by_strings(&self) -> Result<Vec<KmodExport<'d>>> {
        let section = self.contents(self.export_strings)?;
        if section.iter().any(|&byte| byte != 0) && section.last() != Some(&0) {
            return Err(odd("__ksymtab_strings", "a string without an end"));
        }
        let export = |name| KmodExport {
            name,
            section: SHN_ABS,
            value: 0,
        };
        Ok(strings(section).map(export).collect())
    }

    /// Adds CRCs, and the symbols only `__versions` knows.
    fn with_versions(&self, mut imports: Vec<KmodImport<'d>>) -> Result<Vec<KmodImport<'d>>> {
        const ENTRY: usize = 64;
        let Some(table) = entries::<[u8; ENTRY]>(self.contents(self.versions)?) else {
            return Ok(imports);
        };
        let at = if self.is_64 { 8 } else { 4 };
        let rows: Vec<_> = table
            .iter()
            .map(|row| (string_at(row, at), self.version(row)))
            .collect();
        let mut by_name = HashMap::with_capacity(rows.len());
        for (index, (name, _)) in rows.iter().enumerate() {
            by_name.entry(*name).or_insert(index);
        }
        let mut seen = vec![false; rows.len()];
        for import in &mut imports {
            let index = by_name.get(&Some(import.name)).copied();
            let index = index.unwrap_or(rows.len());
            if let (Some((_, crc)), Some(seen)) = (rows.get(index), seen.get_mut(index)) {
                import.crc = *crc;
                *seen = true;
            }
        }
        for ((name, crc), _) in rows.into_iter().zip(seen).filter(|(_, seen)| !seen) {
            let name = name.ok_or(odd("__versions", "a name without an end"))?;
            let weak = false;
            imports.push(KmodImport { name, weak, crc });
        }
        Ok(imports)
    }

    fn version(&self, row: &[u8]) -> u64 {
        let word = |at| u64::from(word_at(row, at, self.endian).unwrap_or_default());
        match (self.is_64, self.endian) {
            (false, _) => word(0),
            (true, Endianness::Little) => word(4) << 32 | word(0),
            (true, Endianness::Big) => word(0) << 32 | word(4),
        }
    }

    fn error(&self, problem: Problem) -> Error {
        Error::new(self.image.path(), problem)
    }
}

struct Scan<'d> {
    /// `None` where a name of any symbol cannot be read.
    exports: Option<Vec<KmodExport<'d>>>,
    imports: Result<Vec<KmodImport<'d>>>,
}

/// The strings of a section, empty ones left out; the last may lack its end.
fn strings(section: &[u8]) -> impl Iterator<Item = &[u8]> {
    section
        .split(|&byte| byte == 0)
        .filter(|string| !string.is_empty())
}

/// A name of a string table whose last string may lack its end.
fn name_at(table: &[u8], offset: u32) -> Option<&[u8]> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    if rest.is_empty() {
        return None;
    }
    Some(match memchr::memchr(0, rest) {
        Some(end) => rest.get(..end)?,
        None => rest,
    })
}

fn odd(section: &str, reason: &'static str) -> Problem {
    Problem::BadSection {
        section: section.to_owned(),
        reason,
    }
}
