//! What can be wrong with a symbol that a module imports.

use loader::{ImportedSymbol, Kernel, KernelExports, ModuleFacts, Version, VersionTables};

use crate::made::{World, configured, exporting, importing, kernel, module, reasons};

fn import(facts: &mut ModuleFacts, name: &str, version: Version, weak: bool) {
    facts.symbols.add_import(&ImportedSymbol {
        name: name.as_bytes(),
        version,
        weak,
    });
}

#[test]
fn missing() {
    let facts = importing(module("own"), &[("absent", 1), ("plain", 1), ("gone", 2)]);
    assert_eq!(
        reasons(kernel(), facts),
        ["nothing exports absent", "nothing exports gone"]
    );
}

#[test]
fn a_weak_symbol_may_be_missing_but_not_wrong() {
    let mut facts = module("own");
    import(&mut facts, "absent", Version::Unlisted, true);
    import(&mut facts, "plain", Version::Listed(Some(7)), true);
    assert_eq!(
        reasons(kernel(), facts),
        ["it expects plain of the kernel with the CRC 00000007, not 00000001"]
    );
}

#[test]
fn another_crc_than_that_of_the_image() {
    let facts = importing(module("own"), &[("plain", 2), ("gpl", 2)]);
    let expected = ["it expects plain of the kernel with the CRC 00000002, not 00000001"];
    assert_eq!(reasons(kernel(), facts), expected);
}

#[test]
fn another_crc_than_that_of_a_module() {
    let mut world = World::new(kernel());
    world.add(exporting(module("base"), &[("shared", 0x99, false, None)]));
    let id = world.add(importing(module("own"), &[("shared", 0x98)]));
    assert_eq!(
        world.reasons(id),
        ["it expects shared of base with the CRC 00000098, not 00000099"]
    );
}

/// The kernel compares the 0 that stands for no CRC, too.
#[test]
fn a_symbol_without_crc_is_compared_like_any_other() {
    let mut facts = module("own");
    import(&mut facts, "no_crc", Version::Listed(None), false);
    assert_eq!(reasons(kernel(), facts), [""; 0]);
    let facts = importing(module("own"), &[("no_crc", 5)]);
    assert_eq!(
        reasons(kernel(), facts),
        ["it expects no_crc of the kernel with the CRC 00000005, not 00000000"]
    );
}

#[test]
fn a_symbol_that_is_not_listed() {
    let unlisted = |basic, extended| {
        let mut facts = ModuleFacts {
            version_tables: VersionTables { basic, extended },
            ..module("own")
        };
        import(&mut facts, "plain", Version::Unlisted, false);
        facts
    };
    let reason = ["it expects no CRC of plain of the kernel"];
    assert_eq!(reasons(kernel(), unlisted(true, false)), reason);
    // The kernel only warns then.
    assert_eq!(reasons(kernel(), unlisted(true, true)), [""; 0]);
    let force = || configured("CONFIG_MODULE_FORCE_LOAD=y\n");
    assert_eq!(reasons(force(), unlisted(true, false)), reason);
    assert_eq!(reasons(force(), unlisted(false, false)), [""; 0]);
}

#[test]
fn a_kernel_without_modversions_compares_nothing() {
    let mut plain = kernel();
    plain.config = Some(kmodule::Config::new(
        b"# CONFIG_MODVERSIONS is not set\n".to_vec(),
    ));
    let facts = importing(module("own"), &[("plain", 77)]);
    assert_eq!(reasons(plain, facts), [""; 0]);
}

#[test]
fn names_alone_are_no_crcs() {
    let mut names = kernel();
    names.exports = Some(KernelExports::of_system_map(
        b"ffffffff82000000 r __ksymtab_plain\nffffffff82000000 r __ksymtab_module_layout\n",
    ));
    let facts = importing(module("own"), &[("plain", 77), ("gpl", 1)]);
    assert_eq!(reasons(names, facts), ["nothing exports gpl"]);
}

#[test]
fn namespaces_are_imported_or_name_the_module() {
    let with = |name: &str, spaces: &[&str]| ModuleFacts {
        import_ns: spaces.iter().map(|space| space.as_bytes().into()).collect(),
        ..module(name)
    };
    let spaced = |spaces: &[&str]| importing(with("x", spaces), &[("spaced", 3)]);
    let reason = "spaced of the kernel is in the namespace SPACE, which it does not import";
    assert_eq!(reasons(kernel(), spaced(&[])), [reason]);
    assert_eq!(reasons(kernel(), spaced(&["SPAC"])), [reason]);
    assert_eq!(reasons(kernel(), spaced(&["OTHER", "SPACE"])), [""; 0]);
    let lenient = configured("CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y\n");
    assert_eq!(reasons(lenient, spaced(&[])), [""; 0]);

    let named = |name: &str| importing(module(name), &[("named", 4)]);
    let reason = "named of the kernel is in the namespace module:own,kvm-*, \
                  which it does not import";
    assert_eq!(reasons(kernel(), named("own")), [""; 0]);
    assert_eq!(reasons(kernel(), named("kvm_intel")), [""; 0]);
    assert_eq!(reasons(kernel(), named("other")), [reason]);
}

#[test]
fn a_namespace_that_names_modules_is_not_to_be_imported() {
    let facts = || ModuleFacts {
        import_ns: vec![b"module:own,kvm-*"[..].into()],
        ..module("other")
    };
    let reason = "it imports the namespace module:own,kvm-*, which names its modules itself";
    assert_eq!(reasons(kernel(), facts()), [reason]);
    // A kernel before 6.16 has no such symbol.
    let mut old = kernel();
    let symvers = crate::made::parse("0x0000001a\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n");
    old.exports = Some(KernelExports::of_symvers(&symvers));
    assert_eq!(reasons(old, facts()), [""; 0]);
}

#[test]
fn gpl_only_symbols_need_a_licence() {
    let licensed = |license: Option<&str>| ModuleFacts {
        license: license.map(|license| license.as_bytes().into()),
        ..importing(module("own"), &[("plain", 1), ("gpl", 2)])
    };
    assert_eq!(reasons(kernel(), licensed(Some("Dual MIT/GPL"))), [""; 0]);
    assert_eq!(
        reasons(kernel(), licensed(Some("Proprietary"))),
        ["gpl of the kernel is GPL-only, and its licence is \"Proprietary\""]
    );
    assert_eq!(
        reasons(kernel(), licensed(None)),
        ["gpl of the kernel is GPL-only, and its licence is \"unspecified\""]
    );
}

/// Everything is told, also of one symbol.
#[test]
fn all_reasons_are_named() {
    let facts = importing(module("x"), &[("spaced", 9), ("absent", 1), ("plain", 5)]);
    assert_eq!(
        reasons(kernel(), facts),
        [
            "it expects spaced of the kernel with the CRC 00000009, not 00000003",
            "spaced of the kernel is in the namespace SPACE, which it does not import",
            "nothing exports absent",
            "it expects plain of the kernel with the CRC 00000005, not 00000001",
        ]
    );
}

#[test]
fn without_the_exports_of_a_kernel_what_is_missing_is_taken_for_its_own() {
    let mut unknown: Kernel = kernel();
    unknown.exports = None;
    let facts = importing(module("own"), &[("absent", 1)]);
    assert_eq!(reasons(unknown, facts), [""; 0]);
}
