//! Reads the script of a trigger, as rpm hands it to the interpreter.
//!
//! rpm gives the interpreter of a trigger no arguments but the path of the script. So the script has
//! the arguments: a moment, by rpm's name for it, and the directories that the trigger watches.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// When rpm runs a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// After packages with such files were installed, or this one.
    In,
    /// Before such files are removed, or this package.
    Un,
    /// After such files were removed.
    PostUn,
    /// Before this package is removed.
    PreUn,
}

/// A moment, and the directories that are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) moment: Moment,
    pub(super) watched: Vec<PathBuf>,
}

impl Script {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let read = || path.display().to_string();
        let text = fs::read(path).with_context(read)?;
        Self::parse(&text).with_context(read)
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(text).context("a script is text")?;
        // To rpm, everything up to the next section of the spec is part of the script.
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let words: Vec<_> = lines.flat_map(str::split_whitespace).collect();
        let Some((&moment, watched @ [_, ..])) = words.split_first() else {
            bail!("the script must have a moment and directories: {text:?}");
        };
        let moment = match moment {
            "in" => Moment::In,
            "un" => Moment::Un,
            "postun" => Moment::PostUn,
            "preun" => Moment::PreUn,
            other => bail!("{other:?} is no moment: use in, un, postun or preun"),
        };
        for path in watched {
            ensure!(path.starts_with('/'), "{path:?} is not an absolute path");
        }
        let watched = watched.iter().map(|path| path.trim_end_matches('/').into());
        Ok(Self {
            moment,
            watched: watched.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_and_directories() {
        let script = Script::parse(b"postun /usr/lib/modules/\n\n# What comes next.\n").unwrap();
        assert_eq!(script.moment, Moment::PostUn);
        assert_eq!(script.watched, [Path::new("/usr/lib/modules")]);
        let script = Script::parse(b"in /a /b\n").unwrap();
        assert_eq!(script.watched, ["/a", "/b"].map(Path::new));
        for bad in ["", "in", "in lib/modules", "at /lib/modules", "in /a b"] {
            assert!(Script::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
