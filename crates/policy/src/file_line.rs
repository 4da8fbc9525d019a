//! Lines of policy files and imported lists, as messages name them.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that a policy is read from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyFile {
    /// The default policy. It is compiled in, so it has no path.
    Default,
    /// A policy file, or a list that one imports.
    Path(Arc<Path>),
}

impl PolicyFile {
    /// The directory to which the imports of the file are relative.
    pub(crate) fn directory(&self) -> &Path {
        match self {
            Self::Default => Path::new(""),
            Self::Path(path) => path.parent().unwrap_or(Path::new("")),
        }
    }
}

impl From<PathBuf> for PolicyFile {
    fn from(path: PathBuf) -> Self {
        Self::Path(path.into())
    }
}

impl fmt::Display for PolicyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default.toml"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// A line of a policy file or of a list it imports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileLine {
    file: PolicyFile,
    line: usize,
}

impl FileLine {
    /// Whether the line is in the default policy.
    pub fn is_in_default_policy(&self) -> bool {
        self.file == PolicyFile::Default
    }
}

impl fmt::Display for FileLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The lines of one file.
pub(crate) struct LineIndex {
    file: PolicyFile,
    line_ends: Vec<usize>,
}

impl LineIndex {
    pub(crate) fn new(file: PolicyFile, text: &str) -> Self {
        let line_ends = text.match_indices('\n').map(|(offset, _)| offset);
        Self {
            file,
            line_ends: line_ends.collect(),
        }
    }

    /// Line `line`, counted from 1.
    pub(crate) fn line(&self, line: usize) -> FileLine {
        FileLine {
            file: self.file.clone(),
            line,
        }
    }

    /// The line in which a span of the text begins.
    pub(crate) fn line_of(&self, span: Range<usize>) -> FileLine {
        let before = self.line_ends.partition_point(|&end| end < span.start);
        self.line(before + 1)
    }
}
