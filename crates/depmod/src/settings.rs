//! What a run of depmod is asked to do.

use std::path::PathBuf;

use kmod_index::Layout;

use kmod_conf::c_text::pair;

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
}

/// Where the symbols of the kernel itself are named, for reports of missing ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KernelSymbols {
    /// Nowhere.
    #[default]
    Unknown,
    /// In a Module.symvers, with their CRCs.
    Symvers(PathBuf),
    /// In a System.map.
    SystemMap(PathBuf),
}

/// Whether a word of the command line is a kernelrelease: two numbers with a dot between them, and
/// whatever may follow.
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
    /// Where the kernel's own symbols are named.
    pub kernel_symbols: KernelSymbols,
    /// The character some architectures put before symbols of C.
    pub symbol_prefix: Option<u8>,
    /// Warn of symbols nothing exports, or with another CRC.
    pub report_unknown: bool,
    /// Warn of aliases a module has twice.
    pub warn_duplicates: bool,
    /// All that has changed since the last run: files and directories that came, went or have
    /// other contents, absolute or below `directory`. A directory stands for everything in it,
    /// unless something in it is named, too. `None` where nobody knows.
    ///
    /// A complete list makes no difference but that nothing else is looked at.
    pub changed: Option<Vec<PathBuf>>,
}
