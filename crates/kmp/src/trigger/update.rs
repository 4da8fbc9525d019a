//! A release in, its indexes as its directory wants them out: those of a run of depmod, or none
//! where the kernel is gone.

use std::path::Path;

use anyhow::Result;
use depmod::{Found, Indexes, Place, Settings, Tree};

/// Brings the indexes of a release below the watched directory up to date.
pub(super) fn update(watched: &Path, release: &str) -> Result<()> {
    let directory = watched.join(release);
    if !directory.is_dir() {
        return Ok(());
    }
    let place = Place::lock(&directory)?;
    if place.clear_abandoned()? {
        log::info!("{}: no kernel", directory.display());
        return Ok(());
    }
    index(
        place,
        &Settings {
            release: release.to_owned(),
            directory: directory.clone(),
            ..Settings::default()
        },
    )
}

fn index(place: Place<'_>, settings: &Settings) -> Result<()> {
    let directory = &settings.directory;
    let store = place.store();
    let found = Found::since(settings, &store)?;
    if found.is_unchanged(&store, directory) {
        log::info!("{}: nothing has changed", directory.display());
        place.confirm();
        return Ok(());
    }
    let tree = Tree::read(found, store);
    log::info!("{}: read {} modules", directory.display(), tree.read_anew());
    let outputs = Indexes::of(&tree, &mut |_| {})?.outputs()?;
    Ok(place.publish(&outputs, settings.compat, || tree.store(&outputs))?)
}
