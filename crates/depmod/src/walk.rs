//! Directories in, the module files in them out, one for each name.
//!
//! Depth first, in the order the file system lists them, through symbolic links
//! (kmod/tools/depmod.c, `depmod_modules_search_dir`): which of several copies counts depends on
//! it.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::config::Config;
use crate::contest::first_stays;
use crate::error::Error;
use crate::module_file::{ModuleFile, is_module};

/// Every module below a release's directory and the external ones, in no order.
///
/// # Errors
/// The release's directory cannot be read.
pub(crate) fn find(directory: &Path, config: &Config) -> Result<Vec<ModuleFile>, Error> {
    let mut walk = Walk {
        config,
        directory: directory.as_os_str().as_bytes(),
        found: HashMap::new(),
    };
    walk.enter(walk.directory).map_err(|source| Error::Search {
        path: directory.to_owned(),
        source,
    })?;
    for external in &config.externals {
        if let Err(error) = walk.enter(external) {
            log::error!("could not open directory {}: {error}", display(external));
        }
    }
    Ok(walk.found.into_values().collect())
}

struct Walk<'c> {
    config: &'c Config,
    directory: &'c [u8],
    found: HashMap<Vec<u8>, ModuleFile>,
}

impl Walk<'_> {
    /// Only opening the directory itself may fail; what is wrong inside is told and passed over.
    ///
    /// A link that leads back up ends where the system refuses to follow more links.
    fn enter(&mut self, directory: &[u8]) -> io::Result<()> {
        for entry in fs::read_dir(OsStr::from_bytes(directory))? {
            let Ok(entry) = entry else {
                break;
            };
            let name = entry.file_name();
            let name = name.as_bytes();
            if self.is_excluded(name) {
                continue;
            }
            let path = [directory, b"/", name].concat();
            match kind(&entry, &path) {
                Ok(Kind::Directory) => {
                    if let Err(error) = self.enter(&path) {
                        log::error!("could not open directory {}: {error}", display(&path));
                    }
                }
                Ok(Kind::File) if is_module(name) => self.add(path),
                Ok(Kind::File) => {}
                Ok(Kind::Other) => log::error!("unsupported file type {}", display(&path)),
                Err(error) => log::error!("could not stat {}: {error}", display(&path)),
            }
        }
        Ok(())
    }

    fn is_excluded(&self, name: &[u8]) -> bool {
        matches!(name, b"build" | b"source")
            || self.config.excludes.iter().any(|other| other == name)
    }

    fn add(&mut self, path: Vec<u8>) {
        let file = ModuleFile::new(path, self.directory);
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

enum Kind {
    Directory,
    File,
    Other,
}

/// What an entry is, or what it leads to.
fn kind(entry: &DirEntry, path: &[u8]) -> io::Result<Kind> {
    let listed = entry.file_type()?;
    if listed.is_file() {
        return Ok(Kind::File);
    }
    if listed.is_dir() {
        return Ok(Kind::Directory);
    }
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
