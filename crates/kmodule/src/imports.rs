//! Reads the symbols that a module imports, with the CRCs it expects, from its version sections.
//!
//! `__versions` is an array of `struct modversion_info` (linux/include/linux/module.h): the CRC
//! as an unsigned long, then the name, 64 bytes together. Since 6.14 a kernel may write
//! `__version_ext_crcs` and `__version_ext_names` beside it or instead of it. Names may be longer
//! there. modpost writes them as adjacent strings of C, `"name\0"` each, so the section ends
//! with one NUL more than the names have (linux/scripts/mod/modpost.c, `add_extended_versions`).

use std::collections::HashSet;

use object::endian::Endianness;

use crate::crc::{Crc, crc_of};
use crate::elf::{Elf, dedotted, entries, word_at};
use crate::error::{Problem, Result};
use crate::section::Section;
use crate::strings::string_at;

/// A symbol that a module was linked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import<'d> {
    /// Without the dot the ppc64 ABI puts before function names.
    pub name: &'d [u8],
    /// The CRC it expects; `None` where the build of the exporter could not compute one.
    pub crc: Option<Crc>,
}

/// The two forms of version information, each in file order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions<'d> {
    /// What `__versions` has; `None` if it is not there.
    pub basic: Option<Vec<Import<'d>>>,
    /// What the extended sections have; `None` if they are not there.
    pub extended: Option<Vec<Import<'d>>>,
}

const ENTRY: usize = 64;

/// Both forms, as far as they are there.
pub(crate) fn versions<'d>(elf: &Elf<'d>) -> Result<Versions<'d>> {
    Ok(Versions {
        basic: elf
            .section("__versions")
            .map(|section| basic(elf, section))
            .transpose()?,
        extended: extended(elf)?,
    })
}

/// All imports: the extended ones, then those only `__versions` names.
pub(crate) fn imports<'d>(elf: &Elf<'d>) -> Result<Vec<Import<'d>>> {
    let Versions { basic, extended } = versions(elf)?;
    let basic = basic.unwrap_or_default();
    let Some(mut imports) = extended else {
        return Ok(basic);
    };
    let named: HashSet<_> = imports.iter().map(|import| import.name).collect();
    imports.extend(basic.iter().filter(|import| !named.contains(import.name)));
    Ok(imports)
}

fn basic<'d>(elf: &Elf<'d>, section: &Section<'d>) -> Result<Vec<Import<'d>>> {
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
            crc: crc_of(word_at(entry, low, elf.endian)?),
        })
    };
    // Collecting results would not know how many there are.
    let mut imports = Vec::with_capacity(entries.len());
    for entry in entries {
        imports.push(import(entry).ok_or_else(|| section.bad("a name without an end"))?);
    }
    Ok(imports)
}

fn extended<'d>(elf: &Elf<'d>) -> Result<Option<Vec<Import<'d>>>> {
    let (crcs, names) = match (
        elf.section("__version_ext_crcs"),
        elf.section("__version_ext_names"),
    ) {
        (None, None) => return Ok(None),
        (Some(crcs), Some(names)) => (crcs, names),
        (None, Some(_)) => return Err(Problem::NoSection("__version_ext_crcs")),
        (Some(_), None) => return Err(Problem::NoSection("__version_ext_names")),
    };
    let words: &[[u8; 4]] =
        entries(elf.data(crcs)?).ok_or_else(|| crcs.bad("its size is no multiple of 4"))?;
    let mut rest = elf.data(names)?;
    let mut imports = Vec::with_capacity(words.len());
    for word in words {
        let name = string_at(rest, 0).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| names.bad("fewer names than CRCs"))?;
        rest = rest.get(name.len() + 1..).unwrap_or_default();
        imports.push(Import {
            name: dedotted(name),
            crc: word_at(word, 0, elf.endian).and_then(crc_of),
        });
    }
    // The kernel looks at no more names than there are CRCs (linux/kernel/module/version.c,
    // `modversion_ext_advance`). Anything but NULs there is a CRC that was lost.
    match rest.iter().all(|&byte| byte == 0) {
        true => Ok(Some(imports)),
        false => Err(names.bad("more names than CRCs")),
    }
}
