//! What a run of depmod is asked to do.

use std::path::PathBuf;

use kmod_conf::c_text::pair;
use kmod_index::{IndexFile, Layout};

/// Whose bytes are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// kmod 34's.
    #[default]
    Kmod34,
    /// kmod 30's: no modules.weakdep, other order of nodes, the last of repeated lines in
    /// modules.order.
    Kmod30,
}

impl Compat {
    pub(crate) fn layout(self) -> Layout {
        match self {
            Self::Kmod34 => Layout::PreOrder,
            Self::Kmod30 => Layout::PostOrder,
        }
    }

    /// The files that this version writes, in its order.
    pub fn files(self) -> impl Iterator<Item = IndexFile> {
        let is_known = move |file: &IndexFile| self == Self::Kmod34 || *file != IndexFile::Weakdep;
        IndexFile::ALL.into_iter().filter(is_known)
    }
}

/// The file that names the kernel's own symbols, for reports of missing ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KernelSymbolsFile {
    /// There is none.
    #[default]
    None,
    /// A Module.symvers, which has their CRCs.
    Symvers(PathBuf),
    /// A System.map.
    SystemMap(PathBuf),
}

/// Whether a word of the command line is a kernelrelease for kmod: it begins with two numbers and a
/// dot between them.
pub fn is_release(word: &str) -> bool {
    pair(word.as_bytes(), b".").is_some()
}

/// What a run of depmod is asked to do.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whose bytes are made.
    pub compat: Compat,
    /// What `override` and `external` lines of the configuration are compared with.
    pub release: String,
    /// Where the modules of that release lie.
    pub directory: PathBuf,
    /// Files and directories with configuration instead of the system's.
    pub config: Option<Vec<PathBuf>>,
    /// The file that names the kernel's own symbols.
    pub kernel_symbols: KernelSymbolsFile,
    /// The character some architectures put before symbols of C.
    pub symbol_prefix: Option<u8>,
    /// Warn of symbols nothing exports, or with another CRC.
    pub report_unknown: bool,
    /// Warn of aliases a module has twice.
    pub warn_duplicates: bool,
    /// All files and directories that were added, removed or changed since the last run, absolute or
    /// below `directory`. A directory stands for everything in it, unless something in it is named,
    /// too. `None` if nobody knows.
    ///
    /// If the list is complete, the only difference is that nothing else is looked at.
    pub changed: Option<Vec<PathBuf>>,
}

impl Settings {
    /// Whether symbols are reported, which needs more of modules than their names.
    pub(crate) fn needs_symbol_details(&self) -> bool {
        self.report_unknown && self.kernel_symbols != KernelSymbolsFile::None
    }
}
