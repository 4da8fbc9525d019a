//! Makes `ksym()` and `kernel()` tags from the exports and imports of modules and kernels.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use kmodule::{Crc, Error, Import, Kernelrelease, Module, Symvers, normalized};

use crate::escape;
use crate::release::exact_release;
use crate::rules::{Dialect, TagRules};
use crate::tag::TagBuffer;

/// The exports of a kernel and of all modules of its tree.
///
/// The redhat dialect writes `kernel()` for these symbols, and `ksym()` for those of modules that
/// are built out of tree.
pub struct InTreeSymbols(HashMap<(Vec<u8>, Option<Crc>), InTreeExporter>);

/// Who exports a symbol of a kernel's tree.
enum InTreeExporter {
    Image,
    /// A module, with `_` for each `-`.
    Module(Vec<u8>),
}

impl InTreeSymbols {
    /// The exports that the kernel's symvers lists.
    pub fn new(symvers: &Symvers) -> Self {
        let entries = symvers.entries().map(|entry| {
            let exporter = match entry.module {
                b"vmlinux" => InTreeExporter::Image,
                path => {
                    let name = path.rsplit(|&byte| byte == b'/').next();
                    InTreeExporter::Module(normalized(name.unwrap_or(path)).into_owned())
                }
            };
            ((entry.name.to_vec(), entry.crc), exporter)
        });
        Self(entries.collect())
    }

    /// Whether the kernel's tree exports what an out-of-tree module imports.
    ///
    /// Another module out of tree may export a symbol under the same name and with the same CRC as a
    /// module of the tree. Then `depends=` names who modpost took it from. The image's symbols nobody
    /// else can export (linux/kernel/module/main.c, `verify_exported_symbols`).
    fn exports(&self, import: &Import<'_>, depends: &HashSet<Vec<u8>>) -> bool {
        match self.get(import) {
            Some(InTreeExporter::Module(name)) => depends.contains(name),
            exporter => exporter.is_some(),
        }
    }

    fn get(&self, import: &Import<'_>) -> Option<&InTreeExporter> {
        self.0.get(&(import.name.to_vec(), import.crc))
    }

    /// Whether a module with these imports was built for this kernel, as far as `module_layout` tells:
    /// all modules with modversions import it, and its CRC differs between kernels.
    fn is_of_kernel_of(&self, imports: &[Import<'_>]) -> bool {
        let mut layouts = imports
            .iter()
            .filter(|import| import.name == b"module_layout");
        layouts.all(|layout| self.get(layout).is_some())
    }
}

/// Why there are no tags of what a module imports.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A table of the module is damaged.
    #[error(transparent)]
    Module(#[from] Error),
    /// The symvers file is that of another kernel.
    #[error("the symvers file is not of {0}, which the module was built for")]
    OtherKernel(Kernelrelease),
}

/// Adds Provides of the symbols that a module exports.
///
/// # Errors
/// A table of the module is damaged.
pub fn exports(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) -> Result<(), Error> {
    let spelling = SymbolSpelling::new(rules, &module.vermagic()?.kernelrelease);
    let owner = SymbolOwner::kernel_if(is_in_tree(module));
    for export in module.exports()? {
        out.add(|tag| spelling.append(owner, export.name, export.crc, tag));
    }
    Ok(())
}

/// Adds Requires of the symbols that a module imports. Without modversions there are no CRCs, and
/// the module requires exactly its kernelrelease instead.
///
/// `in_tree` tells in the redhat dialect who exports a symbol. Without it the module's own mark
/// decides: a module of the kernel's tree imports from that tree only.
///
/// # Errors
/// A table of the module is damaged, or `in_tree` is of another kernel.
pub fn imports(
    module: &Module<'_>,
    rules: &TagRules,
    in_tree: Option<&InTreeSymbols>,
    out: &mut TagBuffer,
) -> Result<(), ImportError> {
    let vermagic = module.vermagic()?;
    let release = &vermagic.kernelrelease;
    let imports = module.imports()?;
    if !vermagic.modversions || imports.is_empty() {
        log::info!("no modversions: requires exactly {release}");
        out.add_text(&exact_release(release, rules));
        return Ok(());
    }
    let spelling = SymbolSpelling::new(rules, release);
    if in_tree.is_some_and(|known| !known.is_of_kernel_of(&imports)) {
        return Err(ImportError::OtherKernel(release.clone()));
    }
    let is_in_tree = is_in_tree(module);
    let depends = module.modinfo().list("depends").map(normalized);
    let depends: HashSet<_> = depends.map(Cow::into_owned).collect();
    for import in imports {
        let in_tree = match in_tree {
            None => is_in_tree,
            Some(known) if is_in_tree => known.get(&import).is_some(),
            Some(known) => known.exports(&import, &depends),
        };
        let owner = SymbolOwner::kernel_if(in_tree);
        out.add(|tag| spelling.append(owner, import.name, import.crc, tag));
    }
    Ok(())
}

/// Whether modpost marked the module as built inside the kernel tree (`intree=Y`).
pub fn is_in_tree(module: &Module<'_>) -> bool {
    module.modinfo().value("intree") == Some(b"Y")
}

/// Who exports a symbol.
#[derive(Clone, Copy)]
pub(crate) enum SymbolOwner {
    /// The kernel image or a module of its tree.
    Kernel,
    /// A module that is built out of tree.
    OutOfTree,
}

impl SymbolOwner {
    fn kernel_if(in_tree: bool) -> Self {
        match in_tree {
            true => Self::Kernel,
            false => Self::OutOfTree,
        }
    }
}

/// How a dialect writes a symbol with its CRC.
pub(crate) struct SymbolSpelling {
    dialect: Dialect,
    /// What is written before the symbol's name, for the kernel's symbols.
    before_kernel: String,
    /// The same for symbols of modules out of tree.
    before_out_of_tree: String,
}

impl SymbolSpelling {
    pub(crate) fn new(rules: &TagRules, release: &Kernelrelease) -> Self {
        let (before_kernel, before_out_of_tree) = match rules.dialect {
            Dialect::Suse => {
                let before = format!("ksym({}:", rules.flavor(release));
                (before.clone(), before)
            }
            Dialect::RedHat => ("kernel(".to_owned(), "ksym(".to_owned()),
        };
        Self {
            dialect: rules.dialect,
            before_kernel,
            before_out_of_tree,
        }
    }

    /// Appends the tag of a symbol.
    pub(crate) fn append(
        &self,
        owner: SymbolOwner,
        name: &[u8],
        crc: Option<Crc>,
        tag: &mut Vec<u8>,
    ) {
        // The kernel's build writes 0 for a CRC that it could not compute.
        let crc = crc.unwrap_or(0);
        let before = match owner {
            SymbolOwner::Kernel => &self.before_kernel,
            SymbolOwner::OutOfTree => &self.before_out_of_tree,
        };
        tag.extend_from_slice(before.as_bytes());
        escape::name(name, tag);
        match self.dialect {
            Dialect::Suse => {
                tag.extend_from_slice(b") = ");
                push_hex(crc, 1, tag);
            }
            Dialect::RedHat => {
                tag.extend_from_slice(b") = 0x");
                push_hex(crc, 8, tag);
            }
        }
    }
}

/// Appends a CRC in hexadecimal, with zeros in front up to `least` digits. `write!` would take as
/// long as the whole rest of a tag.
fn push_hex(crc: Crc, least: usize, tag: &mut Vec<u8>) {
    let bytes = crc.to_be_bytes();
    let digits = bytes.map(|byte| [byte >> 4, byte & 0xf].map(hex_digit));
    let digits = digits.as_flattened();
    let zeros = crc.leading_zeros() as usize / 4;
    let skipped = zeros.min(digits.len() - least);
    tag.extend_from_slice(digits.get(skipped..).unwrap_or_default());
}

fn hex_digit(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        _ => b'a' - 10 + value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crcs_are_spelled_as_each_dialect_compares_them() {
        let release = Kernelrelease::try_from(&b"6.4-default"[..]).unwrap();
        let mut rules = TagRules::default();
        let tag = |rules: &TagRules, owner| {
            let mut tag = Vec::new();
            let spelling = SymbolSpelling::new(rules, &release);
            spelling.append(owner, b"ehci_handshake", Some(0x0456664e), &mut tag);
            String::from_utf8(tag).unwrap()
        };
        use SymbolOwner::{Kernel, OutOfTree};
        for owner in [Kernel, OutOfTree] {
            assert_eq!(tag(&rules, owner), "ksym(default:ehci_handshake) = 456664e");
        }
        rules.dialect = Dialect::RedHat;
        assert_eq!(tag(&rules, Kernel), "kernel(ehci_handshake) = 0x0456664e");
        assert_eq!(tag(&rules, OutOfTree), "ksym(ehci_handshake) = 0x0456664e");
    }

    #[test]
    fn crcs_have_the_digits_of_hexadecimal_numbers() {
        for crc in [
            0,
            1,
            0xf,
            0x10,
            0xabcdef,
            0x0fff_ffff,
            0x1000_0000,
            Crc::MAX,
        ] {
            let written = |least| {
                let mut tag = Vec::new();
                push_hex(crc, least, &mut tag);
                String::from_utf8(tag).unwrap()
            };
            assert_eq!(written(1), format!("{crc:x}"));
            assert_eq!(written(8), format!("{crc:08x}"));
        }
    }
}
