//! The version sections of a module in, the symbols it imports with their CRCs
//! out.
//!
//! `__versions` is an array of `struct modversion_info`
//! (linux/include/linux/module.h): the CRC as an unsigned long, then the name,
//! 64 bytes together. Since 6.14 a kernel may write `__version_ext_crcs` and
//! `__version_ext_names` beside or instead of it (linux/kernel/module/version.c
//! reads them first), where names may be longer.

use object::endian::Endianness;

use crate::Crc;
use crate::elf::{Elf, dedotted, entries, string_at, word_at};
use crate::error::{Problem, Result};

/// A symbol a module was linked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import<'d> {
    /// Without the dot the ppc64 ABI puts before function names.
    pub name: &'d [u8],
    /// The CRC it expects.
    pub crc: Crc,
}

const ENTRY: usize = 64;

/// All imports: the extended ones, then those only `__versions` names.
pub(crate) fn imports<'d>(elf: &Elf<'d>) -> Result<Vec<Import<'d>>> {
    let mut imports = extended(elf)?;
    let basic = basic(elf)?;
    if imports.is_empty() {
        return Ok(basic);
    }
    let named: std::collections::HashSet<_> = imports.iter().map(|import| import.name).collect();
    imports.extend(basic.iter().filter(|import| !named.contains(import.name)));
    Ok(imports)
}

fn basic<'d>(elf: &Elf<'d>) -> Result<Vec<Import<'d>>> {
    let Some(section) = elf.section("__versions") else {
        return Ok(Vec::new());
    };
    let entries: &[[u8; ENTRY]] =
        entries(elf.data(section)?).ok_or_else(|| section.bad("its size is no multiple of 64"))?;
    let word = if elf.is_64 { 8 } else { 4 };
    // The low half of a 64-bit word is the second one in big-endian files.
    let low = if elf.is_64 && elf.endian == Endianness::Big {
        4
    } else {
        0
    };
    let import = |entry| {
        Some(Import {
            name: dedotted(string_at(entry, word)?),
            crc: word_at(entry, low, elf.endian)?,
        })
    };
    // Collecting results would not know how many there are.
    let mut imports = Vec::with_capacity(entries.len());
    for entry in entries {
        imports.push(import(entry).ok_or_else(|| section.bad("a name without an end"))?);
    }
    Ok(imports)
}

fn extended<'d>(elf: &Elf<'d>) -> Result<Vec<Import<'d>>> {
    let (crcs, names) = match (
        elf.section("__version_ext_crcs"),
        elf.section("__version_ext_names"),
    ) {
        (None, None) => return Ok(Vec::new()),
        (Some(crcs), Some(names)) => (crcs, names),
        (None, Some(_)) => return Err(Problem::NoSection("__version_ext_crcs")),
        (Some(_), None) => return Err(Problem::NoSection("__version_ext_names")),
    };
    let words: &[[u8; 4]] =
        entries(elf.data(crcs)?).ok_or_else(|| crcs.bad("its size is no multiple of 4"))?;
    let table = elf.data(names)?;
    let mut at = 0;
    let imports = words
        .iter()
        .map(|word| {
            let name = string_at(table, at)?;
            at += name.len() as u64 + 1;
            Some(Import {
                name: dedotted(name),
                crc: word_at(word, 0, elf.endian)?,
            })
        })
        .collect::<Option<_>>()
        .ok_or_else(|| names.bad("fewer names than CRCs"))?;
    match at == table.len() as u64 {
        true => Ok(imports),
        false => Err(names.bad("more names than CRCs")),
    }
}
