//! Exports and imports in, `ksym()` and `kernel()` tags out.

use std::collections::HashSet;
use std::fmt::Write;

use kmodule::{Crc, Error, Kernelrelease, Module, Symvers};

use crate::escape;
use crate::kernel::exact_release;
use crate::rules::{Dialect, TagRules};
use crate::tag::TagSet;

/// The exports of a kernel and all its own modules.
///
/// The redhat dialect names a symbol `kernel()` if they have it and `ksym()`
/// if it comes from out of tree.
pub struct KernelSymbols(HashSet<(Vec<u8>, Crc)>);

impl KernelSymbols {
    /// Takes every line of the kernel's symvers.
    pub fn new(symvers: &Symvers) -> Self {
        let entries = symvers.entries();
        Self(
            entries
                .map(|entry| (entry.name.to_vec(), entry.crc))
                .collect(),
        )
    }

    fn has(&self, name: &[u8], crc: Crc) -> bool {
        self.0.contains(&(name.to_vec(), crc))
    }
}

/// Provides: the symbols a module exports.
///
/// # Errors
/// What reading its tables gives.
pub fn exports(module: &Module<'_>, rules: &TagRules) -> Result<TagSet, Error> {
    let release = module.vermagic()?.kernelrelease;
    let spell = Spelling::new(rules, &release);
    let in_tree = is_in_tree(module);
    let exports = module.exports()?;
    let tag = |export: &kmodule::Export<'_>| spell.tag(in_tree, export.name, export.crc);
    Ok(exports.iter().map(tag).collect())
}

/// Requires: the symbols a module imports, or the exact kernelrelease where no
/// CRC tells whether it fits.
///
/// `kernel` is asked in the redhat dialect alone. A module of the kernel's own
/// tree imports from that tree only and does without.
///
/// # Errors
/// What reading its tables gives.
pub fn imports(
    module: &Module<'_>,
    rules: &TagRules,
    kernel: Option<&KernelSymbols>,
) -> Result<TagSet, Error> {
    let vermagic = module.vermagic()?;
    let release = &vermagic.kernelrelease;
    let imports = module.imports()?;
    if !vermagic.modversions || imports.is_empty() {
        log::info!("no modversions: requires exactly {release}");
        return Ok([exact_release(release)].into_iter().collect());
    }
    let spell = Spelling::new(rules, release);
    let in_tree = is_in_tree(module);
    let tag = |import: &kmodule::Import<'_>| {
        let from_kernel = kernel.map_or(in_tree, |kernel| kernel.has(import.name, import.crc));
        spell.tag(from_kernel, import.name, import.crc)
    };
    Ok(imports.iter().map(tag).collect())
}

/// Whether modpost marked the module as built within the kernel tree.
pub fn is_in_tree(module: &Module<'_>) -> bool {
    module.modinfo().value("intree") == Some(b"Y")
}

/// How a symbol with its CRC is written.
pub(crate) struct Spelling<'r> {
    dialect: Dialect,
    flavor: &'r str,
}

impl<'r> Spelling<'r> {
    pub(crate) fn new(rules: &'r TagRules, release: &'r Kernelrelease) -> Self {
        Self {
            dialect: rules.dialect,
            flavor: rules.flavor(release),
        }
    }

    pub(crate) fn tag(&self, from_kernel: bool, name: &[u8], crc: Crc) -> String {
        let name = escape::name(name);
        // Grown by format!, each of a kernel's 200,000 tags would move twice.
        let around = "kernel(:) = 0x12345678".len() + self.flavor.len();
        let mut tag = String::with_capacity(around + name.len());
        // Writing to a String cannot fail.
        let _ = match (self.dialect, from_kernel) {
            (Dialect::Suse, _) => write!(tag, "ksym({}:{name}) = {crc:x}", self.flavor),
            (Dialect::RedHat, true) => write!(tag, "kernel({name}) = 0x{crc:08x}"),
            (Dialect::RedHat, false) => write!(tag, "ksym({name}) = 0x{crc:08x}"),
        };
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crcs_are_spelled_as_each_dialect_compares_them() {
        let release = Kernelrelease::try_from(&b"6.4-default"[..]).unwrap();
        let mut rules = TagRules::default();
        let tag = |rules: &TagRules, from_kernel| {
            Spelling::new(rules, &release).tag(from_kernel, b"ehci_handshake", 0x0456664e)
        };
        assert_eq!(tag(&rules, true), "ksym(default:ehci_handshake) = 456664e");
        rules.dialect = Dialect::RedHat;
        assert_eq!(tag(&rules, true), "kernel(ehci_handshake) = 0x0456664e");
        assert_eq!(tag(&rules, false), "ksym(ehci_handshake) = 0x0456664e");
    }
}
