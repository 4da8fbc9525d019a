//! Finds NUL-terminated names in a string table.
//!
//! Names may share their ends, so a small table can be full of long names: 375 kB of symbols that
//! point at one string of as much gave 1.5 GB of names. The names taken from a table together are
//! therefore no longer than the file. Those of a real file are not: each has a symbol, a version or
//! an entry of some table, and linkers share few ends.

use std::cell::Cell;

use crate::work;

/// The longest name: eight times the kernel's KSYM_NAME_LEN (linux/include/linux/kallsyms.h).
const LONGEST: usize = 4096;

/// A string table, and how many bytes of names may still be taken from it.
pub(crate) struct StringTable<'d> {
    bytes: &'d [u8],
    left: Cell<usize>,
}

/// Why there is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadName {
    /// It lies outside the table.
    Outside,
    /// It has no end, or one that is too far.
    Endless,
    /// The names that were taken so far are as long as the file.
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

    /// As [`StringTable::at`], but the last name of the table may lack its end, and any may be long.
    ///
    /// # Errors
    /// It lies outside the table, or is more than may be taken.
    pub(crate) fn at_without_end(&self, offset: u64) -> Result<&'d [u8], BadName> {
        let rest = self.from(offset).ok_or(BadName::Outside)?;
        let end = self.find_end(rest)?.unwrap_or(rest.len());
        rest.get(..end).ok_or(BadName::Outside)
    }

    /// Whether the name at `offset` starts so; its end is not looked for. `None` if it lies outside
    /// the table.
    pub(crate) fn starts_with(&self, offset: u64, start: &[u8]) -> Option<bool> {
        Some(self.from(offset)?.starts_with(start))
    }

    fn from(&self, offset: u64) -> Option<&'d [u8]> {
        let rest = self.bytes.get(usize::try_from(offset).ok()?..)?;
        (!rest.is_empty()).then_some(rest)
    }

    /// Where the first name ends, if it has an end. What was looked at is taken, be it a name or not.
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
