//! Reads the CRC of an exported symbol from where its `__crc_` symbol or a relocation leads.

use crate::elf::{Elf, word_at};
use crate::error::{Problem, Result};
use crate::symbols::{Place, Symbol};

/// The CRC genksyms or gendwarfksyms computed for an exported symbol.
pub type Crc = u32;

/// A CRC as a file stores it. A build that cannot compute one writes 0, so 0 is no CRC
/// (linux/scripts/mod/modpost.c, `crc_valid`).
pub(crate) fn crc_of(word: u32) -> Option<Crc> {
    (word != 0).then_some(word)
}

/// The CRC that `symbol`, moved by `addend`, is or points at.
///
/// The value of an absolute symbol is the CRC. A symbol in a section is the place of a 32-bit
/// word that holds it.
pub(crate) fn crc_at(elf: &Elf<'_>, symbol: &Symbol, addend: i64) -> Result<Option<Crc>> {
    let value = symbol.value.wrapping_add_signed(addend);
    let index = match symbol.place {
        Place::Absolute => return Ok(crc_of(value as u32)),
        Place::Section(index) => index,
        // A weak undefined symbol: genksyms gave up, and the loader sees 0.
        Place::Undefined | Place::Elsewhere => return Ok(None),
    };
    let lost = || Problem::bad_section(".symtab", "a CRC lies in a section that does not exist");
    let section = elf.sections.get(index).ok_or_else(lost)?;
    let base = match elf.is_relocatable {
        true => 0,
        false => section.address,
    };
    let data = elf.data(section)?;
    value
        .checked_sub(base)
        .and_then(|offset| word_at(data, offset, elf.endian))
        .map(crc_of)
        .ok_or_else(|| section.bad("a CRC lies outside it"))
}
