//! Indexes in, files in place of the old ones out; at every moment modprobe can work with what is
//! there, and whoever stops us leaves either what was or something the next run mends.
//!
//! Everything is written and synced beside the old files before the first is replaced, so a full
//! or read-only file system changes nothing. Then they are renamed in an order in which the
//! aliases and symbols never lead to a module that modules.dep.bin lacks: modprobe would fail with
//! an error where it could have done nothing.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kmod_index::{Index, Layout};
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::outputs::Output;
use crate::settings::Compat;

/// What names of temporaries have behind that of the file they will be.
const UNFINISHED: &str = ".kmp-depmod-";

const DEP: &str = "modules.dep";
const DEP_BIN: &str = "modules.dep.bin";
/// What leads to the modules of modules.dep.bin.
const LEADING: [&str; 2] = ["modules.alias.bin", "modules.symbols.bin"];

/// A directory indexes are in or will be, locked against other runs.
pub struct Place<'p> {
    directory: &'p Path,
    handle: Option<File>,
}

impl<'p> Place<'p> {
    /// Waits until no other run is at work there. What is to be published must be read after
    /// this, or an older picture could replace a newer one.
    ///
    /// # Errors
    /// The directory cannot be opened; it need not be there.
    pub fn lock(directory: &'p Path) -> Result<Self, Error> {
        let handle = match File::open(directory) {
            Ok(handle) => Some(handle),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::write(directory)(error)),
        };
        if let Some(Err(error)) = handle.as_ref().map(File::lock) {
            // Some network file systems cannot; runs must not overlap there.
            log::debug!("no lock on {}: {error}", directory.display());
        }
        Ok(Self { directory, handle })
    }

    /// Replaces the indexes by these; files that would not change are left alone.
    ///
    /// # Errors
    /// Something cannot be written; nothing has been replaced then, unless renaming itself fails.
    pub fn publish(self, outputs: &[Output], compat: Compat) -> Result<(), Error> {
        let directory = self.directory;
        let handle = match self.handle {
            Some(handle) => handle,
            None => {
                fs::create_dir_all(directory).map_err(Error::write(directory))?;
                File::open(directory).map_err(Error::write(directory))?
            }
        };
        remove_unfinished(directory);
        let stages: Vec<_> = stages(directory, outputs, compat.layout())
            .into_iter()
            .map(|(name, bytes)| Ok((name, stage(directory, name, &bytes)?)))
            .collect::<Result<_, Error>>()?;
        let is_new = stages.iter().any(|(name, _)| *name == DEP);
        for (name, staged) in stages {
            let path = directory.join(name);
            staged
                .persist(&path)
                .map_err(|error| Error::write(&path)(error.error))?;
        }
        if !is_new {
            touch(&directory.join(DEP));
        }
        sync(&handle).map_err(Error::write(directory))
    }
}

/// The files to write, in the order they are to take their places.
fn stages<'o>(
    directory: &Path,
    outputs: &'o [Output],
    layout: Layout,
) -> Vec<(&'static str, Vec<u8>)> {
    let changed = |output: &&Output| {
        let old = fs::read(directory.join(output.name));
        !old.is_ok_and(|old| old == output.bytes)
    };
    let changed: Vec<&'o Output> = outputs.iter().filter(changed).collect();
    let bytes = |name: &str| {
        let output = outputs.iter().find(|output| output.name == name);
        output.map(|output| &output.bytes[..]).unwrap_or_default()
    };
    let before = fs::read(directory.join(DEP_BIN)).unwrap_or_default();
    let (before, after) = (modules(&before), modules(bytes(DEP_BIN)));
    let some_go = before.iter().any(|name| !after.contains(name));
    let some_come = after.iter().any(|name| !before.contains(name));
    let mut stages = Vec::new();
    if some_go && some_come {
        // For a moment aliases lead to what is in both.
        for name in LEADING {
            stages.extend(restricted(bytes(name), &before, layout).map(|bytes| (name, bytes)));
        }
    }
    let rank = |output: &&Output| match output.name {
        DEP_BIN if some_go && !some_come => 2,
        DEP_BIN => 0,
        name if LEADING.contains(&name) => 1,
        // Its time tells that all is done.
        DEP => 4,
        _ => 3,
    };
    let mut changed = changed;
    changed.sort_by_key(rank);
    stages.extend(
        changed
            .iter()
            .map(|output| (output.name, output.bytes.clone())),
    );
    stages
}

/// The keys of a modules.dep.bin; none of one that is damaged or absent.
fn modules(bytes: &[u8]) -> HashSet<Vec<u8>> {
    let all = Index::new(bytes).and_then(|index| index.all());
    let all = all.unwrap_or_default().into_iter();
    all.map(|found| found.key).collect()
}

/// An index without the values that are not in `known`; `None` if it is all of it.
fn restricted(bytes: &[u8], known: &HashSet<Vec<u8>>, layout: Layout) -> Option<Vec<u8>> {
    let all = Index::new(bytes).and_then(|index| index.all()).ok()?;
    let entries: Vec<_> = all.iter().flat_map(|found| found.entries()).collect();
    let (mut kept, count) = (entries.clone(), entries.len());
    kept.retain(|entry| known.contains(entry.value));
    match kept.len() == count {
        true => None,
        false => kmod_index::write(&kept, layout).ok(),
    }
}

fn stage(directory: &Path, name: &str, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    let stage = || {
        let mut file = tempfile::Builder::new()
            .prefix(&format!(".{name}{UNFINISHED}"))
            .permissions(readable_by_all())
            .tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    stage().map_err(Error::write(&directory.join(name)))
}

fn readable_by_all() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(0o644)
}

/// `depmod -A` compares modules with modules.dep, which was written by an earlier run.
fn touch(dep: &Path) {
    let touched = File::options()
        .write(true)
        .open(dep)
        .and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        log::debug!("{}: {error}", dep.display());
    }
}

fn sync(directory: &File) -> io::Result<()> {
    match directory.sync_all() {
        // Not every file system knows how to sync a directory.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// Whether a run was stopped before it had replaced all files.
pub(crate) fn is_unfinished(directory: &Path) -> bool {
    !unfinished(directory).is_empty()
}

fn remove_unfinished(directory: &Path) {
    for path in unfinished(directory) {
        if let Err(error) = fs::remove_file(&path) {
            log::debug!("{}: {error}", path.display());
        }
    }
}

fn unfinished(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_ours = |name: &str| name.starts_with(".modules.") && name.contains(UNFINISHED);
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .map(|entry| entry.path())
        .collect()
}
