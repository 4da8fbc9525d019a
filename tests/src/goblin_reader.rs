//! The facts of a module or vmlinux, read a second time by other means: goblin
//! for ELF, the command-line tools for compression.
//!
//! Written from the kernel's documentation (kbuild/modules.rst, "Module
//! Versioning") and headers, and deliberately plain: it reads whole files, goes
//! through the symbol table only, and knows no damage. An oracle for `kmodule`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use goblin::elf::section_header::{SHN_ABS, SHN_UNDEF, SHT_NOBITS};
use goblin::elf::{Elf, SectionHeader};

/// What kmodule must say too.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Every field of .modinfo, in file order.
    pub modinfo: Vec<(String, String)>,
    /// The symbols whose CRCs the module checks.
    pub imports: BTreeMap<String, u32>,
    /// The symbols that have a `__crc_`.
    pub exports: BTreeMap<String, u32>,
    /// The symbols left undefined, whether or not a CRC is known for them.
    pub undefined: BTreeSet<String>,
}

/// Reads a module from disk, decompressing it by its suffix.
pub fn facts_of_file(path: &Path) -> Result<Facts, String> {
    let name = |reason: String| format!("{}: {reason}", path.display());
    plain(path).and_then(|bytes| facts(&bytes)).map_err(name)
}

/// The bytes of a file as the tool of its suffix unpacks them.
pub fn plain(path: &Path) -> Result<Vec<u8>, String> {
    let tool = match path.extension().and_then(|suffix| suffix.to_str()) {
        Some("gz") => "gzip",
        Some("xz") => "xz",
        Some("zst") => "zstd",
        Some("bz2") => "bzip2",
        _ => return std::fs::read(path).map_err(|error| error.to_string()),
    };
    let output = Command::new(tool)
        .args(["-d", "-c", "-q"])
        .arg(path)
        .output()
        .map_err(|error| format!("{tool}: {error}"))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!(
            "{tool}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Reads uncompressed bytes.
pub fn facts(bytes: &[u8]) -> Result<Facts, String> {
    let file = File {
        elf: Elf::parse(bytes).map_err(|error| error.to_string())?,
        bytes,
    };
    Ok(Facts {
        modinfo: file.modinfo(),
        imports: file.imports()?,
        exports: file.exports()?,
        undefined: file.undefined(),
    })
}

struct File<'b> {
    elf: Elf<'b>,
    bytes: &'b [u8],
}

impl<'b> File<'b> {
    fn modinfo(&self) -> Vec<(String, String)> {
        self.section(".modinfo")
            .split(|&byte| byte == 0)
            .filter(|field| !field.is_empty())
            .map(|field| {
                let field = text(field);
                let (key, value) = field.split_once('=').unwrap_or((&field, ""));
                (key.to_owned(), value.to_owned())
            })
            .collect()
    }

    /// `struct modversion_info { unsigned long crc; char name[64 - sizeof(long)]; }`,
    /// and the two sections of CONFIG_EXTENDED_MODVERSIONS.
    fn imports(&self) -> Result<BTreeMap<String, u32>, String> {
        let mut imports = BTreeMap::new();
        let long = if self.elf.is_64 { 8 } else { 4 };
        for entry in self.section("__versions").chunks(64) {
            let (crc, name) = entry.split_at_checked(long).ok_or("__versions is cut")?;
            imports.insert(function_name(name), self.number(crc) as u32);
        }
        let names = self.section("__version_ext_names");
        let crcs = self.section("__version_ext_crcs").chunks(4);
        for (name, crc) in names.split(|&byte| byte == 0).zip(crcs) {
            imports.insert(function_name(name), self.number(crc) as u32);
        }
        Ok(imports)
    }

    fn exports(&self) -> Result<BTreeMap<String, u32>, String> {
        let mut exports = BTreeMap::new();
        for symbol in self.elf.syms.iter() {
            let name = self.elf.strtab.get_at(symbol.st_name).unwrap_or_default();
            let Some(name) = name.strip_prefix("__crc_") else {
                continue;
            };
            let crc = match symbol.st_shndx as u32 {
                SHN_UNDEF => 0,
                SHN_ABS => symbol.st_value as u32,
                index => {
                    let section = self
                        .elf
                        .section_headers
                        .get(index as usize)
                        .ok_or_else(|| format!("{name}: no section {index}"))?;
                    // Addresses are 0 in a relocatable file.
                    let at = symbol.st_value.wrapping_sub(section.sh_addr) as usize;
                    let word = self.contents(section).get(at..at.wrapping_add(4));
                    self.number(word.ok_or_else(|| format!("{name}: outside its section"))?) as u32
                }
            };
            exports.insert(name.to_owned(), crc);
        }
        Ok(exports)
    }

    fn undefined(&self) -> BTreeSet<String> {
        self.elf
            .syms
            .iter()
            .filter(|symbol| symbol.st_shndx == SHN_UNDEF as usize)
            .filter_map(|symbol| self.elf.strtab.get_at(symbol.st_name))
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn section(&self, name: &str) -> &'b [u8] {
        self.elf
            .section_headers
            .iter()
            .find(|section| self.elf.shdr_strtab.get_at(section.sh_name) == Some(name))
            .map_or(&[], |section| self.contents(section))
    }

    fn contents(&self, section: &SectionHeader) -> &'b [u8] {
        match section.sh_type {
            SHT_NOBITS => &[],
            _ => section
                .file_range()
                .and_then(|range| self.bytes.get(range))
                .unwrap_or_default(),
        }
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self.elf.little_endian {
            true => bytes.iter().rev().fold(0, append),
            false => bytes.iter().fold(0, append),
        }
    }
}

/// The C string at the start of `bytes`, without the dot that names a function's
/// code on ppc64.
fn function_name(bytes: &[u8]) -> String {
    let name = text(bytes.split(|&byte| byte == 0).next().unwrap_or_default());
    name.strip_prefix('.').map_or(name.clone(), str::to_owned)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
