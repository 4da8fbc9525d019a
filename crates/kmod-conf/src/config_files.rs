//! Finds the files of depmod.d and modprobe.d, and splits them into lines (kmod reads both alike).

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where directories with configuration lie, in order of precedence.
const PARENTS: [&str; 5] = ["etc", "run", "usr/local/lib", "usr/lib", "lib"];

/// The directories of this name below a root, the one that counts most first.
pub(crate) fn directories(root: &Path, name: &str) -> Vec<PathBuf> {
    let directory = |parent: &&str| root.join(parent).join(name);
    PARENTS.iter().map(directory).collect()
}

/// The configuration files among these paths, which are files or directories, sorted by name. Of
/// files with one name the first counts, so that a file hides those of its name in later directories.
/// What cannot be read is passed over with a message.
pub(crate) fn files<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        list(path, &mut files);
    }
    files
}

fn list(path: &Path, files: &mut Vec<PathBuf>) {
    let Ok(meta) = fs::metadata(path) else {
        log::debug!("no configuration in {}", path.display());
        return;
    };
    if !meta.is_dir() {
        insert(path.to_owned(), files);
        return;
    }
    let names = fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()
    });
    match names {
        Ok(names) => names
            .iter()
            .filter(|name| is_configuration(path, name))
            .for_each(|name| insert(path.join(name), files)),
        Err(error) => log::error!("files list {}: {error}", path.display()),
    }
}

fn is_configuration(directory: &Path, name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    if bytes.starts_with(b".") {
        return false;
    }
    let path = directory.join(name);
    if bytes.len() < 6 || !bytes.ends_with(b".conf") {
        log::info!("All cfg files need .conf: {}", path.display());
        return false;
    }
    match fs::metadata(&path) {
        Ok(meta) if meta.is_dir() => log::error!(
            "Directories inside directories are not supported: {}",
            path.display()
        ),
        Ok(_) => return true,
        Err(error) => log::error!("Cannot stat directory entry: {}: {error}", path.display()),
    }
    false
}

fn insert(path: PathBuf, files: &mut Vec<PathBuf>) {
    let at = files.binary_search_by(|other| other.file_name().cmp(&path.file_name()));
    match at {
        Ok(_) => log::debug!("Ignoring duplicate config file: {}", path.display()),
        Err(at) => files.insert(at, path),
    }
}

/// A line of a configuration file.
pub(crate) struct Line {
    /// The number of the line, or of the last of those that it was written on.
    pub(crate) number: usize,
    /// What it says, without its line feed.
    pub(crate) text: Vec<u8>,
}

/// The lines of a configuration file. A line that ends in a backslash is joined with the next; any
/// other backslash only goes away (kmod/shared/util.c, `freadline_wrapped`).
pub(crate) fn lines(text: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut number = 1;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => {
                let text = std::mem::take(&mut line);
                lines.push(Line { number, text });
                number += 1;
            }
            b'\\' => match bytes.next() {
                Some(b'\n') => number += 1,
                other => line.extend(other),
            },
            byte => line.push(byte),
        }
    }
    if !line.is_empty() {
        lines.push(Line { number, text: line });
    }
    for Line { text, .. } in &mut lines {
        // C's string functions see nothing behind a NUL.
        let end = text.iter().position(|&byte| byte == 0);
        text.truncate(end.unwrap_or(text.len()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_numbered() {
        let text = b"one\ntwo \\\nthree\n\\four\\\\five\n\nsix\0seven";
        let lines = lines(text);
        let found: Vec<_> = lines
            .iter()
            .map(|line| (line.number, &line.text[..]))
            .collect();
        assert_eq!(
            found,
            [
                (1, &b"one"[..]),
                (3, b"two three"),
                (4, b"four\\five"),
                (5, b""),
                (6, b"six")
            ]
        );
    }

    #[test]
    fn the_first_directory_hides_files_of_later_ones() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for name in [
            "etc/m.d/b.conf",
            "etc/m.d/.hidden.conf",
            "etc/m.d/c.txt",
            "lib/m.d/a.conf",
            "lib/m.d/b.conf",
        ] {
            write(name);
        }
        fs::create_dir(root.path().join("etc/m.d/d.conf")).unwrap();
        let directories = directories(root.path(), "m.d");
        let found = files(directories.iter().map(PathBuf::as_path));
        let wanted = ["lib/m.d/a.conf", "etc/m.d/b.conf"].map(|name| root.path().join(name));
        assert_eq!(found, wanted);
    }
}
