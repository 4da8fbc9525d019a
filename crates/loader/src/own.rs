//! Learns about a kernel from its own modules: those of its release that were built in its tree.
//!
//! Where they differ, what most of them say counts. So one damaged module does not decide over
//! all others.

use hashbrown::HashMap;
use kmodule::{Kernelrelease, Machine, SignerId};

use crate::facts::ModuleSignature;
use crate::modules::{Module, ModuleId, Modules};

/// What a kernel's own modules say of it; `None` where none says anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnModules<'m> {
    pub(crate) vermagic: Option<&'m [u8]>,
    pub(crate) machine: Option<Machine>,
    pub(crate) struct_module_size: Option<u64>,
    pub(crate) signer: Option<&'m SignerId>,
    /// Exports have flags in `__kflagstab`.
    pub(crate) has_export_flags: bool,
}

impl<'m> OwnModules<'m> {
    pub(crate) fn of(modules: &'m Modules, members: &[ModuleId], release: &Kernelrelease) -> Self {
        let release = release.as_str().as_bytes();
        let own: Vec<&Module> = members
            .iter()
            .map(|&member| modules.get(member))
            .filter(|module| is_own(module, release))
            .collect();
        let own = || own.iter().copied();
        let exporting = own().filter(|module| module.export_tables.symbols);
        let flags = most(exporting.map(|module| module.export_tables.flags));
        Self {
            vermagic: most(own().filter_map(|module| module.vermagic.as_deref())),
            machine: most(own().filter_map(|module| module.machine)),
            struct_module_size: most(own().filter_map(|module| module.struct_module_size)),
            signer: most(own().flat_map(|module| match &module.signature {
                ModuleSignature::By(signers) => signers.as_slice(),
                _ => &[],
            })),
            has_export_flags: flags.unwrap_or(false),
        }
    }
}

impl OwnModules<'_> {
    /// Whether they were built with modversions.
    pub(crate) fn has_modversions(&self) -> bool {
        let mut words = self
            .vermagic
            .unwrap_or_default()
            .split(|&byte| byte == b' ');
        words.any(|word| word == b"modversions")
    }
}

fn is_own(module: &Module, release: &[u8]) -> bool {
    let vermagic = module.vermagic.as_deref().unwrap_or_default();
    let built_for = vermagic.split(|&byte| byte == b' ').next();
    module.is_in_tree && built_for == Some(release)
}

/// The most frequent value; of several the smallest.
fn most<T: Ord + Eq + std::hash::Hash>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(value).or_insert(0_usize) += 1;
    }
    let better = |(one, count): &(T, usize), (other, most): &(T, usize)| {
        count.cmp(most).then_with(|| other.cmp(one))
    };
    counts.into_iter().max_by(better).map(|(value, _)| value)
}
