//! Holds what the kernel's loader asks of a module.
//!
//! Facts own their bytes, so that threads can read modules and one of them gathers the facts.

use kmodule::{ExportTables, Machine, SignerId};

use crate::btf::BtfId;
use crate::license;
use crate::symbol_list::{SymbolList, Version};

/// The table the loader takes the CRCs from that a module expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionTables {
    /// `__versions` is there.
    pub basic: bool,
    /// `__version_ext_crcs` is there. Then the loader does not look at `__versions`.
    pub extended: bool,
}

/// The signature behind a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModuleSignature {
    /// It was not asked for.
    #[default]
    Unread,
    /// There is none.
    Missing,
    /// Of a kind the kernel does not know.
    Unsupported,
    /// The kernel cannot read it.
    Damaged,
    /// Who signed.
    By(Vec<SignerId>),
}

/// The BTF of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModuleBtf {
    /// It has none.
    #[default]
    Missing,
    /// It comes with the types of the kernel that it refers to (`.BTF.base`).
    WithBase,
    /// It refers to the types of a kernel image: of those it was checked against, whether the
    /// kernel takes it.
    Split(Vec<(BtfId, bool)>),
}

/// What the kernel's loader asks of a module.
#[derive(Clone, Debug, Default)]
pub struct ModuleFacts {
    /// Its name, with `-` as `_`.
    pub name: Box<[u8]>,
    /// What it was compiled for; `None` for a module that is only made up.
    pub machine: Option<Machine>,
    /// All of `vermagic=`.
    pub vermagic: Option<Box<[u8]>>,
    /// `license=`.
    pub license: Option<Box<[u8]>>,
    /// Each `import_ns=`.
    pub import_ns: Vec<Box<[u8]>>,
    /// It was built in the kernel's own tree (`intree=`).
    pub is_in_tree: bool,
    /// It is a live patch (`livepatch=`).
    pub is_livepatch: bool,
    /// The size of its `struct module`.
    pub struct_module_size: Option<u64>,
    /// The signature behind it.
    pub signature: ModuleSignature,
    /// Its BTF.
    pub btf: ModuleBtf,
    /// The version tables it has.
    pub version_tables: VersionTables,
    /// What it expects of `module_layout`, which stands for the layout of `struct module` and
    /// others the loader works with.
    pub module_layout: Option<Version>,
    /// The tables of exports it has.
    pub export_tables: ExportTables,
    /// The symbols it imports and exports.
    pub symbols: SymbolList,
}

impl ModuleFacts {
    /// Whether the kernel takes it for proprietary by what it says of itself.
    pub fn is_proprietary(&self) -> bool {
        license::is_proprietary(&self.name, self.license.as_deref())
    }
}
