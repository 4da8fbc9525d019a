//! Has new initrds made for releases whose indexes are right, if their marked modules have changed.
//!
//! ```text
//! release ─> BootableKernel ─> DueInitrd (marked modules against the record) ─> InitrdMaker
//! ```

mod boot_files;
mod kernel;
mod make;
mod maker;
mod marked;
mod record;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use kernel::BootableKernel;
use maker::InitrdMaker;
use record::DueInitrd;

pub(super) use marked::{module_list, wanted_files};

/// The initrds of a root.
#[derive(Debug)]
pub(super) struct Initrds {
    root: PathBuf,
    /// The value of KERNEL_INSTALL_BYPASS.
    bypass: Option<OsString>,
}

impl Initrds {
    pub(super) fn new(root: &Path, bypass: Option<OsString>) -> Self {
        let root = root.to_owned();
        Self { root, bypass }
    }

    /// Brings the initrds of releases below the watched directory up to date; says whether nothing
    /// failed.
    pub(super) fn update(&self, watched: &Path, releases: &[String]) -> bool {
        let mut good = true;
        let mut due = Vec::new();
        for release in releases {
            match self.due(watched, release) {
                Ok(found) => due.extend(found),
                Err(error) => {
                    log::error!("{}/{release}: {error:#}", watched.display());
                    good = false;
                }
            }
        }
        good & (due.is_empty() || self.make(&due))
    }

    fn due(&self, watched: &Path, release: &str) -> Result<Option<DueInitrd>> {
        let below = watched.strip_prefix("/").unwrap_or(watched);
        let directory = self.root.join(below).join(release);
        match BootableKernel::find(&self.root, directory, release) {
            Some(kernel) => DueInitrd::of(&self.root, kernel),
            None => Ok(None),
        }
    }

    fn make(&self, due: &[DueInitrd]) -> bool {
        match InitrdMaker::of(&self.root, self.bypass.as_deref()) {
            Ok(Some(maker)) => maker.make(&self.root, due),
            Ok(None) => true,
            Err(error) => {
                log::error!("no new initrd: {error:#}");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
