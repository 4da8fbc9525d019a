//! Module files in, what the file system says of each out: whether it is what the store knows.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::SystemTime;

use facts::{Kept, Stamp, Store};
use rayon::prelude::*;

use crate::module_file::{ModuleFile, Past};

/// What the file system said of files before they were read.
pub(crate) struct Stamps {
    pub(crate) started: SystemTime,
    /// One for each file that is there.
    pub(crate) stamps: Vec<Option<Stamp>>,
}

impl Stamps {
    /// Asks for the stamps of files, but for those that are as the store has them.
    pub(crate) fn of(files: &[ModuleFile], directory: &Path, store: &Store) -> Self {
        let directory = File::open(directory).ok();
        let asked = |file: &ModuleFile| {
            let whole = || Some(Stamp::new(&fs::metadata(file.path()).ok()?));
            // The way to the directory is gone once.
            let below = directory
                .as_ref()
                .and_then(|directory| Stamp::at(directory.as_fd(), file.shown()).ok());
            below.or_else(whole)
        };
        let stamp = |file: &ModuleFile| match file.past {
            Past::Same(kept) => store.stamp(kept),
            Past::Seen(_) | Past::Unknown => asked(file),
        };
        Self {
            started: SystemTime::now(),
            stamps: files.par_iter().map(stamp).collect(),
        }
    }

    /// Whether a store has every module as it is, and no others.
    pub(crate) fn are_in(&self, store: &Store, files: &[ModuleFile]) -> bool {
        let mut all = files.iter().zip(&self.stamps);
        store.len() == files.len() && all.all(|(file, stamp)| known(file, stamp, store).is_some())
    }
}

/// Where the store has the facts of a file that is what it was.
pub(crate) fn known(file: &ModuleFile, stamp: &Option<Stamp>, store: &Store) -> Option<Kept> {
    let kept = file.past.kept()?;
    (stamp.is_some() && store.stamp(kept) == *stamp).then_some(kept)
}
