//! Why a policy cannot be used, in one line that names file and line.

use std::io;
use std::path::{Path, PathBuf};

use crate::Place;

/// A policy that is not as it must be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layer, or the directory of layers, cannot be read.
    #[error("{}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// A line says what no policy can say.
    #[error("{place}: {problem}")]
    Invalid {
        /// The line.
        place: Place,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A list cannot be read.
    #[error("{by}: imports {}", path.display())]
    Import {
        /// The line that names it.
        by: Place,
        /// The list.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// A line of an imported list cannot be understood.
    #[error("{error} (imported by {by})")]
    Imported {
        /// The line that names the list.
        by: Place,
        /// What is wrong, with the list's own line.
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
    /// No TOML, an unknown key, a missing one or a value of the wrong type.
    #[error("{0}")]
    Toml(String),
    /// A key that every policy has is in no layer.
    #[error("no layer has {0}")]
    Unset(&'static str),
    /// A set or pattern is there twice in one layer.
    #[error("{name:?} is there twice, first at {first}")]
    Twice {
        /// Its name.
        name: String,
        /// Where it is first.
        first: Place,
    },
    /// An empty selector, or `needs:` without a module.
    #[error("selector {0:?} names nothing")]
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
    #[error("selector {0:?}: such a path is not below lib/modules/<kernelrelease>")]
    OutOfTree(String),
    /// A selector that is no glob.
    #[error("selector {selector:?}: {reason}")]
    Glob {
        /// The selector.
        selector: String,
        /// Why not.
        reason: &'static str,
    },
    /// A selector that is no regular expression.
    #[error("selector {selector:?}: {reason}")]
    Regex {
        /// The selector.
        selector: String,
        /// Why not.
        reason: String,
    },
    /// `needs:` where rules are applied to modules one at a time.
    #[error("selector {0:?}: [[module]] cannot ask what a module needs")]
    Needs(String),
    /// A name that no package can have.
    #[error(
        "{0:?} is no package name: letters, digits and _ . + -, the first a letter, digit or _"
    )]
    PackageName(String),
    /// An addition that no package name can have.
    #[error("{0:?} cannot be part of a package name: letters, digits and . _ + - can")]
    NamePart(String),
    /// A template without `{name}`.
    #[error("{0:?} has no {{name}}, so all packages would have one name")]
    NoName(String),
    /// A template with a placeholder that has no meaning there.
    #[error("{template:?}: {{{placeholder}}} has no meaning here")]
    Placeholder {
        /// The template.
        template: String,
        /// What stands between the braces.
        placeholder: String,
    },
    /// A range that holds nothing.
    #[error("{0:?} is no range: a number from 1 on, then one that is not less")]
    Range(Vec<usize>),
    /// Zero directories.
    #[error("depth is at least 1")]
    Depth,
    /// More KiB than can be counted in bytes.
    #[error("{0} KiB are too many")]
    Largest(u64),
    /// Free text with a control character.
    #[error("{0:?} has a control character")]
    Control(String),
    /// A tag that rpm would take for something else.
    #[error("tag {tag:?} {why}")]
    Tag {
        /// The tag.
        tag: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A list of modules that is imported for nothing.
    #[error("modules.list says only which modules: set or supported must say what of them")]
    ListForNothing,
    /// A key that says what supported.conf says itself.
    #[error("{0} is not for supported.conf, whose guards say it")]
    GuardsSayIt(&'static str),
    /// Guards that guard nothing.
    #[error("guards without a module")]
    NoModule,
    /// A line of a list with more than a module.
    #[error("{0:?} is more than one module")]
    ManyWords(String),
}

impl Problem {
    pub(crate) fn at(self, place: Place) -> Error {
        let problem = self;
        Error::Invalid { place, problem }
    }
}
