//! Finds the files of a policy and puts them in the order in which they count.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::file_line::PolicyFile;

/// The directory of a system's policy files.
pub const SYSTEM: &str = "/etc/rpm/kmpkit";

/// One policy file.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The file, as messages name it. Imports are relative to its directory.
    pub file: PolicyFile,
    /// Its text.
    pub text: String,
}

impl Layer {
    /// A layer with a text that is at hand.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            file: path.into().into(),
            text: text.into(),
        }
    }

    /// The default policy.
    pub fn default_policy() -> Self {
        Self {
            file: PolicyFile::Default,
            text: include_str!("../../../policy/default.toml").to_owned(),
        }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        log::info!("policy {}", path.display());
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        Ok(Self::new(path, text))
    }
}

/// Returns the default policy, then each `*.toml` of the directory `system` by name, then `files`.
/// The directory may be missing.
///
/// # Errors
/// A file or the directory cannot be read.
pub fn layers(system: Option<&Path>, files: &[PathBuf]) -> Result<Vec<Layer>, Error> {
    let system = system.map_or_else(|| Ok(Vec::new()), system_files)?;
    let read = system.iter().chain(files).map(|path| Layer::read(path));
    std::iter::once(Ok(Layer::default_policy()))
        .chain(read)
        .collect()
}

/// Returns the policy files of a directory in the order in which they count. There are none if the
/// directory is missing.
///
/// # Errors
/// The directory cannot be read.
pub fn system_files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match directory.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(directory)(error)),
    };
    let mut paths = entries
        .map(|entry| Ok(entry.map_err(Error::io(directory))?.path()))
        .collect::<Result<Vec<_>, Error>>()?;
    paths.retain(|path| {
        let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default();
        name.ends_with(b".toml") && !name.starts_with(b".")
    });
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_come_in_the_order_they_count() {
        let root = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = root.path().join(name);
            std::fs::write(&path, name).unwrap();
            path
        };
        let named = file("named.policy");
        let system = root.path().join("kmpkit");
        std::fs::create_dir(&system).unwrap();
        for name in ["20-b.toml", "10-a.toml", "note.txt", ".10.toml", "x.toml~"] {
            file(&format!("kmpkit/{name}"));
        }
        let paths: Vec<_> = layers(Some(&system), std::slice::from_ref(&named))
            .unwrap()
            .into_iter()
            .map(|layer| layer.file.to_string())
            .collect();
        let shown = |path: &Path| path.display().to_string();
        let expected = [
            "default.toml".to_owned(),
            shown(&system.join("10-a.toml")),
            shown(&system.join("20-b.toml")),
            shown(&named),
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_directory_may_be_missing_a_file_may_not() {
        let root = tempfile::tempdir().unwrap();
        let missing = root.path().join("missing");
        assert_eq!(layers(Some(&missing), &[]).unwrap().len(), 1);
        let error = layers(None, std::slice::from_ref(&missing)).unwrap_err();
        let expected = format!("cannot read the policy {}", missing.display());
        assert_eq!(error.to_string(), expected);
    }
}
