//! What the kernel's loader would say of any module, and its parts that read other formats.

use std::path::Path;

use kmodule::{Arena, Config, Image, Kernelrelease, Module, Symvers};
use loader::{BtfBase, Kernel, KernelExports, ModuleFacts, Modules, Reading, Scope, SymbolReading};

use super::compressed::{self, LIMITS};
use crate::message::check_message;
use crate::{Memory, Target};

/// A module for kernels that ask much and little.
pub const VERDICT: Target = Target {
    name: "loader",
    check: verdict,
    memory: compressed::memory,
};

/// Types of a kernel, then those of a module; the first two bytes say where they part.
pub const BTF: Target = Target {
    name: "btf",
    check: btf,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 256,
    },
};

const SYMVERS: &str = "0x1234abcd\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n\
    0xf0000002\tkmalloc_caches\tvmlinux\tEXPORT_SYMBOL_GPL\t\n\
    0x00000003\t_printk\tvmlinux\tEXPORT_SYMBOL\tNS\n";

const STRICT: &str = "CONFIG_MODVERSIONS=y\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_FORCE=y\n\
    CONFIG_DEBUG_INFO_BTF_MODULES=y\n";

fn kernel(config: Option<&str>) -> Option<Kernel> {
    let release = Kernelrelease::try_from(b"6.12.1-1-amd64".as_slice()).ok()?;
    let symvers = Symvers::from_bytes(Path::new("Module.symvers"), SYMVERS.as_bytes()).ok()?;
    Some(Kernel {
        exports: Some(KernelExports::of_symvers(&symvers)),
        config: config.map(|text| Config::new(text.as_bytes().to_vec())),
        ..Kernel::new(release)
    })
}

fn verdict(input: &[u8]) {
    let path = Path::new("kernel/fuzz.ko");
    let Ok(image) = Image::from_bytes_within(path, input, LIMITS) else {
        return;
    };
    let arena = Arena::new();
    let Ok(module) = Module::parse(&image, &arena) else {
        return;
    };
    for symbols in [SymbolReading::SymbolTable, SymbolReading::VersionTable] {
        let reading = Reading {
            symbols,
            signatures: true,
            btf_bases: &[],
        };
        let Ok(facts) = ModuleFacts::read(&module, path, reading) else {
            continue;
        };
        let mut modules = Modules::new();
        let id = modules.add(facts);
        let kernels =
            [None, Some(""), Some(STRICT)].map(|config| kernel(config).expect("a kernel"));
        for kernel in &kernels {
            let scope = Scope::new(&modules, kernel, [id]);
            let verdict = scope.verdict(id);
            assert_eq!(verdict.loads(), verdict.first().is_none());
            for reason in &verdict.reasons {
                check_message(&scope.describe(id, reason));
            }
        }
    }
}

fn btf(input: &[u8]) {
    let Some((length, rest)) = input.split_first_chunk() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (base, split) = rest.split_at(length);
    if let Some(base) = BtfBase::parse(base) {
        base.accepts(split);
    }
}
