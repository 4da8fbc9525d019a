//! Kernels and modules made of facts.

use kmodule::{Config, ExportTables, Kernelrelease, Machine, Symvers};
use loader::{
    ExportedSymbol, ImportedSymbol, Kernel, KernelExports, ModuleFacts, ModuleId, ModuleSignature,
    Modules, Scope, Version, VersionTables,
};

pub const RELEASE: &str = "6.12.1-x";
pub const VERMAGIC: &str = "6.12.1-x SMP mod_unload modversions ";
pub const LAYOUT: u32 = 0x1a;
pub const SIZE: u64 = 1280;

/// What the image exports: CRC, name, module, type and namespace.
const SYMVERS: &str = "0x0000001a\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n\
    0x00000001\tplain\tvmlinux\tEXPORT_SYMBOL\t\n\
    0x00000002\tgpl\tvmlinux\tEXPORT_SYMBOL_GPL\t\n\
    0x00000003\tspaced\tvmlinux\tEXPORT_SYMBOL_GPL\tSPACE\n\
    0x00000004\tnamed\tvmlinux\tEXPORT_SYMBOL_GPL\tmodule:own,kvm-*\n\
    0x00000000\tno_crc\tvmlinux\tEXPORT_SYMBOL\t\n";

pub const CONFIG: &str = "CONFIG_MODVERSIONS=y\nCONFIG_MODULE_SIG=y\nCONFIG_LIVEPATCH=y\n";

pub const X86_64: Machine = Machine {
    number: 62,
    is_64: true,
    is_big_endian: false,
};

pub fn kernel() -> Kernel {
    let symvers = parse(SYMVERS);
    let mut kernel = Kernel::new(Kernelrelease::try_from(RELEASE.as_bytes()).unwrap());
    kernel.exports = Some(KernelExports::of_symvers(&symvers));
    kernel.config = Some(Config::new(CONFIG.into()));
    kernel
}

/// A kernel with more options.
pub fn configured(options: &str) -> Kernel {
    let mut kernel = kernel();
    kernel.config = Some(Config::new(format!("{CONFIG}{options}").into()));
    kernel
}

pub fn parse(symvers: &str) -> Symvers {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("symvers");
    std::fs::write(&path, symvers).unwrap();
    Symvers::open(&path).unwrap()
}

/// A sound module of the kernel's own tree.
pub fn module(name: &str) -> ModuleFacts {
    ModuleFacts {
        name: name.as_bytes().into(),
        machine: Some(X86_64),
        vermagic: Some(VERMAGIC.as_bytes().into()),
        license: Some(b"GPL"[..].into()),
        is_in_tree: true,
        struct_module_size: Some(SIZE),
        signature: ModuleSignature::By(vec![key(1)]),
        version_tables: VersionTables {
            basic: true,
            extended: false,
        },
        module_layout: Some(Version::Listed(Some(LAYOUT))),
        ..ModuleFacts::default()
    }
}

pub fn key(number: u8) -> kmodule::SignerId {
    kmodule::SignerId::Key([number; 20].into())
}

/// The same module, importing symbols with these CRCs.
pub fn importing(mut facts: ModuleFacts, symbols: &[(&str, u32)]) -> ModuleFacts {
    for (name, crc) in symbols {
        facts.symbols.add_import(&ImportedSymbol {
            name: name.as_bytes(),
            version: Version::Listed(Some(*crc)),
            weak: false,
        });
    }
    facts
}

/// The same module, exporting symbols: name, CRC, whether it is GPL-only, and namespace.
pub fn exporting(
    mut facts: ModuleFacts,
    symbols: &[(&str, u32, bool, Option<&str>)],
) -> ModuleFacts {
    facts.export_tables = ExportTables {
        symbols: true,
        crcs: true,
        flags: false,
    };
    for (name, crc, gpl_only, namespace) in symbols {
        facts.symbols.add_export(&ExportedSymbol {
            name: name.as_bytes(),
            crc: Some(*crc),
            namespace: namespace.map(str::as_bytes),
            gpl_only: *gpl_only,
        });
    }
    facts
}

/// Modules with those of the kernel that tell what it is like.
pub struct World {
    pub kernel: Kernel,
    pub modules: Modules,
}

impl World {
    pub fn new(kernel: Kernel) -> Self {
        let mut modules = Modules::new();
        for name in ["one", "two", "three"] {
            modules.add(module(name));
        }
        Self { kernel, modules }
    }

    pub fn add(&mut self, facts: ModuleFacts) -> ModuleId {
        self.modules.add(facts)
    }

    pub fn scope(&self) -> Scope<'_> {
        Scope::new(&self.modules, &self.kernel, self.modules.ids())
    }

    /// Why a module does not load.
    pub fn reasons(&self, module: ModuleId) -> Vec<String> {
        let scope = self.scope();
        let verdict = scope.verdict(module);
        let reasons = verdict.reasons.iter();
        reasons
            .map(|reason| scope.describe(module, reason))
            .collect()
    }
}

/// Why a module does not load in a kernel that has nothing else.
pub fn reasons(kernel: Kernel, facts: ModuleFacts) -> Vec<String> {
    let mut world = World::new(kernel);
    let id = world.add(facts);
    world.reasons(id)
}
