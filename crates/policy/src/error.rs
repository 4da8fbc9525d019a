//! Why a policy cannot be used. Each message is one line that names the file and the line.

use std::io;
use std::path::{Path, PathBuf};

use crate::file_line::FileLine;

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layer, or the directory of layers, cannot be read.
    #[error("cannot read the policy {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{line}: {problem}")]
    Invalid {
        /// The line.
        line: FileLine,
        /// What is wrong with it.
        problem: Problem,
    },
    /// An imported list cannot be read.
    #[error("{by}: cannot read the list {}", path.display())]
    Import {
        /// The line that imports the list.
        by: FileLine,
        /// The list.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line of an imported list is wrong.
    #[error("{error} (imported by {by})")]
    Imported {
        /// The line that imports the list.
        by: FileLine,
        /// What is wrong, with the line of the list.
        error: Box<Error>,
    },
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

/// What is wrong with a line of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is not TOML, a key is unknown or missing, or a value has the wrong type.
    #[error("{0}")]
    Toml(String),
    /// No layer sets a key that needs a value.
    #[error("no layer sets {0}")]
    Unset(&'static str),
    /// One layer defines a set or a pattern twice.
    #[error("{name:?} is defined twice in this file, first at {first}: merge the two")]
    Twice {
        /// The name.
        name: String,
        /// The line of the first definition.
        first: FileLine,
    },
    /// An empty selector, or `needs:` without a module.
    #[error("selector {0:?} is empty: write a module's name, a path or a pattern")]
    EmptySelector(String),
    /// A selector with a character that no module's path has.
    #[error("selector {selector:?}: no module's path has {character:?}")]
    Character {
        /// The selector.
        selector: String,
        /// The character.
        character: char,
    },
    /// A selector that is no path below `lib/modules/<kernelrelease>`.
    #[error(
        "selector {0:?}: write the path below lib/modules/<kernelrelease>, such as kernel/fs/ext4"
    )]
    OutOfTree(String),
    /// A selector that is not a valid glob.
    #[error("selector {selector:?}: {reason}")]
    Glob {
        /// The selector.
        selector: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A selector that is not a valid regular expression.
    #[error("selector {selector:?}: {reason}")]
    Regex {
        /// The selector.
        selector: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A regular expression that needs more memory than all of them together may take.
    #[error(
        "selector {selector:?}: the regular expressions of a policy may take {limit} KiB of \
         memory together, and this one exceeds that: shorten its counted repetitions"
    )]
    RegexTooLarge {
        /// The selector.
        selector: String,
        /// The limit.
        limit: usize,
    },
    /// `needs:` in a `[[module]]` rule.
    #[error(
        "selector {0:?}: `needs:` is not possible in [[module]]; put the modules into a [[set]]"
    )]
    Needs(String),
    /// A name that no package can have.
    #[error(
        "{0:?} is not a package name: use letters, digits and _ . + -, and begin with a letter, a \
         digit or _"
    )]
    PackageName(String),
    /// A name that makes the file name of the package too long.
    #[error(
        "{start:?}… is too long for a package name: it has {length} bytes, and rpm's file names, \
         which begin with it, may have {limit}"
    )]
    LongName {
        /// Its first letters.
        start: String,
        /// Its length.
        length: usize,
        /// The longest file name.
        limit: usize,
    },
    /// A suffix that no package name can have.
    #[error("{0:?} cannot be part of a package name: use letters, digits and . _ + -")]
    NamePart(String),
    /// A template without `{name}`.
    #[error("{0:?} has no {{name}}: all packages would have the same name")]
    NoName(String),
    /// A template with a placeholder that it cannot have.
    #[error("{template:?}: {{{placeholder}}} has no meaning here")]
    Placeholder {
        /// The template.
        template: String,
        /// The text between the braces.
        placeholder: String,
    },
    /// A range without a number in it.
    #[error("{0:?} is not a range: write two numbers from 1 on, the smaller one first")]
    Range(Vec<usize>),
    /// A depth of zero directories.
    #[error("depth must be at least 1")]
    Depth,
    /// A size in KiB that overflows as a number of bytes.
    #[error("{0} KiB is too large")]
    Largest(u64),
    /// Free text with a control character.
    #[error("{0:?} has a control character")]
    Control(String),
    /// A tag that rpm would not read as one.
    #[error("tag {tag:?} {why}")]
    Tag {
        /// The tag.
        tag: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An imported list of modules for which nothing is decided.
    #[error("a list of modules needs `set` or `supported`, which say what it is for")]
    ListForNothing,
    /// A key that the guards of supported.conf decide.
    #[error("remove {0}: the guards of supported.conf decide it")]
    GuardsDecide(&'static str),
    /// Guards before no module.
    #[error("guards without a module: write a path behind them")]
    NoModule,
    /// A line of a list with several words.
    #[error("{0:?} has several words: write one module a line")]
    ManyWords(String),
}

impl Problem {
    pub(crate) fn at(self, line: FileLine) -> Error {
        let problem = self;
        Error::Invalid { line, problem }
    }
}
