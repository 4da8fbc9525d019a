//! One section header of an ELF file.

use std::cell::OnceCell;

use object::elf::{SectionFlags, SectionType};

use crate::error::Problem;

/// A section header, and the contents once they have been read.
pub(crate) struct Section<'d> {
    pub(crate) name: &'d [u8],
    pub(crate) kind: SectionType,
    pub(crate) flags: SectionFlags,
    pub(crate) address: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) link: u32,
    pub(crate) info: u32,
    pub(crate) contents: OnceCell<&'d [u8]>,
}

impl Section<'_> {
    /// Where it ends in the file.
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }

    /// What is wrong with it.
    pub(crate) fn bad(&self, reason: &'static str) -> Problem {
        Problem::bad_section(&self.display_name(), reason)
    }

    pub(crate) fn display_name(&self) -> String {
        String::from_utf8_lossy(self.name).into_owned()
    }
}
