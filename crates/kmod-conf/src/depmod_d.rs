//! The files of depmod.d in, what they say of where modules may lie out (depmod.d(5)).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::c_text::words;
use crate::kernel_pattern;

/// Where configuration lies, first come first served: a file hides those of its name in later
/// directories. They are the host's, whatever root the modules are in.
const DIRECTORIES: [&str; 5] = [
    "/etc/depmod.d",
    "/run/depmod.d",
    "/usr/local/lib/depmod.d",
    "/usr/lib/depmod.d",
    "/lib/depmod.d",
];

/// What a tree's modules are found and ranked by. Each list has the last line of the
/// configuration first, which is the order kmod goes through it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DepmodConfig {
    /// Words of `search` lines.
    pub searches: Vec<Search>,
    /// `<directory>/<module>`, below the directory of the release, without extension.
    pub overrides: Vec<Vec<u8>>,
    /// Directories of `external` lines whose pattern matches the release.
    pub externals: Vec<Vec<u8>>,
    /// Names of directories, and of files, that are passed over.
    pub excludes: Vec<Vec<u8>>,
}

/// A word of a `search` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// A directory below that of the release.
    Path(Vec<u8>),
    /// Everything no other word covers.
    BuiltIn,
    /// All external directories.
    External,
}

impl DepmodConfig {
    /// Reads the system's configuration, or the files and directories of `paths` instead. What
    /// cannot be read or understood is passed over with a message.
    pub fn load(paths: Option<&[PathBuf]>, release: &str) -> Self {
        let mut files = Vec::new();
        match paths {
            Some(paths) => paths.iter().for_each(|path| list(path, &mut files)),
            None => DIRECTORIES
                .iter()
                .for_each(|path| list(Path::new(path), &mut files)),
        }
        let mut config = Self::default();
        for path in files {
            match fs::read(&path) {
                Ok(text) => config.parse(&path, &text, release),
                Err(error) => log::error!("file parse {}: {error}", path.display()),
            }
        }
        if config.searches.is_empty() {
            config.searches.push(Search::Path(b"updates".to_vec()));
        }
        for list in [
            &mut config.overrides,
            &mut config.externals,
            &mut config.excludes,
        ] {
            list.reverse();
        }
        config.searches.reverse();
        config
    }

    fn parse(&mut self, path: &Path, text: &[u8], release: &str) {
        for (number, line) in logical_lines(text) {
            let mut words = words(&line);
            let place = || format!("{}:{number}", path.display());
            let Some(command) = words.next().filter(|_| !line.starts_with(b"#")) else {
                continue;
            };
            let fits = |pattern: &[u8]| {
                let fits = kernel_pattern::matches(&String::from_utf8_lossy(pattern), release);
                if !fits {
                    log::info!("{}: for another kernel", place());
                }
                fits
            };
            match (command, words.next(), words.next(), words.next()) {
                (b"search", ..) => self.searches.extend(all(&line).map(search)),
                (b"exclude", ..) => self.excludes.extend(all(&line).map(<[u8]>::to_vec)),
                (b"override", Some(module), Some(pattern), Some(directory)) => {
                    if fits(pattern) {
                        self.overrides.push([directory, b"/", module].concat());
                    }
                }
                (b"external", Some(pattern), Some(directory), _) => {
                    if fits(pattern) {
                        self.externals.push(directory.to_vec());
                    }
                }
                (b"include" | b"make_map_files", ..) => {
                    log::info!("{}: command not implemented", place());
                }
                _ => log::error!(
                    "{}: ignoring bad line starting with '{}'",
                    place(),
                    String::from_utf8_lossy(command)
                ),
            }
        }
    }
}

fn all(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    words(line).skip(1)
}

fn search(word: &[u8]) -> Search {
    match word {
        b"built-in" => Search::BuiltIn,
        b"external" => Search::External,
        path => Search::Path(path.to_vec()),
    }
}

/// Adds the files of a directory, or a file, to those already found, sorted by name.
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
            .into_iter()
            .filter(|name| is_configuration(path, name))
            .for_each(|name| insert(path.join(name), files)),
        Err(error) => log::error!("files list {}: {error}", path.display()),
    }
}

fn is_configuration(directory: &Path, name: &OsString) -> bool {
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

/// Lines with the number of their last, those that end in a backslash joined with the next; any
/// other backslash only goes away (kmod/shared/util.c, `freadline_wrapped`).
fn logical_lines(text: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut number = 1;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => {
                lines.push((number, std::mem::take(&mut line)));
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
        lines.push((number, line));
    }
    for (_, line) in &mut lines {
        // What follows a NUL is out of sight of C's string functions.
        let end = line.iter().position(|&byte| byte == 0);
        line.truncate(end.unwrap_or(line.len()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> DepmodConfig {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        DepmodConfig::load(Some(&[file.path().to_owned()]), "6.1.0-50-amd64")
    }

    #[test]
    fn lines_of_every_kind() {
        let config = config(
            "# comment\n\nsearch updates extra \\\n\tbuilt-in external\noverride a * extra\n\
             override b-c ^5.* weak-updates\noverride d 6\\\\.1 x\nexternal 6.1 /opt/one\nexternal * /opt/two\n\
             exclude old tmp\nexclude x\ninclude foo\nsearch\noverride a\nnonsense",
        );
        let path = |text: &str| Search::Path(text.as_bytes().to_vec());
        assert_eq!(
            config.searches,
            [
                Search::External,
                Search::BuiltIn,
                path("extra"),
                path("updates")
            ]
        );
        assert_eq!(config.overrides, [&b"x/d"[..], b"extra/a"]);
        assert_eq!(config.externals, [&b"/opt/two"[..], b"/opt/one"]);
        assert_eq!(config.excludes, [&b"x"[..], b"tmp", b"old"]);
    }

    #[test]
    fn updates_come_first_unless_something_is_said() {
        let updates = Search::Path(b"updates".to_vec());
        assert_eq!(config("override a * b").searches, [updates]);
    }

    #[test]
    fn the_first_directory_hides_files_of_later_ones() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("one/b.conf", "search one-b");
        write("one/.hidden.conf", "search hidden");
        write("one/c.txt", "search text");
        fs::create_dir(root.path().join("one/d.conf")).unwrap();
        write("two/a.conf", "search two-a");
        write("two/b.conf", "search two-b");
        let paths = ["one", "two", "none"].map(|name| root.path().join(name));
        let config = DepmodConfig::load(Some(&paths), "6.1");
        let path = |text: &str| Search::Path(text.as_bytes().to_vec());
        assert_eq!(config.searches, [path("one-b"), path("two-a")]);
    }
}
