//! Finds NUL-terminated names in a string table.
//!
//! Names may share their bytes, so a small table can give any amount of names: 375 kB of symbols and
//! one long string gave 1.5 GB. The names taken from a table are therefore limited: together they are
//! no longer than the file. No real file needs more, because each name also has a symbol or an entry
//! of some table, and linkers let few names share bytes.

use std::cell::Cell;

use crate::work;

/// The longest name: eight times the kernel's KSYM_NAME_LEN (linux/include/linux/kallsyms.h).
const LONGEST: usize = 4096;

/// A string table, with the number of bytes that may still be taken from it.
pub(crate) struct StringTable<'d> {
    bytes: &'d [u8],
    left: Cell<usize>,
}

/// Why there is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadName {
    /// It lies outside the table.
    Outside,
    /// It has no end, or is too long.
    Endless,
    /// With it, the names would be longer than the file.
    Overlapping,
}

impl BadName {
    /// For an error that names the section.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Outside => "a name outside the string table",
            Self::Endless => "a name without an end",
            Self::Overlapping => "its names overlap: together they are longer than the file",
        }
    }
}

impl<'d> StringTable<'d> {
    /// The string table of a file of `file_size` bytes.
    pub(crate) fn new(bytes: &'d [u8], file_size: u64) -> Self {
        let left = usize::try_from(file_size).unwrap_or(usize::MAX);
        Self {
            bytes,
            left: Cell::new(left),
        }
    }

    /// The name at `offset`.
    ///
    /// # Errors
    /// It lies outside the table, has no end, or is more than may be taken.
    pub(crate) fn at(&self, offset: u64) -> Result<&'d [u8], BadName> {
        let rest = self.from(offset).ok_or(BadName::Outside)?;
        let near = rest.get(..LONGEST).unwrap_or(rest);
        let end = self.find_end(near)?.ok_or(BadName::Endless)?;
        rest.get(..end).ok_or(BadName::Outside)
    }

    /// As [`StringTable::at`], but a name may have any length, and the last may lack its end.
    ///
    /// # Errors
    /// It lies outside the table, or is more than may be taken.
    pub(crate) fn at_without_end(&self, offset: u64) -> Result<&'d [u8], BadName> {
        let rest = self.from(offset).ok_or(BadName::Outside)?;
        let end = self.find_end(rest)?.unwrap_or(rest.len());
        rest.get(..end).ok_or(BadName::Outside)
    }

    /// Whether the name at `offset` starts so. Its end is not looked for. `None` if it lies outside the
    /// table.
    pub(crate) fn starts_with(&self, offset: u64, start: &[u8]) -> Option<bool> {
        Some(self.from(offset)?.starts_with(start))
    }

    fn from(&self, offset: u64) -> Option<&'d [u8]> {
        let rest = self.bytes.get(usize::try_from(offset).ok()?..)?;
        (!rest.is_empty()).then_some(rest)
    }

    /// Where the name at the start of `rest` ends, if it does. All bytes that were looked at count as
    /// taken.
    fn find_end(&self, rest: &[u8]) -> Result<Option<usize>, BadName> {
        let left = self.left.get();
        let near = rest.get(..left.saturating_add(1)).unwrap_or(rest);
        let end = memchr::memchr(0, near);
        let taken = end.unwrap_or(near.len());
        work::count(taken);
        self.left.set(left.saturating_sub(taken));
        match taken > left {
            true => Err(BadName::Overlapping),
            false => Ok(end),
        }
    }
}

/// The NUL-terminated string at `offset`, for tables whose strings cannot overlap.
pub(crate) fn string_at(table: &[u8], offset: u64) -> Option<&[u8]> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    let rest = rest.get(..LONGEST).unwrap_or(rest);
    rest.get(..memchr::memchr(0, rest)?)
}
