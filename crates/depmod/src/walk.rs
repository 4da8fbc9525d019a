//! Directories in, the module files in them out, one for each name.
//!
//! Depth first, in the order the file system lists them, through symbolic links
//! (kmod/tools/depmod.c, `depmod_modules_search_dir`): which of several copies counts depends on
//! it. The order is that of each directory by itself, so of a list of changes only the directories
//! in it are listed anew.

use hashbrown::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use facts::{Kept, Kind, KnownListing, Listing, Store};

use crate::changes::Changes;
use crate::contest::first_stays;
use crate::error::Error;
use crate::module_file::{ModuleFile, Past, is_module, shown};
use kmod_conf::DepmodConfig;

/// What was found.
pub(crate) struct Walked {
    /// The module files, in no order.
    pub(crate) files: Vec<ModuleFile>,
    /// The directories they were found in, as indexes would call them.
    pub(crate) listings: Vec<(Vec<u8>, Arc<Listing>)>,
}

/// Every module below a release's directory and the external ones. What is not among the changes,
/// if there are any known, is taken to be as the store has it.
///
/// # Errors
/// The release's directory cannot be read.
pub(crate) fn find(
    directory: &Path,
    config: &DepmodConfig,
    store: &Store,
    changed: Option<&[std::path::PathBuf]>,
) -> Result<Walked, Error> {
    let bytes = directory.as_os_str().as_bytes();
    let mut walk = Walk {
        config,
        directory: bytes,
        store,
        changes: None,
        found: HashMap::with_capacity(store.len()),
        listings: Vec::new(),
    };
    let roots = std::iter::once(bytes).chain(config.externals.iter().map(Vec::as_slice));
    let roots: Vec<_> = roots.collect();
    for (number, &root) in roots.iter().enumerate() {
        walk.changes = changed
            .filter(|_| walk.is_same_directory(root))
            .map(|changed| Changes::below(root, directory, changed));
        let entered = walk.enter(root, false);
        match (number, entered) {
            (_, Ok(())) => {}
            (0, Err(source)) => {
                let path = directory.to_owned();
                return Err(Error::Search { path, source });
            }
            (_, Err(error)) => {
                log::error!("could not open directory {}: {error}", display(root));
            }
        }
    }
    Ok(Walked {
        files: walk.found.into_values().collect(),
        listings: walk.listings,
    })
}

struct Walk<'c> {
    config: &'c DepmodConfig,
    directory: &'c [u8],
    store: &'c Store,
    /// What has changed in the root that is walked; `None` where that is not known.
    changes: Option<Changes>,
    found: HashMap<Vec<u8>, ModuleFile>,
    listings: Vec<(Vec<u8>, Arc<Listing>)>,
}

impl<'c> Walk<'c> {
    /// What the store knows of a directory.
    fn known(&self, directory: &[u8]) -> Option<&'c KnownListing> {
        self.store.listing(shown(directory, self.directory))
    }

    /// Whether the store is about this root, and not about one that has been copied or mounted in its
    /// place.
    fn is_same_directory(&self, root: &[u8]) -> bool {
        let now = Listing::identity_of(root).ok();
        let known = self.known(root).map(|known| known.listing.identity);
        known.is_some() && now == known
    }

    /// Only opening the directory itself may fail; what is wrong inside is told and passed over.
    ///
    /// A link that leads back up ends where the system refuses to follow more links. Nothing is
    /// known of what lies behind one, nor in a directory that has changed with all it holds.
    fn enter(&mut self, directory: &[u8], is_unknown: bool) -> io::Result<()> {
        let changes = self.changes.as_ref().filter(|_| !is_unknown);
        let is_whole = changes.is_none_or(|changes| changes.is_whole(directory));
        let is_told = !is_whole && changes.is_some_and(|changes| !changes.is_inside(directory));
        let known = self.known(directory);
        let current = known.filter(|known| is_told || known.listing.is_current(directory));
        let listing = match current {
            Some(known) => Arc::clone(&known.listing),
            None => Arc::new(Listing::read(directory, is_module)?),
        };
        let others = match (current, known) {
            (None, Some(known)) => known.kept_by_name(),
            _ => HashMap::new(),
        };
        for (entry, (name, kind)) in listing.entries.iter().enumerate() {
            if self.is_excluded(name) {
                continue;
            }
            let path = [directory, b"/", name].concat();
            let resolved = match kind {
                Kind::Other => resolve(&path),
                kind => Ok(*kind),
            };
            let is_link = *kind == Kind::Other;
            match resolved {
                Ok(Kind::Directory) => {
                    if let Err(error) = self.enter(&path, is_whole || is_link) {
                        log::error!("could not open directory {}: {error}", display(&path));
                    }
                }
                Ok(Kind::File) if is_module(name) => {
                    let kept = match current {
                        Some(known) => known.kept(entry),
                        None => others.get(&name[..]).copied(),
                    };
                    self.add(path, kept, is_whole || is_link);
                }
                Ok(Kind::File) => {}
                Ok(Kind::Other) => log::error!("unsupported file type {}", display(&path)),
                Err(error) => log::error!("could not stat {}: {error}", display(&path)),
            }
        }
        let key = shown(directory, self.directory).to_vec();
        self.listings.push((key, listing));
        Ok(())
    }

    fn is_excluded(&self, name: &[u8]) -> bool {
        matches!(name, b"build" | b"source")
            || self.config.excludes.iter().any(|other| other == name)
    }

    fn add(&mut self, path: Vec<u8>, kept: Option<Kept>, is_unknown: bool) {
        let changes = self.changes.as_ref().filter(|_| !is_unknown);
        let is_same = changes.is_some_and(|changes| !changes.names(&path));
        let mut file = ModuleFile::new(path, self.directory);
        file.past = match kept {
            Some(kept) if is_same => Past::Same(kept),
            Some(kept) => Past::Seen(kept),
            None => Past::Unknown,
        };
        if let Some(other) = self.found.get(file.name()) {
            if first_stays(self.config, self.directory, other, &file) {
                log::debug!(
                    "Ignored lower priority: {}, higher: {}",
                    file.path().display(),
                    other.path().display()
                );
                return;
            }
            log::debug!(
                "Replace lower priority {} with new module {}",
                other.path().display(),
                file.path().display()
            );
        }
        self.found.insert(file.name().to_vec(), file);
    }
}

/// What a link leads to.
fn resolve(path: &[u8]) -> io::Result<Kind> {
    let meta = fs::metadata(OsStr::from_bytes(path))?;
    Ok(match (meta.is_file(), meta.is_dir()) {
        (true, _) => Kind::File,
        (_, true) => Kind::Directory,
        _ => Kind::Other,
    })
}

fn display(path: &[u8]) -> std::path::Display<'_> {
    Path::new(OsStr::from_bytes(path)).display()
}
