//! Finds the module files of a tree, one for each module name.
//!
//! Depth first, in the order the file system lists them, through symbolic links
//! (kmod/tools/depmod.c, `depmod_modules_search_dir`): which of several copies counts depends on
//! it. The order is made of the order in each directory, so a run that is given a list of changes
//! lists only the directories again that the list names.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facts::{
    DirectoryEntry, DirectoryIdentity, DirectoryListing, EntryKind, ListedDirectory, StoreHead,
    StoredId, StoredListing,
};
use hashbrown::HashMap;
use kmod_conf::DepmodConfig;

use crate::changed_below::ChangedBelow;
use crate::copies::first_stays;
use crate::error::Error;
use crate::module::InStore;
use crate::module_path::{ModulePath, below, is_module};
use crate::way_down::WayDown;

/// A module file, and whether the store has its facts.
pub(crate) type FoundFile<'s> = (ModulePath, InStore<'s>);

/// What is below some directories.
pub(crate) struct Walked<'s> {
    /// The module files, in no order.
    pub(crate) files: Vec<FoundFile<'s>>,
    /// The directories they were looked for in.
    pub(crate) directories: Vec<ListedDirectory>,
}

/// Finds every module below a release's directory and the external ones. What is not on the list of
/// changes, if there is one, is taken to be as the store has it.
///
/// # Errors
/// The release's directory cannot be read.
pub(crate) fn find<'s>(
    directory: &Path,
    config: &DepmodConfig,
    store: &StoreHead<'s>,
    changed: Option<&[PathBuf]>,
) -> Result<Walked<'s>, Error> {
    let bytes = directory.as_os_str().as_bytes();
    let mut walk = Walk {
        config,
        directory: bytes,
        store,
        changed: None,
        found: HashMap::with_capacity(store.len()),
        way: WayDown::new(),
        directories: Vec::new(),
    };
    let roots = std::iter::once(bytes).chain(config.externals.iter().map(Vec::as_slice));
    for (number, root) in roots.enumerate() {
        walk.changed = changed
            .filter(|_| walk.is_same_directory(root))
            .map(|changed| ChangedBelow::new(root, directory, changed));
        match (number, walk.enter(root, false, false)) {
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
        directories: walk.directories,
    })
}

struct Walk<'w, 's> {
    config: &'w DepmodConfig,
    directory: &'w [u8],
    store: &'w StoreHead<'s>,
    /// What has changed below the root that is walked; `None` if that is not known.
    changed: Option<ChangedBelow>,
    /// Files by the names of their modules.
    found: HashMap<Vec<u8>, FoundFile<'s>>,
    way: WayDown,
    directories: Vec<ListedDirectory>,
}

impl<'w, 's> Walk<'w, 's> {
    /// What the store knows of a directory.
    fn stored(&self, directory: &[u8]) -> Option<StoredListing<'w, 's>> {
        self.store.listing(below(directory, self.directory))
    }

    /// Whether the store is about this root, and not about one that was copied or mounted in its
    /// place.
    fn is_same_directory(&self, root: &[u8]) -> bool {
        let now = DirectoryIdentity::of(root).ok();
        let stored = self.stored(root).map(|stored| stored.listing().identity);
        stored.is_some() && now == stored
    }

    /// Walks a directory. Only opening the directory itself may fail; what is wrong inside is logged
    /// and passed over.
    ///
    /// A link that leads back up the way is not followed. The list of changes says nothing of what lies behind a link, nor in a directory that has changed with all
    /// it holds: then `is_unknown` is set.
    fn enter(&mut self, directory: &[u8], is_link: bool, is_unknown: bool) -> io::Result<()> {
        let changed = self.changed.as_ref().filter(|_| !is_unknown);
        let is_whole = changed.is_none_or(|changed| changed.is_whole(directory));
        let is_spared = !is_whole && changed.is_some_and(|changed| !changed.is_parent(directory));
        let stored = self.stored(directory);
        let current = stored.filter(|stored| is_spared || stored.listing().is_current(directory));
        let listing = match current {
            Some(stored) => Arc::clone(stored.listing()),
            None => Arc::new(DirectoryListing::read(directory, is_module)?),
        };
        if !self.way.enter(listing.identity, is_link) {
            log::debug!("{} leads back, or to too many", display(directory));
            return Ok(());
        }
        let by_name = match (current, stored) {
            (None, Some(stored)) => stored.modules_by_name(),
            _ => HashMap::new(),
        };
        for (entry, DirectoryEntry { name, kind }) in listing.entries.iter().enumerate() {
            if self.is_excluded(name) {
                continue;
            }
            let path = [directory, b"/", name].concat();
            let is_link = *kind == EntryKind::Other;
            let target = match kind {
                EntryKind::Other => kind_behind(&path),
                kind => Ok(*kind),
            };
            match target {
                Ok(EntryKind::Directory) => {
                    if let Err(error) = self.enter(&path, is_link, is_whole || is_link) {
                        log::error!("could not open directory {}: {error}", display(&path));
                    }
                }
                Ok(EntryKind::File) if is_module(name) => {
                    let stored = match current {
                        Some(stored) => stored.module(entry),
                        None => by_name.get(&name[..]).copied(),
                    };
                    self.add(path, stored, is_whole || is_link);
                }
                Ok(EntryKind::File) => {}
                Ok(EntryKind::Other) => log::error!("unsupported file type {}", display(&path)),
                Err(error) => log::error!("could not stat {}: {error}", display(&path)),
            }
        }
        self.way.leave();
        self.directories.push(ListedDirectory {
            path: below(directory, self.directory).to_vec(),
            listing,
        });
        Ok(())
    }

    fn is_excluded(&self, name: &[u8]) -> bool {
        matches!(name, b"build" | b"source")
            || self.config.excludes.iter().any(|other| other == name)
    }

    fn add(&mut self, path: Vec<u8>, stored: Option<StoredId<'s>>, is_unknown: bool) {
        let changed = self.changed.as_ref().filter(|_| !is_unknown);
        let is_same = changed.is_some_and(|changed| !changed.has(&path));
        let in_store = match stored {
            Some(id) if is_same => InStore::Unchanged(id),
            Some(id) => InStore::MayHaveChanged(id),
            None => InStore::No,
        };
        let file = ModulePath::new(path, self.directory);
        if let Some((other, _)) = self.found.get(file.name()) {
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
        self.found.insert(file.name().to_vec(), (file, in_store));
    }
}

/// What a link leads to.
fn kind_behind(path: &[u8]) -> io::Result<EntryKind> {
    let meta = fs::metadata(OsStr::from_bytes(path))?;
    Ok(match (meta.is_file(), meta.is_dir()) {
        (true, _) => EntryKind::File,
        (_, true) => EntryKind::Directory,
        _ => EntryKind::Other,
    })
}

fn display(path: &[u8]) -> std::path::Display<'_> {
    Path::new(OsStr::from_bytes(path)).display()
}
