//! Reads depmod.d(5): where modules lie, and which of several files of one module counts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::c_text::words;
use crate::config_files::{Line, directories, files, lines};
use crate::kernel_pattern;

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
    /// Reads the configuration of the host, whatever root the modules are in, or of these files and
    /// directories instead. What cannot be read or understood is passed over with a message.
    pub fn load(paths: Option<&[PathBuf]>, release: &str) -> Self {
        let of_host;
        let paths = match paths {
            Some(paths) => paths,
            None => {
                of_host = directories(Path::new("/"), "depmod.d");
                &of_host
            }
        };
        let mut texts = Vec::new();
        for path in files(paths.iter().map(PathBuf::as_path)) {
            match fs::read(&path) {
                Ok(text) => texts.push((path, text)),
                Err(error) => log::error!("file parse {}: {error}", path.display()),
            }
        }
        Self::of_texts(&texts, release)
    }

    /// What the texts of files say, in this order; their paths are for messages.
    #[doc(hidden)]
    pub fn of_texts(texts: &[(PathBuf, Vec<u8>)], release: &str) -> Self {
        let mut config = Self::default();
        for (path, text) in texts {
            config.add_text(text, path, release);
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

    fn add_text(&mut self, text: &[u8], path: &Path, release: &str) {
        for Line { number, text: line } in lines(text) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> DepmodConfig {
        let texts = [(PathBuf::from("a.conf"), text.as_bytes().to_vec())];
        DepmodConfig::of_texts(&texts, "6.1.0-50-amd64")
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
    fn updates_come_first_unless_a_line_says_otherwise() {
        let updates = Search::Path(b"updates".to_vec());
        assert_eq!(config("override a * b").searches, [updates]);
    }

    #[test]
    fn files_are_read_by_name() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("one/b.conf", "search one-b");
        write("two/a.conf", "search two-a");
        write("two/b.conf", "search two-b");
        let paths = ["one", "two", "none"].map(|name| root.path().join(name));
        let config = DepmodConfig::load(Some(&paths), "6.1");
        let path = |text: &str| Search::Path(text.as_bytes().to_vec());
        assert_eq!(config.searches, [path("one-b"), path("two-a")]);
    }
}
