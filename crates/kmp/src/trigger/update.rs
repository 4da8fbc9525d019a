//! Updates the indexes of a release as depmod would, or removes them if the kernel is gone.

use std::path::Path;

use anyhow::Result;
use depmod::{LockedDirectory, Settings, Update, Updated};
use facts::FactsHome;

/// Brings the indexes of a release below the watched directory up to date. Facts are kept in `home`.
pub(super) fn update(watched: &Path, release: &str, home: Option<&FactsHome>) -> Result<()> {
    let directory = watched.join(release);
    if !directory.is_dir() {
        if let Some(home) = home {
            home.remove_gone();
        }
        return Ok(());
    }
    let locked = LockedDirectory::lock(&directory, home)?;
    if locked.clear_abandoned()? {
        log::info!("{}: no kernel", directory.display());
        return Ok(());
    }
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
    Ok(())
}
