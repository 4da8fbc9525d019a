//! Follows the pointers of a table into one other section.
//!
//! In a relocatable file relocations say where a field leads. In a linked file the field itself
//! does, as an address or as a distance from the field.

use std::collections::HashMap;
use std::ops::Range;

use object::endian::Endianness;

use crate::elf::{Elf, word_at};
use crate::error::Result;
use crate::section::Section;
use crate::symbols::{Place, SymbolTable, relocations};

/// The fields of a table, as pointers into one section.
pub(crate) enum Pointers<'d> {
    /// Offset into that section, `None` for another section, by offset into the table.
    Relocated(HashMap<u64, Option<u64>>),
    Linked {
        table: &'d [u8],
        address: u64,
        into: Range<u64>,
        endian: Endianness,
        is_64: bool,
    },
}

/// Where a field leads.
pub(crate) enum Lead {
    /// To this offset of the section.
    To(u64),
    /// Nowhere: the pointer is null.
    Null,
    /// To another section.
    Elsewhere,
}

impl<'d> Pointers<'d> {
    /// The pointers of the table with index `table` into the section with index
    /// `into`, as the relocations of an unlinked file tell.
    pub(crate) fn relocated(
        elf: &Elf<'d>,
        table: usize,
        into: usize,
        symbols: &SymbolTable<'_, 'd>,
    ) -> Result<Self> {
        let data = match elf.sections.get(table) {
            Some(section) => elf.data(section)?,
            None => &[],
        };
        let led_to = |symbol: usize, addend: i64| -> Option<u64> {
            let symbol = symbols.get(symbol)?;
            (symbol.place == Place::Section(into)).then_some(())?;
            symbol.value.checked_add_signed(addend)
        };
        let places = relocations(elf, table)?.into_iter().filter_map(|entry| {
            let addend = match entry.addend {
                Some(addend) => addend,
                None => i64::from(word_at(data, entry.offset, elf.endian)? as i32),
            };
            Some((entry.offset, led_to(entry.symbol, addend)))
        });
        Ok(Self::Relocated(places.collect()))
    }

    /// The pointers of `table` into the section `into` of a linked file.
    pub(crate) fn linked(elf: &Elf<'d>, table: &Section<'d>, into: &Section<'_>) -> Result<Self> {
        Ok(Self::Linked {
            table: elf.data(table)?,
            address: table.address,
            into: into.address..into.address.saturating_add(into.size),
            endian: elf.endian,
            is_64: elf.is_64,
        })
    }

    /// Where in the other section the field of `width` bytes at offset `at`
    /// leads; `None` if it leads elsewhere.
    pub(crate) fn lead(&self, at: u64, width: u64) -> Option<u64> {
        match self {
            Self::Relocated(places) => places.get(&at).copied().flatten(),
            Self::Linked { is_64, .. } => match (width, is_64) {
                (8, _) => self.inside(self.wide(at)?),
                (_, true) => self.lead_by_distance(at),
                // 32-bit architectures differ: x86 writes distances, arm
                // addresses.
                (_, false) => self
                    .lead_by_distance(at)
                    .or_else(|| self.inside(self.word(at)?.into())),
            },
        }
    }

    /// As `lead`, where the field may hold a null pointer.
    pub(crate) fn lead_or_null(&self, at: u64, width: u64) -> Lead {
        let is_null = match self {
            Self::Relocated(places) => !places.contains_key(&at),
            Self::Linked { .. } if width == 8 => self.wide(at) == Some(0),
            Self::Linked { .. } => self.word(at) == Some(0),
        };
        match self.lead(at, width) {
            _ if is_null => Lead::Null,
            Some(place) => Lead::To(place),
            None => Lead::Elsewhere,
        }
    }

    /// As `lead`, for a 32-bit field that holds a distance from itself.
    pub(crate) fn lead_by_distance(&self, at: u64) -> Option<u64> {
        let Self::Linked { address, is_64, .. } = self else {
            return None;
        };
        let distance = i64::from(self.word(at)? as i32);
        let target = address.wrapping_add(at).wrapping_add_signed(distance);
        self.inside(match is_64 {
            true => target,
            false => target & u64::from(u32::MAX),
        })
    }

    fn inside(&self, address: u64) -> Option<u64> {
        match self {
            Self::Linked { into, .. } if into.contains(&address) => address.checked_sub(into.start),
            _ => None,
        }
    }

    fn word(&self, at: u64) -> Option<u32> {
        match self {
            Self::Linked { table, endian, .. } => word_at(table, at, *endian),
            Self::Relocated(_) => None,
        }
    }

    fn wide(&self, at: u64) -> Option<u64> {
        let first = u64::from(self.word(at)?);
        let second = u64::from(self.word(at.checked_add(4)?)?);
        match self {
            Self::Linked { endian, .. } if *endian == Endianness::Big => Some(first << 32 | second),
            _ => Some(second << 32 | first),
        }
    }
}
