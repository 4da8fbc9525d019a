//! Tells whether indexes are newer than all modules (`depmod -A`).

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use facts::DirectoryIdentity;
use kmod_index::IndexFile;

use crate::index_state::is_as_published;
use crate::module_path::is_module;
use crate::temporaries::is_unfinished;
use crate::way_down::WayDown;

/// Whether no module is newer than modules.dep, in whole seconds as kmod compares them
/// (kmod/tools/depmod.c, `depfile_up_to_date`), and the last run came to its end. If that cannot be
/// found out, the indexes are not up to date.
pub fn is_up_to_date(directory: &Path) -> bool {
    let newest = match fs::metadata(directory.join(IndexFile::Dep.name())) {
        Ok(meta) => meta.mtime(),
        Err(error) => {
            log::error!(
                "could not stat {}/modules.dep: {error}",
                directory.display()
            );
            return false;
        }
    };
    // An index that only some can read is as old as one that is not there.
    let is_readable = |file: &IndexFile| {
        let path = directory.join(file.name());
        path.symlink_metadata().is_err() || is_as_published(&path)
    };
    !is_unfinished(directory)
        && IndexFile::ALL.iter().all(is_readable)
        && is_older(directory, newest, &mut WayDown::new()).unwrap_or_default()
}

fn is_older(directory: &Path, newest: i64, way: &mut WayDown) -> io::Result<bool> {
    // Each may be one by a link.
    if !way.enter(
        DirectoryIdentity::of(directory.as_os_str().as_bytes())?,
        true,
    ) {
        return Ok(true);
    }
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if matches!(name.as_bytes(), b"build" | b"source") {
            continue;
        }
        let path = directory.join(&name);
        let Ok(meta) = fs::metadata(&path) else {
            log::error!("could not stat {}", path.display());
            continue;
        };
        let older = match (meta.is_dir(), is_module(name.as_bytes())) {
            (true, _) => is_older(&path, newest, way)?,
            (false, true) => meta.mtime() <= newest,
            (false, false) => true,
        };
        if !older {
            log::debug!("{} is newer", path.display());
            return Ok(false);
        }
    }
    way.leave();
    Ok(true)
}
