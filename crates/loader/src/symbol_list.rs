//! Lists the symbols that a module imports and exports, before they have numbers.

use std::ops::Range;

use kmodule::Crc;

/// A symbol that a module imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportedSymbol<'f> {
    /// Its name.
    pub name: &'f [u8],
    /// What the version table says of it.
    pub version: Version,
    /// The module loads without it, too.
    pub weak: bool,
}

/// A symbol that a module exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportedSymbol<'f> {
    /// Its name.
    pub name: &'f [u8],
    /// `None` where the build could not compute one, or the module has no table of CRCs.
    pub crc: Option<Crc>,
    /// The namespace that a module must import to use it.
    pub namespace: Option<&'f [u8]>,
    /// Only modules with a GPL-compatible licence may use it.
    pub gpl_only: bool,
}

/// What a version table says of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Nothing.
    Unlisted,
    /// The CRC it expects; `None` where the build of the exporter could not compute one.
    Listed(Option<Crc>),
}

/// The symbols that a module imports and exports, with all names in one text.
#[derive(Clone, Debug, Default)]
pub struct SymbolList {
    text: Vec<u8>,
    imports: Vec<Import>,
    exports: Vec<Export>,
}

/// An import, its name as a part of the text.
#[derive(Clone, Debug)]
struct Import {
    name: Range<usize>,
    version: Version,
    weak: bool,
}

/// An export, its names as parts of the text.
#[derive(Clone, Debug)]
struct Export {
    name: Range<usize>,
    crc: Option<Crc>,
    namespace: Option<Range<usize>>,
    gpl_only: bool,
}

impl SymbolList {
    /// Adds a symbol that it imports. The loader meets them in this order.
    pub fn add_import(&mut self, import: &ImportedSymbol<'_>) {
        let name = self.add(import.name);
        self.imports.push(Import {
            name,
            version: import.version,
            weak: import.weak,
        });
    }

    /// Adds a symbol that it exports.
    pub fn add_export(&mut self, export: &ExportedSymbol<'_>) {
        let name = self.add(export.name);
        let namespace = export.namespace.map(|space| self.add(space));
        self.exports.push(Export {
            name,
            crc: export.crc,
            namespace,
            gpl_only: export.gpl_only,
        });
    }

    /// The symbols it imports, in the order the loader meets them.
    pub fn imports(&self) -> impl Iterator<Item = ImportedSymbol<'_>> {
        let imports = self.imports.iter();
        imports.map(|import| ImportedSymbol {
            name: self.name(&import.name),
            version: import.version,
            weak: import.weak,
        })
    }

    /// The symbols it exports.
    pub fn exports(&self) -> impl Iterator<Item = ExportedSymbol<'_>> {
        let exports = self.exports.iter();
        exports.map(|export| {
            let namespace = export.namespace.as_ref();
            ExportedSymbol {
                name: self.name(&export.name),
                crc: export.crc,
                namespace: namespace.map(|space| self.name(space)),
                gpl_only: export.gpl_only,
            }
        })
    }

    fn add(&mut self, name: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(name);
        start..self.text.len()
    }

    fn name(&self, range: &Range<usize>) -> &[u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }
}
