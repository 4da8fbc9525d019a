//! A tree and who needs whom in, the bytes of each index out, one file of source for each.

mod alias;
mod alias_bin;
mod builtin_alias_bin;
mod builtin_bin;
mod dep;
mod dep_bin;
mod devname;
mod softdep;
mod symbols;
mod symbols_bin;
mod texts;
mod weakdep;

use std::fs;
use std::sync::OnceLock;

use facts::{AllFacts, Said};
use kmod_index::{Entry, WriteError};
use parallel::map_with;

use self::texts::Texts;
use crate::dependencies::Dependencies;
use crate::error::Error;
use crate::module_file::ModuleFile;
use crate::settings::{Compat, Settings};
use crate::symbol_table::SymbolTable;

/// One index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its file name.
    pub name: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What indexes are made of. A module is its place in `files`.
pub(crate) struct View<'v> {
    settings: &'v Settings,
    files: &'v [ModuleFile],
    facts: &'v AllFacts,
    table: &'v SymbolTable<'v>,
    dependencies: &'v Dependencies,
    symbols: OnceLock<Vec<(&'v [u8], usize)>>,
    lines: OnceLock<Texts>,
}

type Make = fn(&View<'_>) -> Result<Vec<u8>, WriteError>;

/// In the order kmod writes them (kmod/tools/depmod.c, `depmod_output`).
const OUTPUTS: [(&str, Make); 11] = [
    ("modules.dep", |view| Ok(view.lines().bytes().to_vec())),
    ("modules.dep.bin", dep_bin::index),
    ("modules.alias", |view| Ok(alias::text(view))),
    ("modules.alias.bin", alias_bin::index),
    ("modules.softdep", |view| Ok(softdep::text(view))),
    ("modules.weakdep", |view| Ok(weakdep::text(view))),
    ("modules.symbols", |view| Ok(symbols::text(view))),
    ("modules.symbols.bin", symbols_bin::index),
    ("modules.builtin.bin", builtin_bin::index),
    ("modules.builtin.alias.bin", builtin_alias_bin::index),
    ("modules.devname", |view| Ok(devname::text(view))),
];

/// Those that take most of the time.
const LONGEST: [&str; 3] = [
    "modules.alias.bin",
    "modules.symbols.bin",
    "modules.dep.bin",
];

/// The names of all indexes one version writes.
pub(crate) fn names(compat: Compat) -> impl Iterator<Item = &'static str> {
    let known = move |name: &&str| *name != "modules.weakdep" || compat == Compat::Kmod34;
    OUTPUTS.iter().map(|&(name, _)| name).filter(known)
}

/// # Errors
/// A binary index cannot hold what is to go into it.
pub(crate) fn all(view: &View<'_>) -> Result<Vec<Output>, Error> {
    made(view, |_| true)
}

/// # Errors
/// None, for they hold any bytes.
pub(crate) fn texts(view: &View<'_>) -> Result<Vec<Output>, Error> {
    made(view, |name| !name.ends_with(".bin"))
}

fn made(view: &View<'_>, wanted: impl Fn(&str) -> bool + Sync) -> Result<Vec<Output>, Error> {
    let known: Vec<_> = names(view.settings.compat).collect();
    let wanted = |name| known.contains(&name) && wanted(name);
    let mut turns: Vec<_> = (0..).zip(OUTPUTS).collect();
    turns.retain(|&(_, (name, _))| wanted(name));
    // What takes longest begins first, so that none is left when the others are done.
    turns.sort_by_key(|&(_, (name, _))| {
        LONGEST
            .iter()
            .position(|&long| long == name)
            .unwrap_or(LONGEST.len())
    });
    let mut made = map_with(
        &turns,
        || (),
        |(), &(place, (name, make))| {
            let bytes = make(view).map_err(|source| Error::Index { name, source })?;
            Ok((place, Output { name, bytes }))
        },
    )?;
    made.sort_unstable_by_key(|&(place, _): &(usize, _)| place);
    Ok(made.into_iter().map(|(_, output)| output).collect())
}

impl<'v> View<'v> {
    /// A view of modules and what they say, of who exports what and who needs whom.
    pub(crate) fn new(
        settings: &'v Settings,
        files: &'v [ModuleFile],
        facts: &'v AllFacts,
        table: &'v SymbolTable<'v>,
        dependencies: &'v Dependencies,
    ) -> Self {
        Self {
            settings,
            files,
            facts,
            table,
            dependencies,
            symbols: OnceLock::new(),
            lines: OnceLock::new(),
        }
    }

    /// Exported symbols with their modules, for whoever asks first.
    fn symbols(&self) -> &[(&'v [u8], usize)] {
        self.symbols.get_or_init(|| self.table.of_modules())
    }

    /// The lines of modules.dep, each with its line feed, for whoever asks first.
    fn lines(&self) -> &Texts {
        self.lines
            .get_or_init(|| dep::lines(self.files, self.dependencies))
    }

    /// All modules in order.
    fn modules(&self) -> impl Iterator<Item = (&'v ModuleFile, Said<'v>)> {
        self.files.iter().zip(self.facts.iter())
    }

    /// How long all aliases are together.
    fn alias_bytes(&self) -> usize {
        self.facts.iter().map(Said::alias_bytes).sum()
    }

    fn name(&self, module: usize) -> &'v [u8] {
        self.files
            .get(module)
            .map(ModuleFile::name)
            .unwrap_or_default()
    }

    fn index(&self, entries: &[Entry<'_>]) -> Result<Vec<u8>, WriteError> {
        kmod_index::write(entries, self.settings.compat.layout())
    }

    /// One of the lists a kernel is built with; without it there is no index, but an empty file.
    fn list(&self, name: &str) -> Option<Vec<u8>> {
        let directory = &self.settings.directory;
        fs::read(directory.join(name))
            .inspect_err(|error| {
                log::warn!("could not open {name} at {}: {error}", directory.display())
            })
            .ok()
    }
}
