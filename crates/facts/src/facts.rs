//! A module file in, what indexes are made of out: the facts kmod's depmod finds.

use std::path::Path;

use kmodule::{AsKmod, KmodImport, KmodSymbols, Reader};

use crate::strings::Strings;

/// What a module says of itself, in the order it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Values of `alias=`.
    pub aliases: Strings,
    /// Values of `softdep=`.
    pub softdeps: Strings,
    /// Values of `weakdep=`.
    pub weakdeps: Strings,
    /// What kmod takes for exported symbols.
    pub exports: Strings,
    /// Symbols it needs, as they are written in the file.
    pub imports: Strings,
    /// What reports of missing symbols also need, where any are made.
    pub details: Details,
}

/// CRCs, and what may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The CRC of each export.
    pub export_crcs: Vec<u64>,
    /// One for each import.
    pub imports: Vec<ImportDetail>,
}

/// What a module expects of a symbol it imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportDetail {
    /// The module loads without it, too.
    pub weak: bool,
    /// The CRC it expects.
    pub crc: u64,
}

impl Facts {
    /// Reads a module. What of a damaged one cannot be read is left out; the error is that of
    /// which kmod complains: not one section can be read, or the exports cannot.
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
                    let detail = |&KmodImport { weak, crc, .. }: &_| ImportDetail { weak, crc };
                    self.details.imports = imports.iter().map(detail).collect();
                }
            }
            Err(error) => log::debug!("no dependencies of {error}"),
        }
        let exports = exports?;
        self.exports = exports.iter().map(|export| export.name).collect();
        if details {
            self.details.export_crcs = exports.iter().map(|export| module.crc(export)).collect();
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
