//! Places where policies lie in, their texts out, in the order they count.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::place::SHIPPED;

/// The directory of a system's policy files.
pub const SYSTEM: &str = "/etc/rpm/kmpkit";

/// One policy file.
#[derive(Clone, Debug)]
pub struct Layer {
    /// As errors show it; imports are relative to its directory.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl Layer {
    /// The default policy.
    pub fn shipped() -> Self {
        Self {
            path: SHIPPED.into(),
            text: include_str!("../../../policy/default.toml").to_owned(),
        }
    }

    /// The file at `path`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        log::info!("policy {}", path.display());
        Ok(Self {
            path: path.to_owned(),
            text: std::fs::read_to_string(path).map_err(Error::io(path))?,
        })
    }
}

/// The default policy, then each `*.toml` of the directory `system`, if it is
/// there, by name, then `files`.
///
/// # Errors
/// One of them cannot be read.
pub fn layers(system: Option<&Path>, files: &[PathBuf]) -> Result<Vec<Layer>, Error> {
    let system = system.map_or_else(|| Ok(Vec::new()), system_files)?;
    let read = system.iter().chain(files).map(|path| Layer::read(path));
    std::iter::once(Ok(Layer::shipped())).chain(read).collect()
}

/// The policy files of a directory, in the order they are applied; none if there is no directory.
///
/// # Errors
/// It cannot be read.
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
            .map(|layer| layer.path)
            .collect();
        let expected = [
            "default.toml".into(),
            system.join("10-a.toml"),
            system.join("20-b.toml"),
            named,
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_directory_may_be_missing_a_file_may_not() {
        let root = tempfile::tempdir().unwrap();
        let missing = root.path().join("missing");
        assert_eq!(layers(Some(&missing), &[]).unwrap().len(), 1);
        let error = layers(None, std::slice::from_ref(&missing)).unwrap_err();
        assert_eq!(error.to_string(), missing.display().to_string());
    }
}
