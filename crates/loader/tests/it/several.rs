//! Scopes with several modules: who exports what, and what proprietary modules pass on.

use loader::{Exporter, ModuleFacts, Scope};

use crate::made::{World, exporting, importing, kernel, module};

fn proprietary(facts: ModuleFacts) -> ModuleFacts {
    ModuleFacts {
        license: Some(b"Proprietary"[..].into()),
        ..facts
    }
}

/// Any of them may be the one that is loaded.
#[test]
fn of_several_exporters_one_must_fit() {
    let mut world = World::new(kernel());
    let old = world.add(exporting(module("old"), &[("shared", 1, false, None)]));
    let new = world.add(exporting(module("new"), &[("shared", 2, false, None)]));
    let also = world.add(exporting(module("also"), &[("shared", 2, false, None)]));
    let fits = world.add(importing(module("fits"), &[("shared", 2)]));
    let misfit = world.add(importing(module("misfit"), &[("shared", 3)]));
    assert_eq!(world.reasons(fits), [""; 0]);
    assert_eq!(
        world.reasons(misfit),
        ["it expects shared of old with the CRC 00000003, not 00000001"]
    );
    let scope = world.scope();
    let exporter = |user, preferred| {
        let import = &world.modules.imports(user)[0];
        scope.exporter(user, import, |module| Some(module) == preferred)
    };
    assert_eq!(exporter(fits, None), Some(Exporter::Module(new)));
    assert_eq!(exporter(fits, Some(also)), Some(Exporter::Module(also)));
    assert_eq!(exporter(fits, Some(old)), Some(Exporter::Module(new)));
    assert_eq!(exporter(misfit, None), Some(Exporter::Module(old)));
}

#[test]
fn the_image_comes_before_modules() {
    let mut world = World::new(kernel());
    world.add(exporting(module("twin"), &[("plain", 5, false, None)]));
    let id = world.add(importing(module("own"), &[("plain", 5)]));
    assert_eq!(
        world.reasons(id),
        ["it expects plain of the kernel with the CRC 00000005, not 00000001"]
    );
    let scope = world.scope();
    let import = &world.modules.imports(id)[0];
    assert_eq!(scope.exporter(id, import, |_| true), Some(Exporter::Kernel));
}

#[test]
fn a_module_does_not_get_its_own_symbols() {
    let mut world = World::new(kernel());
    let facts = exporting(module("own"), &[("mine", 5, false, None)]);
    let id = world.add(importing(facts, &[("mine", 5)]));
    assert_eq!(world.reasons(id), ["nothing exports mine"]);
}

#[test]
fn only_the_members_of_a_scope_export() {
    let mut world = World::new(kernel());
    let base = world.add(exporting(module("base"), &[("shared", 1, false, None)]));
    let id = world.add(importing(module("own"), &[("shared", 1)]));
    let with = Scope::new(&world.modules, &world.kernel, world.modules.ids());
    assert!(with.verdict(id).loads());
    let others = world.modules.ids().filter(|&member| member != base);
    let without = Scope::new(&world.modules, &world.kernel, others);
    assert!(!without.verdict(id).loads());
}

#[test]
fn tables_without_crcs_are_not_compared() {
    let mut world = World::new(kernel());
    let mut facts = exporting(module("base"), &[("shared", 1, false, None)]);
    facts.export_tables.crcs = false;
    world.add(facts);
    let id = world.add(importing(module("own"), &[("shared", 77)]));
    assert_eq!(world.reasons(id), [""; 0]);
}

#[test]
fn a_user_of_a_proprietary_module_becomes_proprietary() {
    let mut world = World::new(kernel());
    let shim = exporting(module("shim"), &[("shim", 1, false, None)]);
    world.add(proprietary(importing(shim, &[("plain", 1)])));
    let middle = exporting(module("middle"), &[("middle", 2, false, None)]);
    let middle = world.add(importing(middle, &[("shim", 1)]));
    let plain = world.add(importing(
        module("plain_user"),
        &[("middle", 2), ("plain", 1)],
    ));
    let first = world.add(importing(
        module("first"),
        &[("gpl", 2), ("middle", 2), ("spaced", 9)],
    ));
    let later = world.add(importing(module("later"), &[("middle", 2), ("gpl", 2)]));
    for sound in [middle, plain] {
        assert_eq!(world.reasons(sound), [""; 0]);
    }
    assert_eq!(
        world.reasons(first),
        [
            "it uses GPL-only symbols, and middle of the proprietary module middle",
            // What it was refused makes it no more proprietary.
            "it expects spaced of the kernel with the CRC 00000009, not 00000003",
            "spaced of the kernel is in the namespace SPACE, which it does not import",
        ]
    );
    assert_eq!(
        world.reasons(later),
        ["gpl of the kernel is GPL-only, and its licence is \"GPL\""]
    );
}

/// A symbol the kernel hides from a proprietary module may come from a module.
#[test]
fn hidden_symbols_of_the_image_do_not_hide_those_of_modules() {
    let mut world = World::new(kernel());
    world.add(exporting(module("twin"), &[("gpl", 2, false, None)]));
    let id = world.add(proprietary(importing(module("own"), &[("gpl", 2)])));
    assert_eq!(world.reasons(id), [""; 0]);
}
