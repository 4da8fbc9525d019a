//! Modules, as the kernel's loader and as kmod read them, plain or compressed.

use std::collections::BTreeSet;
use std::path::Path;

use deptag::{Dialect, TagBuffer, TagRules};
use kmodule::{Arena, AsKmod, Image, KmodSymbols, Module};

use super::compressed::{LIMITS, memory};
use crate::Target;
use crate::tags::check_tags;

/// A module as the kernel reads it, and all tags that are made of it.
pub const STRICT: Target = Target {
    name: "module",
    check: strict,
    memory,
};

/// A module as kmod reads it; where the kernel accepts it too, both read the same.
pub const LENIENT: Target = Target {
    name: "kmod_module",
    check: lenient,
    memory,
};

/// What errors call the input.
fn path() -> &'static Path {
    Path::new("fuzz.ko")
}

fn strict(input: &[u8]) {
    let Ok(image) = Image::from_bytes_within(path(), input, LIMITS) else {
        return;
    };
    let arena = Arena::new();
    let Ok(module) = Module::parse(&image, &arena) else {
        return;
    };
    check_symbols(&module);
    let _ = module.size();
    let _ = module.undefined();
    check_all_tags(&module);
}

/// What is read in several ways is the same.
fn check_symbols(module: &Module<'_>) {
    let _ = (module.export_tables(), module.versions());
    let exports = module.exports();
    if let Ok(exports) = &exports {
        assert!(exports.is_sorted(), "exports are not sorted");
    }
    let (Ok(names), Ok(detailed)) = (module.export_names(), module.detailed_exports()) else {
        return;
    };
    let detailed: BTreeSet<_> = detailed.iter().map(|export| export.name).collect();
    assert!(detailed.into_iter().eq(names), "names differ with details");
}

/// Makes every kind of tag in both dialects.
fn check_all_tags(module: &Module<'_>) {
    let mut out = TagBuffer::default();
    for dialect in [Dialect::Suse, Dialect::RedHat] {
        let rules = TagRules {
            dialect,
            kabi: "6.1.0_50".parse().ok(),
            ..TagRules::default()
        };
        let _ = deptag::exports(module, &rules, &mut out);
        let _ = deptag::imports(module, &rules, None, &mut out);
        let _ = deptag::hardware(module, &rules, &mut out);
        deptag::depends(module, &rules, &mut out);
        deptag::recommends(module, &rules, &mut out);
        deptag::suggests(module, &rules, &mut out);
        check_tags(out.tags());
        out.clear();
    }
}

fn lenient(input: &[u8]) {
    let Ok(image) = Image::from_bytes_within(path(), input, LIMITS) else {
        return;
    };
    let arena = Arena::new();
    let Ok(as_kmod) = AsKmod::parse(&image, &arena) else {
        return;
    };
    let symbols = as_kmod.symbols();
    if let Ok(exports) = &symbols.exports {
        for export in exports {
            as_kmod.crc(export);
        }
    }
    let fields = as_kmod.modinfo().map(|fields| {
        let aliases = fields.filter(|(key, _)| *key == b"alias");
        aliases.map(|(_, alias)| alias).collect::<Vec<_>>()
    });
    if let Ok(module) = Module::parse(&image, &arena) {
        check_same(&module, fields.as_deref().ok(), &symbols);
    }
}

/// A module that the kernel accepts says the same to kmod. Exports may differ: of a stripped module
/// kmod takes namespaces for some, or misses some.
fn check_same(module: &Module<'_>, aliases: Option<&[&[u8]]>, symbols: &KmodSymbols<'_>) {
    if let Some(aliases) = aliases {
        let wanted: Vec<_> = module.modinfo().values("alias").collect();
        assert_eq!(aliases, wanted, "aliases differ");
    }
    if let (Ok(imports), Ok(wanted)) = (&symbols.imports, module.undefined()) {
        let dedotted = |name: &'_ [u8]| name.strip_prefix(b".").unwrap_or(name).to_vec();
        let imports: BTreeSet<_> = imports.iter().map(|import| dedotted(import.name)).collect();
        for symbol in wanted {
            assert!(imports.contains(symbol.name), "{symbol:?} is no import");
        }
    }
}
