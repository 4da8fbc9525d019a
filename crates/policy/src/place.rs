//! An offset in a file's text in, the line to show out.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;

use crate::{Error, Problem};

/// What errors call the default policy, which lies in no file.
pub(crate) const SHIPPED: &str = "default.toml";

/// A line of a policy file or of a list it imports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    file: Arc<str>,
    line: usize,
}

impl Place {
    /// Whether it is in the default policy.
    pub fn is_shipped(&self) -> bool {
        *self.file == *SHIPPED
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A text whose parts have places.
pub(crate) struct Source {
    file: Arc<str>,
    line_ends: Vec<usize>,
}

impl Source {
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        let line_ends = text.match_indices('\n').map(|(offset, _)| offset);
        Self {
            file: path.display().to_string().into(),
            line_ends: line_ends.collect(),
        }
    }

    /// Line `line`, counted from 1.
    pub(crate) fn line(&self, line: usize) -> Place {
        Place {
            file: Arc::clone(&self.file),
            line,
        }
    }

    /// Where a span begins.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        let before = self.line_ends.partition_point(|&end| end < span.start);
        self.line(before + 1)
    }

    /// What `check` makes of a value; its refusal gets the value's place.
    pub(crate) fn check<T, U>(
        &self,
        value: &Spanned<T>,
        check: impl FnOnce(&T) -> Result<U, Problem>,
    ) -> Result<U, Error> {
        check(value.get_ref()).map_err(|problem| problem.at(self.place(value.span())))
    }
}
