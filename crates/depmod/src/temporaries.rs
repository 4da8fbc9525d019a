//! The names of files that have not taken their places yet.

use std::fs;
use std::path::{Path, PathBuf};

/// What follows the name of an index in that of the file that is to replace it.
const INFIX: &str = ".kmp-depmod-";

/// How the name of a file begins that is to replace another.
pub(crate) fn prefix(name: &str) -> String {
    format!(".{name}{INFIX}")
}

/// Whether a name is that of a file that has not taken its place yet.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.contains(INFIX)
}

/// Whether a run was stopped before it had replaced all files.
pub(crate) fn is_unfinished(directory: &Path) -> bool {
    !temporaries(directory).is_empty()
}

/// Removes what stopped runs left.
pub(crate) fn remove_unfinished(directory: &Path) {
    for path in temporaries(directory) {
        if let Err(error) = fs::remove_file(&path) {
            log::debug!("{}: {error}", path.display());
        }
    }
}

fn temporaries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_temporary))
        .map(|entry| entry.path())
        .collect()
}
