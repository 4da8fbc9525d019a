//! The names of the files that depmod reads and writes beside the modules.
//!
//! Whoever writes, removes or packages these files takes their names from here; the rpm macros,
//! which cannot, are compared with this table by a test.

use std::ffi::OsStr;

/// A file that depmod writes for modprobe and others (kmod/tools/depmod.c, `depmod_output`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexFile {
    /// Modules and the modules they need.
    Dep,
    /// The same as a trie.
    DepBin,
    /// Aliases of modules.
    Alias,
    /// The same as a trie.
    AliasBin,
    /// Modules to load before and after others.
    Softdep,
    /// Modules that others may load later.
    Weakdep,
    /// Exported symbols.
    Symbols,
    /// The same as a trie.
    SymbolsBin,
    /// Modules linked into the kernel.
    BuiltinBin,
    /// Their aliases.
    BuiltinAliasBin,
    /// Device nodes that load modules.
    Devname,
}

impl IndexFile {
    /// All of them, in the order kmod writes them.
    pub const ALL: [Self; 11] = [
        Self::Dep,
        Self::DepBin,
        Self::Alias,
        Self::AliasBin,
        Self::Softdep,
        Self::Weakdep,
        Self::Symbols,
        Self::SymbolsBin,
        Self::BuiltinBin,
        Self::BuiltinAliasBin,
        Self::Devname,
    ];

    /// The names of all of them, in that order.
    #[allow(clippy::indexing_slicing, reason = "the compiler evaluates it")]
    pub const NAMES: [&'static str; Self::ALL.len()] = {
        let mut names = [""; Self::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::ALL[at].name();
            at += 1;
        }
        names
    };

    /// Its file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dep => "modules.dep",
            Self::DepBin => "modules.dep.bin",
            Self::Alias => "modules.alias",
            Self::AliasBin => "modules.alias.bin",
            Self::Softdep => "modules.softdep",
            Self::Weakdep => "modules.weakdep",
            Self::Symbols => "modules.symbols",
            Self::SymbolsBin => "modules.symbols.bin",
            Self::BuiltinBin => "modules.builtin.bin",
            Self::BuiltinAliasBin => "modules.builtin.alias.bin",
            Self::Devname => "modules.devname",
        }
    }

    /// Whether a file has the name of one of them.
    pub fn is_name(name: &OsStr) -> bool {
        Self::NAMES.iter().any(|known| name == *known)
    }

    /// Whether it is a trie, and not text.
    pub fn is_binary(self) -> bool {
        self.name().ends_with(".bin")
    }
}

/// A list that the kernel's build leaves beside the modules
/// (linux/Documentation/kbuild/kbuild.rst); depmod reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelList {
    /// Modules in the order of the kernel's makefiles.
    Order,
    /// Modules linked into the kernel.
    Builtin,
    /// What these say in .modinfo.
    BuiltinModinfo,
}

impl KernelList {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Order, Self::Builtin, Self::BuiltinModinfo];

    /// Its file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "modules.order",
            Self::Builtin => "modules.builtin",
            Self::BuiltinModinfo => "modules.builtin.modinfo",
        }
    }
}
