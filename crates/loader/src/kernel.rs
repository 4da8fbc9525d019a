//! Describes a kernel, as far as it decides which modules load.

use kmodule::{Config, Kernelrelease, SignerId};

use crate::btf::BtfBase;
use crate::kernel_exports::{KernelExportSource, KernelExports};
use crate::own::OwnModules;

/// A kernel. What is `None` is not known, and is not checked.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its `uname -r`.
    pub release: Kernelrelease,
    /// What its image exports. Without, a symbol that no module exports is taken for the image's.
    pub exports: Option<KernelExports>,
    /// The configuration it was built with.
    pub config: Option<Config>,
    /// The BTF of its image.
    pub btf: Option<BtfBase>,
    /// Keys it trusts beside that of its own modules: of the machine's owner, or of the firmware.
    pub trusted: Vec<SignerId>,
    /// Unsigned modules are refused whatever its configuration says, as with the parameter
    /// `module.sig_enforce` or under lockdown.
    pub enforces_signatures: bool,
}

impl Kernel {
    /// A kernel of which nothing but its release is known.
    pub fn new(release: Kernelrelease) -> Self {
        Self {
            release,
            exports: None,
            config: None,
            btf: None,
            trusted: Vec::new(),
            enforces_signatures: false,
        }
    }

    /// Whether it refuses a module whose BTF does not fit (linux/kernel/bpf/btf.c,
    /// `btf_module_notify`). Only then it is worth checking.
    pub fn forbids_btf_mismatch(&self) -> bool {
        self.is_yes("DEBUG_INFO_BTF_MODULES") && !self.is_yes("MODULE_ALLOW_BTF_MISMATCH")
    }

    /// Whether it refuses modules without a good signature (linux/kernel/module/signing.c,
    /// `module_sig_check`, and linux/security/lockdown/lockdown.c).
    pub fn refuses_unsigned(&self) -> bool {
        self.enforces_signatures
            || self.is_yes("MODULE_SIG_FORCE")
            || self.is_yes("LOCK_DOWN_KERNEL_FORCE_INTEGRITY")
            || self.is_yes("LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY")
    }

    /// Whether it compares CRCs, as far as is known without its modules.
    fn has_modversions(&self) -> Option<bool> {
        if let Some(config) = &self.config {
            return Some(config.is_yes("MODVERSIONS"));
        }
        let exports = self.exports.as_ref()?;
        let is_known = exports.source() != KernelExportSource::SystemMap;
        is_known.then(|| exports.has_modversions())
    }

    fn is_yes(&self, option: &str) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.is_yes(option))
    }

    /// Whether its configuration is known and lacks an option.
    fn lacks(&self, option: &str) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| !config.is_yes(option))
    }
}

/// What its configuration makes a kernel do. A configuration is a long text, so it is asked once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// It compares CRCs.
    pub(crate) modversions: bool,
    /// Its CRCs are known.
    pub(crate) knows_crcs: bool,
    /// It loads a module whose versions are missing altogether, and taints itself
    /// (linux/kernel/module/main.c, `try_to_force_load`).
    pub(crate) forces: bool,
    /// A module may use a namespace that it does not import (linux/kernel/module/main.c,
    /// `verify_namespace_is_imported`).
    pub(crate) allows_missing_imports: bool,
    /// It refuses a module whose BTF does not fit.
    pub(crate) forbids_btf_mismatch: bool,
    /// It looks at signatures.
    pub(crate) reads_signatures: bool,
    /// It refuses modules without a good signature.
    pub(crate) refuses_unsigned: bool,
    /// It refuses live patches.
    pub(crate) refuses_livepatch: bool,
    /// It compares the size of `struct module`, as kernels since 6.4 do.
    pub(crate) compares_struct_module_size: bool,
}

impl Rules {
    pub(crate) fn of(kernel: &Kernel, own: &OwnModules<'_>) -> Self {
        let exports = kernel.exports.as_ref();
        Self {
            modversions: kernel
                .has_modversions()
                .unwrap_or_else(|| own.has_modversions()),
            knows_crcs: exports.is_some_and(KernelExports::has_modversions),
            forces: kernel.is_yes("MODULE_FORCE_LOAD"),
            allows_missing_imports: kernel.is_yes("MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS"),
            forbids_btf_mismatch: kernel.forbids_btf_mismatch(),
            reads_signatures: kernel.enforces_signatures || !kernel.lacks("MODULE_SIG"),
            refuses_unsigned: kernel.refuses_unsigned(),
            refuses_livepatch: kernel.lacks("LIVEPATCH"),
            compares_struct_module_size: version(&kernel.release) >= [6, 4],
        }
    }
}

/// The first two numbers of a release.
fn version(release: &Kernelrelease) -> [u64; 2] {
    let is_end = |c: char| !c.is_ascii_digit();
    let mut numbers = release.as_str().splitn(3, is_end);
    [(); 2].map(|()| {
        let number = numbers.next().and_then(|number| number.parse().ok());
        number.unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (release, expected) in [
            ("6.12.117+deb13-amd64", [6, 12]),
            ("6.1.0-50-amd64", [6, 1]),
            ("7.0-rc1", [7, 0]),
            ("6", [6, 0]),
            ("next", [0, 0]),
        ] {
            let release = Kernelrelease::try_from(release.as_bytes()).unwrap();
            assert_eq!(version(&release), expected);
        }
    }
}
