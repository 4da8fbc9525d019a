//! Reads the modaliases of all devices from sysfs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use crate::machine::is_modalias;

/// Returns the modaliases of the devices in a sysfs tree as a list for `--machine`.
///
/// # Errors
/// The tree has no devices, or a directory cannot be read.
pub fn modalias_list(sysfs: &Path) -> Result<String> {
    let devices = sysfs.join("devices");
    let mut modaliases = BTreeSet::new();
    for entry in WalkDir::new(&devices) {
        let entry = entry.with_context(|| devices.display().to_string())?;
        if entry.file_name() != "modalias" || !entry.file_type().is_file() {
            continue;
        }
        // A device may be gone by now, or say nothing. sysfs has no other errors here.
        let text = fs::read(entry.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let text = text.trim_end();
        if is_modalias(text) {
            modaliases.insert(text.to_owned());
        }
    }
    ensure!(
        !modaliases.is_empty(),
        "{}: there is no file devices/**/modalias: give a sysfs, such as /sys",
        sysfs.display()
    );
    let lines = modaliases.into_iter().map(|modalias| modalias + "\n");
    Ok(lines.collect())
}
