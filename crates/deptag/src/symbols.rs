//! Exports and imports in, `ksym()` and `kernel()` tags out.

use std::collections::HashSet;

use kmodule::{Crc, Error, Kernelrelease, Module, Symvers};

use crate::escape;
use crate::kernel::exact_release;
use crate::rules::{Dialect, TagRules};
use crate::tag::TagBuffer;

/// The exports of a kernel and all its own modules.
///
/// The redhat dialect names a symbol `kernel()` if they have it and `ksym()`
/// if it comes from out of tree.
pub struct KernelSymbols(HashSet<(Vec<u8>, Option<Crc>)>);

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

    fn has(&self, name: &[u8], crc: Option<Crc>) -> bool {
        self.0.contains(&(name.to_vec(), crc))
    }
}

/// Provides: the symbols a module exports.
///
/// # Errors
/// What reading its tables gives.
pub fn exports(module: &Module<'_>, rules: &TagRules, out: &mut TagBuffer) -> Result<(), Error> {
    let spell = Spelling::new(rules, &module.vermagic()?.kernelrelease);
    let in_tree = is_in_tree(module);
    for export in module.exports()? {
        out.add(|tag| spell.tag(in_tree, export.name, export.crc, tag));
    }
    Ok(())
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
    out: &mut TagBuffer,
) -> Result<(), Error> {
    let vermagic = module.vermagic()?;
    let release = &vermagic.kernelrelease;
    let imports = module.imports()?;
    if !vermagic.modversions || imports.is_empty() {
        log::info!("no modversions: requires exactly {release}");
        out.add(|tag| tag.extend_from_slice(exact_release(release).as_bytes()));
        return Ok(());
    }
    let spell = Spelling::new(rules, release);
    let in_tree = is_in_tree(module);
    for import in imports {
        let from_kernel = kernel.map_or(in_tree, |kernel| kernel.has(import.name, import.crc));
        out.add(|tag| spell.tag(from_kernel, import.name, import.crc, tag));
    }
    Ok(())
}

/// Whether modpost marked the module as built within the kernel tree.
pub fn is_in_tree(module: &Module<'_>) -> bool {
    module.modinfo().value("intree") == Some(b"Y")
}

/// How a symbol with its CRC is written.
pub(crate) struct Spelling {
    dialect: Dialect,
    /// What goes before the name of a symbol of the kernel, and of another's.
    before: (String, String),
}

impl Spelling {
    pub(crate) fn new(rules: &TagRules, release: &Kernelrelease) -> Self {
        let before = match rules.dialect {
            Dialect::Suse => {
                let before = format!("ksym({}:", rules.flavor(release));
                (before.clone(), before)
            }
            Dialect::RedHat => ("kernel(".to_owned(), "ksym(".to_owned()),
        };
        Self {
            dialect: rules.dialect,
            before,
        }
    }

    /// Appends the tag of a symbol.
    pub(crate) fn tag(&self, from_kernel: bool, name: &[u8], crc: Option<Crc>, tag: &mut Vec<u8>) {
        // As the kernel's build writes a CRC that it could not compute.
        let crc = crc.unwrap_or(0);
        let (kernel, other) = &self.before;
        tag.extend_from_slice(if from_kernel { kernel } else { other }.as_bytes());
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

/// Appends a CRC with as many digits as it needs, `least` of them at least. `write!` takes as long
/// as all the rest of a tag.
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
        let tag = |rules: &TagRules, from_kernel| {
            let mut tag = Vec::new();
            let spell = Spelling::new(rules, &release);
            spell.tag(from_kernel, b"ehci_handshake", Some(0x0456664e), &mut tag);
            String::from_utf8(tag).unwrap()
        };
        assert_eq!(tag(&rules, true), "ksym(default:ehci_handshake) = 456664e");
        rules.dialect = Dialect::RedHat;
        assert_eq!(tag(&rules, true), "kernel(ehci_handshake) = 0x0456664e");
        assert_eq!(tag(&rules, false), "ksym(ehci_handshake) = 0x0456664e");
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
