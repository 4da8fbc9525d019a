//! Module files in, what the indexes are made of out, read on all processors.

use kmodule::{Arena, AsKmod, Image, KmodSymbols};
use rayon::prelude::*;

use crate::module_file::ModuleFile;
use crate::strings::Strings;

/// What a module says of itself, in the order it says it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) aliases: Strings,
    pub(crate) softdeps: Strings,
    pub(crate) weakdeps: Strings,
    pub(crate) exports: Strings,
    pub(crate) imports: Strings,
    /// What else reports of missing symbols need, one for each export and each import; empty
    /// where none are made.
    pub(crate) export_crcs: Vec<u64>,
    pub(crate) import_details: Vec<ImportDetail>,
}

/// What a module expects of a symbol it imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImportDetail {
    pub(crate) weak: bool,
    pub(crate) crc: u64,
}

/// Reads every module; what of a damaged one cannot be read is left out, with a message.
pub(crate) fn read_all(files: &[ModuleFile], details: bool) -> Vec<Facts> {
    let read: Vec<(Facts, Option<kmodule::Error>)> = files
        .par_iter()
        .map_init(Arena::new, |arena, file| {
            arena.reset();
            let mut facts = Facts::default();
            let result = read(&mut facts, file, arena, details);
            (facts, result.err())
        })
        .collect();
    read.into_iter()
        .map(|(facts, error)| {
            if let Some(error) = error {
                log::error!("failed to load symbols from {error}");
            }
            facts
        })
        .collect()
}

/// # Errors
/// As kmod tells them: not one ELF section can be read, or the exports cannot. Facts read until
/// then are kept.
fn read(
    facts: &mut Facts,
    file: &ModuleFile,
    arena: &Arena,
    details: bool,
) -> Result<(), kmodule::Error> {
    let image = Image::open(file.path())?;
    let module = AsKmod::parse(&image, arena)?;
    match module.modinfo() {
        Ok(fields) => facts.add_modinfo(fields),
        Err(error) => log::debug!("{error}"),
    }
    let KmodSymbols { exports, imports } = module.symbols();
    match imports {
        Ok(imports) => {
            facts.imports = imports.iter().map(|import| import.name).collect();
            if details {
                let detail = |import: &kmodule::KmodImport<'_>| ImportDetail {
                    weak: import.weak,
                    crc: import.crc,
                };
                facts.import_details = imports.iter().map(detail).collect();
            }
        }
        Err(error) => log::debug!("no dependencies of {error}"),
    }
    let exports = exports?;
    facts.exports = exports.iter().map(|export| export.name).collect();
    if details {
        facts.export_crcs = exports.iter().map(|export| module.crc(export)).collect();
    }
    Ok(())
}

impl Facts {
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
