//! Has new initrds made for releases whose indexes are right, if their marked modules have changed.
//!
//! ```text
//! release ─> BootableKernel ─> DueInitrd (marked modules against the record) ─> InitrdMaker
//!                                 │                                               │
//!                                 └─ InitrdFiles: what was made, and when ────────┘
//! ```

mod boot_files;
mod command;
mod initrd_files;
mod kernel;
mod make;
mod maker;
mod marked;
mod record;
mod suse_module_tools;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use facts::Time;

use kernel::BootableKernel;
use maker::InitrdMaker;
use record::DueInitrd;

use super::outcome::Outcome;
use super::update::IndexedRelease;

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

    /// Brings the initrds of releases below the watched directory up to date; says of each release
    /// how far it got.
    pub(super) fn update(
        &self,
        watched: &Path,
        releases: Vec<IndexedRelease>,
    ) -> Vec<(String, Outcome)> {
        let mut outcomes = Vec::new();
        let mut due = Vec::new();
        for IndexedRelease { release, since } in releases {
            match self.due(watched, &release, since) {
                Ok(Some(found)) => due.push(found),
                Ok(None) => outcomes.push((release, Outcome::Right)),
                Err(error) => {
                    log::error!("{}/{release}: {error:#}", watched.display());
                    outcomes.push((release, Outcome::Failed));
                }
            }
        }
        if !due.is_empty() {
            let made = self.make(&due);
            let releases = due.into_iter().map(|due| due.kernel.release);
            outcomes.extend(releases.zip(made));
        }
        outcomes
    }

    fn due(&self, watched: &Path, release: &str, since: Time) -> Result<Option<DueInitrd>> {
        let below = watched.strip_prefix("/").unwrap_or(watched);
        let directory = self.root.join(below).join(release);
        match BootableKernel::find(&self.root, directory, release) {
            Some(kernel) => DueInitrd::of(&self.root, kernel, since),
            None => Ok(None),
        }
    }

    /// How far each of them got.
    fn make(&self, due: &[DueInitrd]) -> Vec<Outcome> {
        let outcome = match InitrdMaker::of(&self.root, self.bypass.as_deref()) {
            Ok(Some(maker)) => return maker.make(&self.root, due),
            Ok(None) => Outcome::Right,
            Err(error) => {
                log::error!("no new initrd: {error:#}");
                Outcome::Failed
            }
        };
        vec![outcome; due.len()]
    }
}

#[cfg(test)]
mod tests;
