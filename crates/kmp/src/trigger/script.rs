//! The script of a trigger, as rpm hands it to its interpreter, in; what is to be done out.
//!
//! rpm allows an interpreter of triggers no arguments, but gives it the path of the script. So the
//! script has the arguments: a moment, in rpm's words for it, and what the trigger watches.

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
        let text = fs::read_to_string(path).with_context(read)?;
        Self::parse(&text).with_context(read)
    }

    fn parse(text: &str) -> Result<Self> {
        // rpm takes everything up to the next section of a spec for the script.
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let words: Vec<_> = lines.flat_map(str::split_whitespace).collect();
        let Some((&moment, watched @ [_, ..])) = words.split_first() else {
            bail!("{text:?} is not a moment and directories");
        };
        let moment = match moment {
            "in" => Moment::In,
            "un" => Moment::Un,
            "postun" => Moment::PostUn,
            "preun" => Moment::PreUn,
            other => bail!("{other:?} is none of in, un, postun and preun"),
        };
        for path in watched {
            ensure!(path.starts_with('/'), "{path:?} is no absolute path");
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
        let script = Script::parse("postun /usr/lib/modules/\n\n# What comes next.\n").unwrap();
        assert_eq!(script.moment, Moment::PostUn);
        assert_eq!(script.watched, [Path::new("/usr/lib/modules")]);
        let script = Script::parse("in /a /b\n").unwrap();
        assert_eq!(script.watched, ["/a", "/b"].map(Path::new));
        for bad in ["", "in", "in lib/modules", "at /lib/modules", "in /a b"] {
            assert!(Script::parse(bad).is_err(), "{bad}");
        }
    }
}
