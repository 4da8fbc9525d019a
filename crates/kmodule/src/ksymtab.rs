//! Reads `__ksymtab*`: the names and namespaces of exported symbols.
//!
//! An entry is `{ value, name, namespace }`, before 5.4 without the namespace. Its fields are
//! 32-bit distances from themselves where the architecture has PREL32 relocations, else pointers
//! (linux/include/linux/export-internal.h, before 6.5 linux/include/linux/export.h).

use crate::elf::Elf;
use crate::error::Result;
use crate::export_tables::{ExportTable, Indexed, strings};
use crate::pointers::{Lead, Pointers};
use crate::strings::StringTable;
use crate::symbols::SymbolTable;

/// What all `__ksymtab*` of a file have in common: where their names are.
pub(crate) struct Ksymtabs<'e, 'd> {
    elf: &'e Elf<'d>,
    symbols: Option<&'e SymbolTable<'e, 'd>>,
    section: Indexed<'e, 'd>,
    text: &'d [u8],
}

/// The entries of one `__ksymtab*`.
pub(crate) struct Entries<'e, 'd> {
    table: Indexed<'e, 'd>,
    pub(crate) layout: Layout,
    pub(crate) names: Vec<&'d [u8]>,
    pointers: Pointers<'d>,
}

impl<'e, 'd> Ksymtabs<'e, 'd> {
    /// # Errors
    /// There is no section with the names.
    pub(crate) fn new(elf: &'e Elf<'d>, symbols: Option<&'e SymbolTable<'e, 'd>>) -> Result<Self> {
        let section = strings(elf)?;
        Ok(Self {
            elf,
            symbols,
            section,
            text: elf.data(section.1)?,
        })
    }

    /// The entries of a table, in its order.
    ///
    /// # Errors
    /// No layout of the size of the table leads to names.
    pub(crate) fn entries(&self, table: &ExportTable<'e, 'd>) -> Result<Entries<'e, 'd>> {
        let pointers = self.pointers(table.ksymtab)?;
        let (_, ksymtab) = table.ksymtab;
        let kcrctab = table.kcrctab.map(|(_, kcrctab)| kcrctab.size);
        let (layout, names) = Layout::candidates(self.elf.is_64, ksymtab.size, kcrctab)
            .find_map(|layout| Some((layout, layout.names(&pointers, &self.strings())?)))
            .ok_or_else(|| ksymtab.bad("its entries do not lead to names"))?;
        Ok(Entries {
            table: table.ksymtab,
            layout,
            names,
            pointers,
        })
    }

    /// The namespace of each entry.
    ///
    /// # Errors
    /// A field leads neither nowhere nor to a string.
    pub(crate) fn namespaces(&self, entries: &Entries<'e, 'd>) -> Result<Vec<Option<&'d [u8]>>> {
        let (_, ksymtab) = entries.table;
        let layout = entries.layout;
        let strings = self.strings();
        (0..layout.count)
            .map(|entry| layout.namespace(entry, &entries.pointers, &strings))
            .collect::<Option<_>>()
            .ok_or_else(|| ksymtab.bad("its entries do not lead to namespaces"))
    }

    fn strings(&self) -> StringTable<'d> {
        StringTable::new(self.text, self.elf.bytes.size())
    }

    fn pointers(&self, (index, ksymtab): Indexed<'_, 'd>) -> Result<Pointers<'d>> {
        let (strings, section) = self.section;
        match (self.elf.is_relocatable, self.symbols) {
            (false, _) => Pointers::linked(self.elf, ksymtab, section),
            (true, Some(symbols)) => Pointers::relocated(self.elf, index, strings, symbols),
            (true, None) => Err(ksymtab.bad("the symbol table that names its entries is stripped")),
        }
    }
}

/// How the entries of one table are laid out.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) count: u64,
    entry: u64,
    field: u64,
    /// The size of a CRC in the table beside it.
    pub(crate) crc: u64,
}

impl Layout {
    /// What the sizes of the tables allow. On 64 bits the tables of 4.19 to 5.3
    /// (entries of 8 bytes, CRCs of 4) and those before 4.11 (16 and 8) have
    /// the same proportion, and without CRCs every size allows several; only
    /// the names tell them apart.
    fn candidates(is_64: bool, ksymtab: u64, kcrctab: Option<u64>) -> impl Iterator<Item = Self> {
        const SHAPES: [(u64, u64, u64); 5] =
            [(8, 4, 4), (12, 4, 4), (16, 8, 4), (24, 8, 4), (16, 8, 8)];
        SHAPES.into_iter().filter_map(move |(entry, field, crc)| {
            let layout = Self {
                count: ksymtab / entry,
                entry,
                field,
                crc,
            };
            let fits = ksymtab % entry == 0
                && kcrctab.is_none_or(|size| size == layout.count * crc)
                && (is_64 || field == 4);
            fits.then_some(layout)
        })
    }

    /// The names of all entries; `None` if one has none.
    fn names<'d>(
        self,
        pointers: &Pointers<'_>,
        strings: &StringTable<'d>,
    ) -> Option<Vec<&'d [u8]>> {
        (0..self.count)
            .map(|entry| {
                let place = pointers.lead(entry * self.entry + self.field, self.field)?;
                strings.at(place).ok().filter(|name| !name.is_empty())
            })
            .collect()
    }

    /// The namespace of an entry, which may be none; `None` if its field leads elsewhere.
    fn namespace<'d>(
        self,
        entry: u64,
        pointers: &Pointers<'_>,
        strings: &StringTable<'d>,
    ) -> Option<Option<&'d [u8]>> {
        if self.entry < 3 * self.field {
            return Some(None);
        }
        match pointers.lead_or_null(entry * self.entry + 2 * self.field, self.field) {
            Lead::Null => Some(None),
            Lead::Elsewhere => None,
            Lead::To(place) => {
                let namespace = strings.at(place).ok()?;
                Some(Some(namespace).filter(|namespace| !namespace.is_empty()))
            }
        }
    }
}
