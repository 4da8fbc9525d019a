//! Reads a module as kmod's depmod does.
//!
//! The indexes depend on more than the facts of a module: on the order of its symbol table, on
//! strings that are no exports, and on what kmod makes of damage. This reader therefore follows
//! libkmod (kmod/libkmod/libkmod-elf.c), while [`Module`](crate::Module) follows the kernel. It finds
//! sections by name and takes the first. It passes over a section that ends outside the file. A fact
//! that cannot be read leaves the others alone.
//!
//! One kind of damage is an error here and not for kmod: names that overlap so far that together
//! they are longer than the file. kmod copies each.

use hashbrown::HashMap;
use object::elf::{
    EM_SPARC, EM_SPARCV9, SHN_ABS, SHN_UNDEF, STB_WEAK, STT_SPARC_REGISTER, Sym32, Sym64,
    SymbolSection,
};
use object::endian::Endianness;
use object::read::elf::Sym;

use crate::bytes::Arena;
use crate::elf::{Elf, entries, word_at};
use crate::error::{Error, Problem, Result};
use crate::image::Image;
use crate::strictness::Lenient;
use crate::strings::{BadName, StringTable, string_at};

/// A module as kmod sees it.
pub struct AsKmod<'d> {
    image: &'d Image,
    elf: Elf<'d, Lenient>,
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

/// The symbols of a module, as far as they could be read.
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
        match Elf::parse(image.bytes(arena)) {
            Ok(elf) => Ok(Self { image, elf }),
            Err(problem) => Err(Error::new(image.path(), problem)),
        }
    }

    /// The keys and values of its .modinfo section, in file order; the value of a key without `=`
    /// is empty.
    ///
    /// # Errors
    /// The section cannot be read. That there is none is no error.
    pub fn modinfo(
        &self,
    ) -> std::result::Result<impl Iterator<Item = (&'d [u8], &'d [u8])> + use<'d>, Error> {
        let section = self.contents(".modinfo").map_err(|p| self.error(p))?;
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

    /// The symbols it exports and imports.
    pub fn symbols(&self) -> KmodSymbols<'d> {
        let found = match self.elf.is_64 {
            true => self.scan::<Sym64<Endianness>>(),
            false => self.scan::<Sym32<Endianness>>(),
        };
        let Scan { exports, imports } = found.unwrap_or_else(|problem| Scan {
            exports: Ok(None),
            imports: Err(problem),
        });
        let exports = exports.and_then(|exports| match exports {
            Some(exports) if !exports.is_empty() => Ok(exports),
            _ => self.exports_by_strings(),
        });
        let imports = imports.and_then(|imports| self.with_versions(imports));
        KmodSymbols {
            exports: exports.map_err(|problem| self.error(problem)),
            imports: imports.map_err(|problem| self.error(problem)),
        }
    }

    /// The CRC of one of its exports: the value of an absolute symbol, else the word it points at.
    pub fn crc(&self, export: &KmodExport<'d>) -> u64 {
        let word = |index: u16| {
            let section = self.elf.sections.get(usize::from(index))?;
            let last = section.size.checked_sub(4)?;
            let at = section.offset.checked_add(export.value)?;
            let word = self.elf.bytes.range(at, 4).ok()?;
            (export.value <= last).then(|| word_at(word, 0, self.elf.endian))?
        };
        match export.section {
            SHN_ABS | SHN_UNDEF => export.value,
            SymbolSection(index) => word(index).map_or(u64::MAX, u64::from),
        }
    }

    /// The bytes of a section, which are none if there is no such section.
    fn contents(&self, name: &str) -> Result<&'d [u8]> {
        match self.elf.section(name) {
            Some(section) => self.elf.data(section),
            None => Ok(&[]),
        }
    }

    /// Walks over the symbol table once. A name outside the string table spoils the exports, and of an
    /// undefined symbol also the imports.
    ///
    /// The end of a name is looked for only if the name is wanted.
    fn scan<S: Sym<Endian = Endianness>>(&self) -> Result<Scan<'d>> {
        let endian = self.elf.endian;
        let section = |name| self.elf.section(name).ok_or(Problem::NoSection(name));
        let symbols: &[S] = entries(self.elf.data(section(".symtab")?)?)
            .ok_or_else(|| Problem::bad_section(".symtab", "odd size"))?;
        let names = self.elf.data(section(".strtab")?)?;
        let names = StringTable::new(names, self.elf.bytes.size());
        let sparc = matches!(self.elf.machine, EM_SPARC | EM_SPARCV9);
        let mut found = Scan {
            exports: Ok(Some(Vec::new())),
            imports: Ok(Vec::new()),
        };
        for symbol in symbols.iter().skip(1) {
            let section = symbol.st_shndx(endian);
            let is_register = sparc && symbol.st_type() == STT_SPARC_REGISTER;
            let is_import = section == SHN_UNDEF && !is_register;
            let at = symbol.st_name(endian).into();
            if names.starts_with(at, CRC_PREFIX) == Some(false) && !is_import {
                continue;
            }
            let name = match names.at_without_end(at) {
                Ok(name) => Some(name),
                Err(BadName::Overlapping) => return Ok(Scan::overlapping()),
                Err(_) => None,
            };
            found.add_export(name, section, symbol.st_value(endian).into());
            if is_import {
                found.add_import(name, symbol.st_bind() == STB_WEAK);
            }
        }
        Ok(found)
    }

    fn exports_by_strings(&self) -> Result<Vec<KmodExport<'d>>> {
        let section = self.contents("__ksymtab_strings")?;
        if section.iter().any(|&byte| byte != 0) && section.last() != Some(&0) {
            return Err(Problem::bad_section(
                "__ksymtab_strings",
                "a string without an end",
            ));
        }
        let export = |name| KmodExport {
            name,
            section: SHN_ABS,
            value: 0,
        };
        Ok(strings(section).map(export).collect())
    }

    /// Adds CRCs, and the symbols that are in `__versions` alone.
    fn with_versions(&self, mut imports: Vec<KmodImport<'d>>) -> Result<Vec<KmodImport<'d>>> {
        const ENTRY: usize = 64;
        let Some(table) = entries::<[u8; ENTRY]>(self.contents("__versions")?) else {
            return Ok(imports);
        };
        let at = if self.elf.is_64 { 8 } else { 4 };
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
            let name =
                name.ok_or_else(|| Problem::bad_section("__versions", "a name without an end"))?;
            let weak = false;
            imports.push(KmodImport { name, weak, crc });
        }
        Ok(imports)
    }

    fn version(&self, row: &[u8]) -> u64 {
        let word = |at| u64::from(word_at(row, at, self.elf.endian).unwrap_or_default());
        match (self.elf.is_64, self.elf.endian) {
            (false, _) => word(0),
            (true, Endianness::Little) => word(4) << 32 | word(0),
            (true, Endianness::Big) => word(0) << 32 | word(4),
        }
    }

    fn error(&self, problem: Problem) -> Error {
        Error::new(self.image.path(), problem)
    }
}

/// How the name of the symbol with the CRC of an export begins.
const CRC_PREFIX: &[u8] = b"__crc_";

/// What was found in a symbol table.
struct Scan<'d> {
    /// `None` where a name of any symbol lies outside the string table.
    exports: Result<Option<Vec<KmodExport<'d>>>>,
    imports: Result<Vec<KmodImport<'d>>>,
}

impl<'d> Scan<'d> {
    fn overlapping() -> Self {
        let problem = || Problem::bad_section(".strtab", BadName::Overlapping.reason());
        Self {
            exports: Err(problem()),
            imports: Err(problem()),
        }
    }

    fn add_export(&mut self, name: Option<&'d [u8]>, section: SymbolSection, value: u64) {
        let Some(name) = name else {
            self.exports = Ok(None);
            return;
        };
        if let (Some(name), Ok(Some(exports))) = (name.strip_prefix(CRC_PREFIX), &mut self.exports)
        {
            exports.push(KmodExport {
                name,
                section,
                value,
            });
        }
    }

    fn add_import(&mut self, name: Option<&'d [u8]>, weak: bool) {
        match (name, &mut self.imports) {
            (None, _) => {
                let problem = Problem::bad_section(".symtab", "a name outside .strtab");
                self.imports = Err(problem);
            }
            (Some(b""), _) | (_, Err(_)) => {}
            (Some(name), Ok(imports)) => imports.push(KmodImport { name, weak, crc: 0 }),
        }
    }
}

/// The strings of a section, without empty ones. The last may lack its end.
fn strings(section: &[u8]) -> impl Iterator<Item = &[u8]> {
    section
        .split(|&byte| byte == 0)
        .filter(|string| !string.is_empty())
}
