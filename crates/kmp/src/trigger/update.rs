//! Updates the indexes of a release as depmod would, or removes them if there is no kernel.

use std::path::Path;

use anyhow::Result;
use depmod::{LockedDirectory, Settings, Update, Updated};
use facts::{FactsHome, FileStamp, Time};
use kmod_index::IndexFile;

use super::fixed_names::read;
use super::kernel_files::has_kernel;

/// A release whose indexes are right.
#[derive(Debug)]
pub(super) struct IndexedRelease {
    pub(super) release: String,
    /// Since when its indexes have said what they say now.
    pub(super) since: Time,
}

/// Brings the indexes of a release in a directory of modules up to date. `None` if it is to have none.
/// Facts are kept in `home`.
pub(super) fn update(
    root: &Path,
    modules: &Path,
    release: &str,
    home: Option<&FactsHome>,
) -> Result<Option<IndexedRelease>> {
    let directory = modules.join(release);
    if !directory.is_dir() {
        if let Some(home) = home {
            home.remove_gone();
        }
        return Ok(None);
    }
    let locked = LockedDirectory::lock(&directory, home)?;
    if locked.clear_abandoned()? {
        log::info!("{}: no kernel", directory.display());
        return Ok(None);
    }
    if !has_kernel(root, &directory, release) {
        let were_there = locked.clear_indexes()?;
        let removed = if were_there { ", indexes removed" } else { "" };
        log::info!(
            "{}: modules without their kernel{removed}",
            directory.display()
        );
        return Ok(None);
    }
    let before = DepFile::read(&directory);
    let settings = Settings {
        release: release.to_owned(),
        directory: directory.clone(),
        ..Settings::default()
    };
    let update = Update {
        settings: &settings,
        output: &directory,
        home,
        full: false,
        tell: false,
    };
    let store = locked.store();
    match update.run_in(locked, store, &mut |_| {})? {
        Updated::Unchanged => log::info!("{}: nothing has changed", directory.display()),
        Updated::Made { read } => log::info!("{}: read {read} modules", directory.display()),
    }
    Ok(Some(IndexedRelease {
        release: release.to_owned(),
        since: since(&directory, before),
    }))
}

/// modules.dep at a moment. It gets a new time in each run, also if its bytes stay.
struct DepFile {
    bytes: Vec<u8>,
    modified: Time,
}

impl DepFile {
    fn read(directory: &Path) -> Option<Self> {
        let path = directory.join(IndexFile::Dep.name());
        Some(Self {
            modified: modified(&path)?,
            bytes: read(&path).ok()??,
        })
    }
}

/// Since when the indexes have said what they say now. The `.bin` files are other bytes for the same
/// in each version of kmod, so those with text tell.
fn since(directory: &Path, before: Option<DepFile>) -> Time {
    let now = DepFile::read(directory);
    let dep = match (before, now) {
        (Some(before), Some(now)) if before.bytes == now.bytes => Some(before.modified),
        (_, now) => now.map(|now| now.modified),
    };
    let others = [IndexFile::Alias, IndexFile::Softdep, IndexFile::Devname];
    let others = others.map(|file| modified(&directory.join(file.name())));
    others
        .into_iter()
        .chain([dep])
        .flatten()
        .max()
        .unwrap_or_default()
}

fn modified(path: &Path) -> Option<Time> {
    Some(FileStamp::of(path).ok()?.modified)
}
