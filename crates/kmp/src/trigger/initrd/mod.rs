//! Releases whose indexes are right in, new initrds for those whose marked modules have changed
//! out, made by whoever owns initrds in the root.
//!
//! ```text
//! release ─> kernel ─> marked (is one due?) ─> owner (whose business is it?) ─> act
//! ```

mod act;
mod boot;
mod kernel;
mod marked;
mod owner;
mod stamp;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use kernel::Kernel;
use marked::Due;
use owner::Owner;

/// The initrds of a root.
#[derive(Debug)]
pub(super) struct Initrds {
    root: PathBuf,
    /// What KERNEL_INSTALL_BYPASS says.
    bypass: Option<OsString>,
}

impl Initrds {
    pub(super) fn new(root: &Path, bypass: Option<OsString>) -> Self {
        let root = root.to_owned();
        Self { root, bypass }
    }

    /// Brings initrds of releases below the watched directory up to date; whether nothing failed.
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

    fn due(&self, watched: &Path, release: &str) -> Result<Option<Due>> {
        let below = watched.strip_prefix("/").unwrap_or(watched);
        let directory = self.root.join(below).join(release);
        match Kernel::find(&self.root, directory, release) {
            Some(kernel) => Due::of(&self.root, kernel),
            None => Ok(None),
        }
    }

    fn make(&self, due: &[Due]) -> bool {
        match Owner::of(&self.root, self.bypass.as_deref()) {
            Ok(Some(owner)) => owner.make(&self.root, due),
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
