//! Writes files that are whole or not there.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file. If anything fails, the file is not there, or is the one from before.
pub fn save(path: &Path, text: &str) -> Result<()> {
    let shown = || path.display().to_string();
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    directory.metadata().with_context(shown)?;
    // The error names the temporary file, which nobody asked for.
    let file = tempfile::NamedTempFile::new_in(directory);
    let mut file = file
        .map_err(|error| io::Error::from(error.kind()))
        .with_context(shown)?;
    let written = file.as_file_mut().write_all(text.as_bytes());
    written.with_context(shown)?;
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).with_context(shown)?;
    let persisted = file.persist(path).map_err(|failed| failed.error);
    persisted.with_context(shown)?;
    Ok(())
}
