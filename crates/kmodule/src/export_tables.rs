//! Finds the sections that the loader reads exports from, and which of them belong together.
//!
//! `__ksymtab` has names, `__kcrctab` their CRCs. Until 7.0 GPL-only symbols have tables of
//! their own, which end in `_gpl`. Since then `__kflagstab` has a byte with flags for each entry
//! of the one `__ksymtab` (linux/kernel/module/main.c, `find_module_sections`).

use crate::elf::Elf;
use crate::error::{Problem, Result};
use crate::section::Section;

/// A section, and its index in the section table.
pub(crate) type Indexed<'e, 'd> = (usize, &'e Section<'d>);

/// A `__ksymtab*` and what belongs to it.
pub(crate) struct ExportTable<'e, 'd> {
    pub(crate) ksymtab: Indexed<'e, 'd>,
    pub(crate) kcrctab: Option<Indexed<'e, 'd>>,
    kflagstab: Option<Indexed<'e, 'd>>,
    is_gpl: bool,
}

/// Which tables of exports a module has, for the loader asks for some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportTables {
    /// It exports anything.
    pub symbols: bool,
    /// Each table of symbols has a table of CRCs.
    pub crcs: bool,
    /// There is a `__kflagstab`.
    pub flags: bool,
}

/// What follows `__ksymtab` in the names of tables. Before 5.12 there were those of unused and
/// future symbols, too (linux/include/linux/module.h of that time).
const SUFFIXES: [&[u8]; 5] = [b"", b"_gpl", b"_gpl_future", b"_unused", b"_unused_gpl"];

/// `KSYM_FLAG_GPL_ONLY` (linux/include/linux/module_symbol.h).
const GPL_ONLY: u8 = 1;

/// The tables that hold anything.
///
/// # Errors
/// A `__kcrctab*` has no `__ksymtab*`, or a table is there twice.
pub(crate) fn export_tables<'e, 'd>(elf: &'e Elf<'d>) -> Result<Vec<ExportTable<'e, 'd>>> {
    let mut ksymtabs = [None; SUFFIXES.len()];
    let mut kcrctabs = [None; SUFFIXES.len()];
    let mut kflagstab = [None; 1];
    for indexed @ (_, section) in elf.sections.iter().enumerate() {
        let Some(name) = section.name.strip_prefix(b"__k") else {
            continue;
        };
        if section.size == 0 {
            continue;
        }
        if let Some(suffix) = name.strip_prefix(b"symtab") {
            keep(&mut ksymtabs, suffix, indexed)?;
        } else if let Some(suffix) = name.strip_prefix(b"crctab") {
            keep(&mut kcrctabs, suffix, indexed)?;
        } else if let Some(suffix) = name.strip_prefix(b"flagstab") {
            keep(&mut kflagstab, suffix, indexed)?;
        }
    }
    let [kflagstab] = kflagstab;
    let mut tables = Vec::new();
    for ((suffix, ksymtab), kcrctab) in SUFFIXES.into_iter().zip(ksymtabs).zip(kcrctabs) {
        match (ksymtab, kcrctab) {
            (Some(ksymtab), kcrctab) => tables.push(ExportTable {
                ksymtab,
                kcrctab,
                kflagstab: kflagstab.filter(|_| suffix.is_empty()),
                is_gpl: suffix.ends_with(b"_gpl"),
            }),
            (None, Some((_, kcrctab))) => return Err(kcrctab.bad("no __ksymtab belongs to it")),
            (None, None) => {}
        }
    }
    Ok(tables)
}

/// Puts a section into the place of its suffix; one with any other suffix is no table.
fn keep<'e, 'd>(
    places: &mut [Option<Indexed<'e, 'd>>],
    suffix: &[u8],
    indexed: Indexed<'e, 'd>,
) -> Result<()> {
    let number = SUFFIXES.iter().position(|known| *known == suffix);
    match number.and_then(|number| places.get_mut(number)) {
        None => Ok(()),
        Some(Some(_)) => Err(indexed.1.bad("it is there twice")),
        Some(place) => {
            *place = Some(indexed);
            Ok(())
        }
    }
}

impl<'d> ExportTable<'_, 'd> {
    /// Whether each of its `count` entries is GPL-only.
    pub(crate) fn gpl_flags(&self, elf: &Elf<'d>, count: usize) -> Result<Vec<bool>> {
        let Some((_, section)) = self.kflagstab else {
            return Ok(vec![self.is_gpl; count]);
        };
        let flags = elf.data(section)?;
        match flags.len() == count {
            true => Ok(flags.iter().map(|flags| flags & GPL_ONLY != 0).collect()),
            false => Err(section.bad("it has not one byte for each export")),
        }
    }
}

impl ExportTables {
    pub(crate) fn of(tables: &[ExportTable<'_, '_>]) -> Self {
        Self {
            symbols: !tables.is_empty(),
            crcs: tables.iter().all(|table| table.kcrctab.is_some()),
            flags: tables.iter().any(|table| table.kflagstab.is_some()),
        }
    }
}

/// The section that names and namespaces of all tables lie in.
pub(crate) fn strings<'e, 'd>(elf: &'e Elf<'d>) -> Result<Indexed<'e, 'd>> {
    elf.sections
        .iter()
        .enumerate()
        .find(|(_, section)| section.name == b"__ksymtab_strings")
        .ok_or(Problem::NoSection("__ksymtab_strings"))
}
