//! Describes what a dependency generator is: its program, the tags it prints, and of which files.

use std::path::Path;

use deptag::{Dialect, TagBuffer, TagRules};
use kmodule::Module;
use policy::{Override, TagKind};

use crate::Error;
use crate::file_set::{FileSet, MODULES};
use crate::softdeps::SoftdepsFile;
use crate::symvers::SymversCache;

/// A dependency generator of rpm.
#[derive(Clone, Copy)]
pub struct Generator {
    /// Its program. The file attribute has the same name, with `_` for `-`.
    pub name: &'static str,
    /// What it prints, in one line.
    pub summary: &'static str,
    /// What it prints of which file, for its manual page.
    pub description: &'static str,
    /// The tags it prints.
    pub prints: Prints,
    /// The generators of distributions that print the same tags: file attribute and type.
    pub replaces: &'static [(&'static str, TagKind)],
}

/// What a generator prints, depending on its options.
#[derive(Clone, Copy)]
pub enum Prints {
    /// One output by default, others with a flag.
    Outputs(&'static [GeneratorOutput]),
    /// Tags of the type that `--type` names.
    AnyType(&'static [TagWriter]),
}

/// The tags that a generator prints in one run.
#[derive(Clone, Copy)]
pub struct GeneratorOutput {
    /// The option that asks for it.
    pub option: OutputOption,
    /// The dependency type of the tags.
    pub types: TagTypes,
    /// What makes the tags, by kind of file.
    pub writers: &'static [TagWriter],
}

/// The option that asks for an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputOption {
    /// None: it is printed by default.
    Default,
    /// A flag.
    Flag {
        /// Its name, without dashes.
        name: &'static str,
        /// Its help text.
        help: &'static str,
    },
    /// `--type` with the type.
    Type(TagKind),
}

/// The dependency type of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagTypes {
    /// The same in both dialects.
    Same(TagKind),
    /// Different by dialect.
    ByDialect {
        /// In the suse dialect.
        suse: TagKind,
        /// In the redhat dialect.
        redhat: TagKind,
    },
}

/// Makes the tags of a file. The variant says what it needs to know.
#[derive(Clone, Copy)]
pub enum TagWriter {
    /// The module, which is read.
    Module(fn(&ReadModule<'_, '_>, &mut TagBuffer) -> Result<(), Error>),
    /// The module, and what the policy says of it.
    ModuleWithPolicy(fn(&ReadModule<'_, '_>, &Override<'_>, &mut TagBuffer) -> Result<(), Error>),
    /// What the policy says of the module, which is not read.
    Policy(fn(&NamedModule<'_>, &Override<'_>, TagKind, &mut TagBuffer)),
    /// Another file, which the function reads.
    File(
        &'static FileSet,
        fn(&OtherFile<'_>, &mut TagBuffer) -> Result<(), Error>,
    ),
}

/// A module that has been read.
pub struct ReadModule<'m, 'd> {
    pub(crate) path: &'m Path,
    pub(crate) name: &'m [u8],
    pub(crate) module: &'m Module<'d>,
    pub(crate) rules: &'m TagRules,
    pub(crate) symvers: &'m SymversCache,
    pub(crate) softdeps: &'m SoftdepsFile,
}

/// A module of which only the name is known.
pub struct NamedModule<'m> {
    pub(crate) name: &'m [u8],
    pub(crate) rules: &'m TagRules,
}

/// A file that is no module.
pub struct OtherFile<'f> {
    pub(crate) path: &'f Path,
    pub(crate) rules: &'f TagRules,
    pub(crate) symvers: &'f SymversCache,
}

impl Generator {
    /// The file attribute that runs it. Its name is part of macro names, which have no dash.
    pub fn attr(&self) -> String {
        self.name.replace('-', "_")
    }

    /// All outputs, the default first.
    pub fn outputs(&self) -> Vec<GeneratorOutput> {
        let of_type = |writers| {
            let output = |kind| GeneratorOutput {
                option: OutputOption::Type(kind),
                types: TagTypes::Same(kind),
                writers,
            };
            TagKind::ALL.map(output).to_vec()
        };
        match self.prints {
            Prints::Outputs(outputs) => outputs.to_vec(),
            Prints::AnyType(writers) => of_type(writers),
        }
    }

    /// The files it prints tags of.
    pub fn file_sets(&self) -> Vec<&'static FileSet> {
        let mut sets: Vec<&'static FileSet> = Vec::new();
        for set in self.writers().map(TagWriter::file_set) {
            if !sets.iter().any(|known| known.name == set.name) {
                sets.push(set);
            }
        }
        sets
    }

    /// Whether a policy changes what it prints.
    pub fn follows_policy(&self) -> bool {
        self.writers().any(TagWriter::follows_policy)
    }

    /// Whether it prints nothing without a policy.
    pub fn needs_policy(&self) -> bool {
        self.writers()
            .all(|writer| matches!(writer, TagWriter::Policy(_)))
    }

    fn writers(&self) -> impl Iterator<Item = &'static TagWriter> {
        let (outputs, writers) = match self.prints {
            Prints::Outputs(outputs) => (outputs, &[][..]),
            Prints::AnyType(writers) => (&[][..], writers),
        };
        let of_outputs = outputs.iter().flat_map(|output| output.writers);
        of_outputs.chain(writers)
    }
}

impl TagTypes {
    /// The dependency type in a dialect.
    pub fn of(self, dialect: Dialect) -> TagKind {
        match (self, dialect) {
            (Self::Same(kind), _) => kind,
            (Self::ByDialect { suse, .. }, Dialect::Suse) => suse,
            (Self::ByDialect { redhat, .. }, Dialect::RedHat) => redhat,
        }
    }
}

impl TagWriter {
    fn file_set(&self) -> &'static FileSet {
        match self {
            Self::Module(_) | Self::ModuleWithPolicy(_) | Self::Policy(_) => &MODULES,
            Self::File(set, _) => set,
        }
    }

    /// Whether it needs the policy.
    pub(crate) fn follows_policy(&self) -> bool {
        matches!(self, Self::ModuleWithPolicy(_) | Self::Policy(_))
    }

    /// Whether it needs the module to be read.
    pub(crate) fn reads_module(&self) -> bool {
        matches!(self, Self::Module(_) | Self::ModuleWithPolicy(_))
    }
}
