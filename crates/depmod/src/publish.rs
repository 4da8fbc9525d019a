//! Indexes in, files in place of the old ones out; at every moment modprobe can work with what is
//! there, and whoever stops us leaves either what was or something the next run mends.
//!
//! Everything is written and synced beside the old files before the first is replaced, so a full
//! or read-only file system changes nothing. Then they are renamed in an order in which the
//! aliases and symbols never lead to a module that modules.dep.bin lacks: modprobe would fail with
//! an error where it could have done nothing.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kmod_index::{Index, Layout};
use modtree::Store;
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::outputs::Output;
use crate::settings::Compat;

/// What names of temporaries have behind that of the file they will be.
const UNFINISHED: &str = ".kmp-depmod-";

/// Facts of modules, beside the indexes.
const STORE: &str = ".kmpkit-facts";

/// A file name, and what the file shall be next.
type Staged<'o> = (&'static str, Cow<'o, [u8]>);

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

    /// The facts an earlier run left here.
    pub fn store(&self) -> Store {
        Store::load(&self.directory.join(STORE))
    }

    /// Tells `depmod -A` that the indexes are those of the modules that are there.
    pub fn confirm(self) {
        touch(&self.directory.join(DEP));
    }

    /// Replaces the indexes by these; files that would not change are left alone. A store, if there
    /// is a new one, comes last and may fail: without it the next run reads more.
    ///
    /// # Errors
    /// Something cannot be written; nothing has been replaced then, unless renaming itself fails.
    pub fn publish(
        self,
        outputs: &[Output],
        compat: Compat,
        store: Option<&[u8]>,
    ) -> Result<(), Error> {
        let directory = self.directory;
        let handle = match self.handle {
            Some(handle) => handle,
            None => {
                fs::create_dir_all(directory).map_err(Error::write(directory))?;
                File::open(directory).map_err(Error::write(directory))?
            }
        };
        remove_unfinished(directory);
        let old = |name: &str| fs::read(directory.join(name)).ok();
        let stages: Vec<_> = stages(old, outputs, compat.layout())
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
        sync(&handle).map_err(Error::write(directory))?;
        if let Some(store) = store {
            keep(directory, store);
        }
        Ok(())
    }
}

/// The files to write, in the order they are to take their places.
fn stages(
    old: impl Fn(&str) -> Option<Vec<u8>>,
    outputs: &[Output],
    layout: Layout,
) -> Vec<Staged<'_>> {
    let bytes = |name: &str| {
        let output = outputs.iter().find(|output| output.name == name);
        output.map(|output| &output.bytes[..]).unwrap_or_default()
    };
    let (before, after) = (
        modules(&old(DEP_BIN).unwrap_or_default()),
        modules(bytes(DEP_BIN)),
    );
    let some_go = before.iter().any(|name| !after.contains(name));
    let some_come = after.iter().any(|name| !before.contains(name));
    let mut stages = Vec::new();
    if some_go && some_come {
        // For a moment aliases lead to what is in both.
        let both = |name| Some((name, Cow::Owned(restricted(bytes(name), &before, layout)?)));
        stages.extend(LEADING.into_iter().filter_map(both));
    }
    let rank = |output: &&Output| match output.name {
        DEP_BIN if some_go && !some_come => 2,
        DEP_BIN => 0,
        name if LEADING.contains(&name) => 1,
        // Its time tells that all is done.
        DEP => 4,
        _ => 3,
    };
    let mut outputs: Vec<_> = outputs.iter().collect();
    outputs.sort_by_key(rank);
    stages.extend(
        outputs
            .iter()
            .map(|output| (output.name, Cow::Borrowed(&output.bytes[..]))),
    );
    // What is there already need not be written.
    let mut there = HashMap::new();
    stages.retain(|(name, bytes)| {
        let there = there
            .entry(*name)
            .or_insert_with(|| old(name).map(Cow::Owned));
        let changes = there.as_ref() != Some(bytes);
        *there = Some(bytes.clone());
        changes
    });
    stages
}

/// The keys of a modules.dep.bin; none of one that is damaged or absent.
fn modules(bytes: &[u8]) -> HashSet<Vec<u8>> {
    let all = Index::new(bytes).and_then(|index| index.all());
    let all = all.unwrap_or_default().into_iter();
    all.map(|found| found.key).collect()
}

/// An index without the values that are not in `known`.
fn restricted(bytes: &[u8], known: &HashSet<Vec<u8>>, layout: Layout) -> Option<Vec<u8>> {
    let all = Index::new(bytes).and_then(|index| index.all()).ok()?;
    let entries: Vec<_> = all.iter().flat_map(|found| found.entries()).collect();
    let mut entries = entries;
    entries.retain(|entry| known.contains(entry.value));
    kmod_index::write(&entries, layout).ok()
}

fn stage(directory: &Path, name: &str, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    let stage = || {
        let file = temporary(directory, &format!(".{name}"), bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    stage().map_err(Error::write(&directory.join(name)))
}

fn temporary(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(&format!("{name}{UNFINISHED}"))
        .permissions(readable_by_all())
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Half a store is noticed when it is read, so it need not be synced.
fn keep(directory: &Path, store: &[u8]) {
    let path = directory.join(STORE);
    let kept = temporary(directory, STORE, store)
        .and_then(|file| file.persist(&path).map_err(|error| error.error));
    if let Err(error) = kept {
        log::debug!("{}: {error}", path.display());
    }
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
    let is_ours = |name: &str| name.starts_with('.') && name.contains(UNFINISHED);
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kmod_index::Entry;

    use super::*;

    /// A tree with these modules; each has an alias of its own, all have one in common.
    fn outputs(modules: &str) -> Vec<Output> {
        let names: Vec<String> = modules.chars().map(String::from).collect();
        let entry = |key, value| Entry {
            key,
            value,
            priority: 0,
        };
        let dep: Vec<_> = names
            .iter()
            .map(|name| entry(name.as_bytes(), b"path:"))
            .collect();
        let alias = names.iter().flat_map(|name| {
            let name = name.as_bytes();
            [entry(name, name), entry(b"*", name)]
        });
        let alias: Vec<_> = alias.collect();
        // Not every module exports something.
        let symbols: Vec<_> = alias
            .iter()
            .filter(|entry| entry.value < b"c")
            .copied()
            .collect();
        let index = |entries: &[Entry<'_>]| kmod_index::write(entries, Layout::PreOrder).unwrap();
        [
            (DEP, modules.as_bytes().to_vec()),
            (DEP_BIN, index(&dep)),
            ("modules.alias.bin", index(&alias)),
            ("modules.symbols.bin", index(&symbols)),
            ("modules.alias", modules.as_bytes().to_vec()),
        ]
        .map(|(name, bytes)| Output { name, bytes })
        .to_vec()
    }

    /// Every module some alias or symbol leads to is in modules.dep.bin.
    fn is_usable(there: &BTreeMap<&str, Vec<u8>>) -> bool {
        let known = there
            .get(DEP_BIN)
            .map(|bytes| modules(bytes))
            .unwrap_or_default();
        LEADING
            .iter()
            .filter_map(|name| there.get(name))
            .all(|bytes| {
                let all = Index::new(bytes).unwrap().all().unwrap();
                let values = all.iter().flat_map(|found| &found.values);
                values.into_iter().all(|(_, value)| known.contains(*value))
            })
    }

    #[test]
    fn whoever_stops_us_leaves_what_modprobe_can_use() {
        let trees = ["", "a", "b", "ab", "abc", "c", "ad", "bcd", "cd", "d"];
        for old in trees {
            for new in trees {
                let mut there: BTreeMap<_, _> = outputs(old)
                    .into_iter()
                    .map(|o| (o.name, o.bytes))
                    .collect();
                let before = there.clone();
                let wanted = outputs(new);
                for (name, bytes) in
                    stages(|name| before.get(name).cloned(), &wanted, Layout::PreOrder)
                {
                    assert_ne!(there[name], *bytes, "{old} {new}: {name} does not change");
                    there.insert(name, bytes.into_owned());
                    assert!(is_usable(&there), "{old} {new}: {name}");
                    // Killed here, another run to any other tree is as safe.
                    for third in trees {
                        let mut there = there.clone();
                        let before = there.clone();
                        let wanted = outputs(third);
                        for (name, bytes) in
                            stages(|name| before.get(name).cloned(), &wanted, Layout::PreOrder)
                        {
                            there.insert(name, bytes.into_owned());
                            assert!(is_usable(&there), "{old} {new} {third}: {name}");
                        }
                        let wanted: BTreeMap<_, _> =
                            wanted.into_iter().map(|o| (o.name, o.bytes)).collect();
                        assert_eq!(there, wanted);
                    }
                }
            }
        }
    }
}
