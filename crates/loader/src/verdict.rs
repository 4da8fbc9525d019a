//! Says whether a kernel would load a module, and every reason why not.
//!
//! The checks are those of `load_module` (linux/kernel/module/main.c), in its order. What only
//! taints the kernel is no reason: a missing licence, a module of another tree, a module for tests.

use crate::facts::{ModuleBtf, ModuleSignature};
use crate::modules::{Module, ModuleId};
use crate::reason::Reason;
use crate::scope::{Exporter, Scope};
use crate::{namespace, symbols};

/// What a kernel would say of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why it does not load, in the order the kernel would come upon it. The kernel stops at the
    /// first reason that is not about a symbol.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// Whether it loads.
    pub fn loads(&self) -> bool {
        self.reasons.is_empty()
    }

    /// The reason the kernel names first.
    pub fn first(&self) -> Option<&Reason> {
        self.reasons.first()
    }
}

impl Scope<'_> {
    /// What the kernel would say of a module whose dependencies are loaded.
    pub fn verdict(&self, id: ModuleId) -> Verdict {
        let module = self.modules.get(id);
        let mut reasons = Vec::new();
        reasons.extend(self.denied(module));
        reasons.extend(self.signature(module));
        reasons.extend(self.machine(module));
        let mut struct_module_size = self.struct_module_size(module);
        if self.rules.compares_struct_module_size {
            reasons.extend(struct_module_size.take());
        }
        reasons.extend(self.module_layout(module));
        reasons.extend(self.vermagic(module));
        reasons.extend(self.livepatch(module));
        self.export_tables(module, &mut reasons);
        self.imported_namespaces(module, &mut reasons);
        symbols::check(self, id, &mut reasons);
        self.duplicates(id, &mut reasons);
        reasons.extend(self.btf(module));
        reasons.extend(struct_module_size);
        Verdict { reasons }
    }

    fn denied(&self, module: &Module) -> Option<Reason> {
        self.denies(&module.name).then_some(Reason::Denied)
    }

    /// linux/kernel/module/signing.c, `module_sig_check`.
    fn signature(&self, module: &Module) -> Option<Reason> {
        if !self.rules.reads_signatures {
            return None;
        }
        let reason = match &module.signature {
            ModuleSignature::Unread => return None,
            ModuleSignature::Damaged => return Some(Reason::DamagedSignature),
            ModuleSignature::Missing => Reason::Unsigned,
            ModuleSignature::Unsupported => Reason::UnsupportedSignature,
            ModuleSignature::By(signers) => {
                let own = self.own.signer?;
                let is_known = |signer| own == signer || self.kernel.trusted.contains(signer);
                if signers.iter().any(is_known) {
                    return None;
                }
                Reason::UnknownKey
            }
        };
        self.rules.refuses_unsigned.then_some(reason)
    }

    /// linux/kernel/module/main.c, `elf_validity_ehdr`.
    fn machine(&self, module: &Module) -> Option<Reason> {
        let (module, kernel) = (module.machine?, self.own.machine?);
        (module != kernel).then_some(Reason::OtherMachine { module, kernel })
    }

    /// linux/kernel/module/main.c, `elf_validity_cache_index_mod`. Kernels before 6.4 do not
    /// compare the sizes: they load the module and read beyond its `struct module`. So it is
    /// their last reason.
    fn struct_module_size(&self, module: &Module) -> Option<Reason> {
        let (module, kernel) = (module.struct_module_size, self.own.struct_module_size?);
        (module != Some(kernel)).then_some(Reason::StructModuleSize { module, kernel })
    }

    /// linux/kernel/module/version.c, `check_modstruct_version`.
    fn module_layout(&self, module: &Module) -> Option<Reason> {
        let exports = self.kernel.exports.as_ref();
        let export = exports
            .filter(|_| self.rules.knows_crcs)?
            .get(b"module_layout")?;
        symbols::check_version(self, module, module.module_layout?, export.crc)
            .map(|fault| fault.reason(None, Exporter::Kernel))
    }

    /// linux/kernel/module/main.c, `check_modinfo`, and version.c, `same_magic`. Only `__versions`
    /// makes the kernel leave out the release, not the extended sections.
    fn vermagic(&self, module: &Module) -> Option<Reason> {
        let Some(vermagic) = module.vermagic.as_deref() else {
            let is_real = module.machine.is_some();
            return (is_real && !self.rules.forces).then_some(Reason::NoVermagic);
        };
        let kernel = self.own.vermagic?;
        let without_release = module.version_tables.basic && self.rules.modversions;
        let is_same = match without_release {
            true => behind_release(vermagic) == behind_release(kernel),
            false => vermagic == kernel,
        };
        (!is_same).then_some(Reason::Vermagic { without_release })
    }

    /// linux/kernel/module/main.c, `check_modinfo_livepatch`.
    fn livepatch(&self, module: &Module) -> Option<Reason> {
        (module.is_livepatch && self.rules.refuses_livepatch).then_some(Reason::Livepatch)
    }

    /// linux/kernel/module/main.c, `check_export_symbol_sections`, in kernels before
    /// `__kflagstab` `check_module_license_and_versions`.
    fn export_tables(&self, module: &Module, reasons: &mut Vec<Reason>) {
        let tables = module.export_tables;
        if tables.symbols && self.own.has_export_flags && !tables.flags {
            reasons.push(Reason::ExportsWithoutFlags);
        }
        if tables.symbols && self.rules.modversions && !tables.crcs && !self.rules.forces {
            reasons.push(Reason::ExportsWithoutCrcs);
        }
    }

    /// linux/kernel/module/main.c, `setup_modinfo`.
    fn imported_namespaces(&self, module: &Module, reasons: &mut Vec<Reason>) {
        if !self.knows_module_namespaces {
            return;
        }
        let names_modules = |space: &_| namespace::names_modules(self.modules.symbol(*space));
        let wrong = module.import_ns.iter().copied().filter(names_modules);
        reasons.extend(wrong.map(|namespace| Reason::ImportsModuleNamespace { namespace }));
    }

    /// linux/kernel/module/main.c, `verify_exported_symbols`. Another module with the same symbol
    /// need not be loaded, so only the image's are looked at.
    fn duplicates(&self, id: ModuleId, reasons: &mut Vec<Reason>) {
        let exports = self.modules.exports(id).iter();
        let duplicates = exports.filter(|export| self.kernel_offer(export.symbol).is_some());
        reasons.extend(duplicates.map(|export| Reason::DuplicateExport {
            symbol: export.symbol,
        }));
    }

    /// linux/kernel/bpf/btf.c, `btf_module_notify`.
    fn btf(&self, module: &Module) -> Option<Reason> {
        let kernel = self.kernel.btf.as_ref()?.id();
        let ModuleBtf::Split(checked) = &module.btf else {
            return None;
        };
        let (_, accepted) = checked.iter().find(|(base, _)| *base == kernel)?;
        (!accepted && self.rules.forbids_btf_mismatch).then_some(Reason::Btf)
    }
}

/// From the first blank on.
fn behind_release(vermagic: &[u8]) -> &[u8] {
    let blank = vermagic.iter().position(|&byte| byte == b' ');
    blank
        .and_then(|blank| vermagic.get(blank..))
        .unwrap_or_default()
}
