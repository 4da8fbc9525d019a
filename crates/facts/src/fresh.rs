//! Reads from a module file the facts that kmod's depmod finds in it.

use std::path::Path;

use kmodule::{AsKmod, Crc, KmodImport, KmodSymbols, Reader};

use crate::strings::Strings;

/// The facts of a module that was read in this run, each kind in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreshFacts {
    /// Values of `alias=`.
    pub aliases: Strings,
    /// Values of `softdep=`.
    pub softdeps: Strings,
    /// Values of `weakdep=`.
    pub weakdeps: Strings,
    /// Symbols that kmod takes for exported.
    pub exports: Strings,
    /// Symbols that it needs, as they are spelled in the file.
    pub imports: Strings,
    /// What reports about missing symbols need beside, if such reports are made.
    pub details: SymbolDetails,
}

/// What is known of a module's symbols beside their names. It is never kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolDetails {
    /// The CRC of each export.
    pub export_crcs: Vec<Option<Crc>>,
    /// One for each import.
    pub imports: Vec<ImportDetail>,
}

/// What a module expects of a symbol that it imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportDetail {
    /// The module also loads without it.
    pub weak: bool,
    /// The CRC it was built against.
    pub crc: Option<Crc>,
}

impl FreshFacts {
    /// Reads a module. What cannot be read of a damaged one is left out. The error is the one that
    /// kmod complains of: no section can be read, or the exports cannot.
    pub fn read(path: &Path, reader: &mut Reader, details: bool) -> (Self, Option<kmodule::Error>) {
        let mut facts = Self::default();
        let result = reader.as_kmod(path, |module| facts.fill(module, details));
        let error = match result {
            Ok(filled) => filled.err(),
            Err(error) => Some(error),
        };
        (facts, error)
    }

    fn fill(&mut self, module: &AsKmod<'_>, details: bool) -> Result<(), kmodule::Error> {
        match module.modinfo() {
            Ok(fields) => self.add_modinfo(fields),
            Err(error) => log::debug!("{error}"),
        }
        let KmodSymbols { exports, imports } = module.symbols();
        match imports {
            Ok(imports) => {
                self.imports = imports.iter().map(|import| import.name).collect();
                if details {
                    self.details.imports = imports.iter().map(ImportDetail::from).collect();
                }
            }
            Err(error) => log::debug!("no dependencies of {error}"),
        }
        let exports = exports?;
        self.exports = exports.iter().map(|export| export.name).collect();
        if details {
            let crc = |export| known_crc(module.crc(export));
            self.details.export_crcs = exports.iter().map(crc).collect();
        }
        Ok(())
    }

    fn add_modinfo<'d>(&mut self, fields: impl Iterator<Item = (&'d [u8], &'d [u8])>) {
        for (key, value) in fields {
            match key {
                b"alias" => self.aliases.push(value),
                b"softdep" => self.softdeps.push(value),
                b"weakdep" => self.weakdeps.push(value),
                _ => {}
            }
        }
    }
}

impl From<&KmodImport<'_>> for ImportDetail {
    fn from(import: &KmodImport<'_>) -> Self {
        Self {
            weak: import.weak,
            crc: known_crc(import.crc),
        }
    }
}

/// kmod has CRCs in 64 bits: 0 where a module has none, and all bits set where it cannot be read.
fn known_crc(crc: u64) -> Option<Crc> {
    Crc::try_from(crc).ok().filter(|&crc| crc != 0)
}
