//! Defines the errors of this crate. Each is one line that names the file and what is wrong with it.

use std::io;
use std::path::{Path, PathBuf};

use crate::compression::Compression;

/// A file that could not be read as what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct Error {
    /// The file, as the caller named it.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl Error {
    /// Names the file a problem was found in.
    pub fn new(path: &Path, problem: Problem) -> Self {
        Self {
            path: path.to_owned(),
            problem,
        }
    }
}

/// The reason, without the file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The operating system refused a read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A directory, socket or device where a file should be.
    #[error("not a regular file")]
    NotAFile,
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// The compressed stream is broken or cut.
    #[error("broken {format} compression: {reason}")]
    Compression {
        /// The format its first bytes announce.
        format: Compression,
        /// What the decoder said.
        reason: io::Error,
    },
    /// A compressed stream whose dictionary or window is larger than any the kernel's build uses.
    #[error(
        "its {format} compression needs a dictionary of more than {limit} bytes; compress it with a smaller one"
    )]
    DictionaryTooLarge {
        /// The format its first bytes announce.
        format: Compression,
        /// The largest that is accepted.
        limit: u64,
    },
    /// A compressed stream with more in it than any such file has.
    #[error(
        "its {format} compression contains more than {limit} bytes; remove debug information before compressing"
    )]
    GrowsTooLarge {
        /// The format its first bytes announce.
        format: Compression,
        /// The most that is decompressed.
        limit: u64,
    },
    /// A file longer than any module, kernel image or symvers file.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: u64,
    },
    /// A plain file with larger sections than such a file has.
    #[error("the sections that are read take more than {limit} bytes")]
    TooMuch {
        /// The most that is read.
        limit: u64,
    },
    /// Neither ELF nor a compression that is known.
    #[error("not an ELF file")]
    NotElf,
    /// The ELF header or the section table is damaged.
    #[error("damaged ELF file: {0}")]
    Elf(#[from] object::read::Error),
    /// A section claims bytes the file does not have.
    #[error("cut short: section {section} ends at byte {end} of {len}")]
    CutShort {
        /// Its name.
        section: String,
        /// Where it should end.
        end: u64,
        /// The length of the (decompressed) file.
        len: u64,
    },
    /// An ELF file of another type than modules are.
    #[error("not a relocatable ELF file, as modules are, but of type {kind}")]
    NotRelocatable {
        /// Its e_type.
        kind: u16,
    },
    /// Bytes follow the ELF file of a module that are no signature.
    #[error(
        "what follows the ELF file at byte {at} is no signature; the file was cut short or changed"
    )]
    NoSignature {
        /// Where the ELF file ends.
        at: u64,
    },
    /// A section that must be there is not.
    #[error("no {0} section")]
    NoSection(&'static str),
    /// A section whose header or contents are damaged.
    #[error("bad {section} section: {reason}")]
    BadSection {
        /// Its name.
        section: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A field of .modinfo that is needed and missing.
    #[error("no {0}= in .modinfo")]
    NoField(&'static str),
    /// A kernelrelease with characters that no kernel build accepts.
    #[error("\"{0}\" is no kernelrelease")]
    BadRelease(String),
    /// Nothing says which kernel it belongs to.
    #[error("neither its path nor its content names a kernelrelease")]
    NoRelease,
    /// A file that looks like a kernel image and is none that can be read.
    #[error("bad kernel image: {0}")]
    BadKernel(&'static str),
    /// A signature that the kernel cannot read.
    #[error("damaged signature: {0}")]
    BadSignature(&'static str),
    /// A file that should be a `.config` and sets no option.
    #[error("no kernel configuration: no line starts with CONFIG_")]
    BadConfig,
    /// A line of a symvers file that does not parse.
    #[error("line {line}: {reason}")]
    BadSymvers {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Problem {
    /// What is wrong with a section of that name.
    pub(crate) fn bad_section(name: &str, reason: &'static str) -> Self {
        Self::BadSection {
            section: name.to_owned(),
            reason,
        }
    }
}

/// Shorthand inside this crate, where the path is added at the edge.
pub(crate) type Result<T> = std::result::Result<T, Problem>;
