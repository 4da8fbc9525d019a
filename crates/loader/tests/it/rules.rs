//! Reasons that are not about symbols, one at a time.

use kmodule::Machine;
use loader::{ModuleFacts, ModuleSignature, Version, VersionTables};

use crate::made::{World, X86_64, configured, exporting, importing, kernel, key, module, reasons};

const SIG_FORCE: &str = "CONFIG_MODULE_SIG_FORCE=y\n";
const FORCE_LOAD: &str = "CONFIG_MODULE_FORCE_LOAD=y\n";

/// In a kernel with and without an option.
fn both(option: &str, facts: impl Fn() -> ModuleFacts) -> (Vec<String>, Vec<String>) {
    (
        reasons(configured(option), facts()),
        reasons(kernel(), facts()),
    )
}

#[test]
fn a_sound_module_loads() {
    let facts = importing(module("own"), &[("plain", 1), ("gpl", 2), ("named", 4)]);
    assert_eq!(reasons(kernel(), facts), [""; 0]);
}

#[test]
fn what_taints_is_no_reason() {
    let facts = ModuleFacts {
        license: None,
        is_in_tree: false,
        signature: ModuleSignature::Missing,
        ..module("own")
    };
    assert_eq!(reasons(kernel(), facts), [""; 0]);
}

#[test]
fn signatures_count_where_they_are_enforced() {
    for (signature, reason) in [
        (ModuleSignature::Missing, "it has no signature"),
        (
            ModuleSignature::Unsupported,
            "its signature is of a kind the kernel does not know",
        ),
        (
            ModuleSignature::By(vec![key(2)]),
            "it was signed by another key than the kernel's own modules",
        ),
    ] {
        let facts = || ModuleFacts {
            signature: signature.clone(),
            ..module("own")
        };
        let (enforced, free) = both(SIG_FORCE, facts);
        assert_eq!((enforced, free), (vec![reason.to_owned()], vec![]));
        let lockdown = configured("CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY=y\n");
        assert_eq!(reasons(lockdown, facts()), [reason]);
        let mut parameter = kernel();
        parameter.enforces_signatures = true;
        assert_eq!(reasons(parameter, facts()), [reason]);
    }
}

#[test]
fn one_of_several_signers_is_enough_and_more_keys_can_be_trusted() {
    let facts = |keys: &[u8]| ModuleFacts {
        signature: ModuleSignature::By(keys.iter().map(|&number| key(number)).collect()),
        ..module("own")
    };
    assert_eq!(reasons(configured(SIG_FORCE), facts(&[2, 1])), [""; 0]);
    let mut trusting = configured(SIG_FORCE);
    trusting.trusted.push(key(2));
    assert_eq!(reasons(trusting, facts(&[2])), [""; 0]);
}

#[test]
fn a_damaged_signature_is_refused_even_where_none_is_needed() {
    let facts = || ModuleFacts {
        signature: ModuleSignature::Damaged,
        ..module("own")
    };
    assert_eq!(reasons(kernel(), facts()), ["its signature is damaged"]);
    let mut without = kernel();
    without.config = Some(kmodule::Config::new(b"CONFIG_MODVERSIONS=y\n".to_vec()));
    assert_eq!(reasons(without, facts()), [""; 0]);
}

#[test]
fn another_machine() {
    let facts = ModuleFacts {
        machine: Some(Machine {
            number: 22,
            is_64: true,
            is_big_endian: true,
        }),
        ..module("own")
    };
    assert_eq!(
        reasons(kernel(), facts),
        [
            "it was compiled for ELF machine 22 with 64 bits, big-endian, \
          the kernel for ELF machine 62 with 64 bits, little-endian"
        ]
    );
}

#[test]
fn another_size_of_struct_module() {
    let sized = |struct_module_size| ModuleFacts {
        struct_module_size,
        module_layout: Some(Version::Listed(Some(7))),
        ..module("own")
    };
    let size = "its struct module has 1344 bytes, that of the kernel 1280";
    let layout = "it expects module_layout of the kernel with the CRC 00000007, not 0000001a";
    assert_eq!(reasons(kernel(), sized(Some(1344))), [size, layout]);
    assert_eq!(
        reasons(kernel(), sized(None)),
        ["it has no .gnu.linkonce.this_module section", layout]
    );
}

/// Kernels before 6.4 do not look, so it is not what they say first.
#[test]
fn the_size_comes_last_for_old_kernels() {
    let old = "6.1.0-x SMP mod_unload modversions ";
    let mut world = World::new(kernel());
    world.kernel.release = b"6.1.0-x"[..].try_into().unwrap();
    let aged = |name: &str| ModuleFacts {
        vermagic: Some(old.as_bytes().into()),
        ..module(name)
    };
    world.add(aged("four"));
    let id = world.add(ModuleFacts {
        struct_module_size: Some(1344),
        module_layout: Some(Version::Listed(Some(7))),
        ..aged("own")
    });
    let reasons = world.reasons(id);
    assert_eq!(reasons.len(), 2);
    assert!(reasons[1].starts_with("its struct module"), "{reasons:?}");
}

#[test]
fn vermagic_less_the_release_with_modversions() {
    let with = |vermagic: &str| ModuleFacts {
        vermagic: Some(vermagic.as_bytes().into()),
        ..module("own")
    };
    let newer = "6.12.2-y SMP mod_unload modversions ";
    assert_eq!(reasons(kernel(), with(newer)), [""; 0]);
    let preempt = "6.12.1-x SMP preempt mod_unload modversions ";
    assert_eq!(
        reasons(kernel(), with(preempt)),
        ["vermagic differs in more than the release: \
          \"6.12.1-x SMP preempt mod_unload modversions \" is not \
          \"6.12.1-x SMP mod_unload modversions \""]
    );
}

/// The kernel leaves the release out for `__versions` alone.
#[test]
fn all_of_vermagic_with_extended_versions_alone() {
    let facts = ModuleFacts {
        vermagic: Some(b"6.12.2-y SMP mod_unload modversions "[..].into()),
        version_tables: VersionTables {
            basic: false,
            extended: true,
        },
        ..module("own")
    };
    assert_eq!(
        reasons(kernel(), facts),
        [
            "vermagic differs: \"6.12.2-y SMP mod_unload modversions \" is not \
          \"6.12.1-x SMP mod_unload modversions \""
        ]
    );
}

#[test]
fn a_module_without_vermagic_or_versions_is_forced_where_the_kernel_may() {
    let (forced, refused) = both(FORCE_LOAD, || ModuleFacts {
        vermagic: None,
        ..module("own")
    });
    assert_eq!(
        (forced, refused),
        (vec![], vec!["it has no vermagic".to_owned()])
    );
    let (forced, refused) = both(FORCE_LOAD, || ModuleFacts {
        version_tables: VersionTables::default(),
        module_layout: Some(Version::Unlisted),
        ..module("own")
    });
    let reason = "it expects no CRC of module_layout of the kernel".to_owned();
    assert_eq!((forced, refused), (vec![], vec![reason]));
}

#[test]
fn live_patches_need_a_kernel_with_them() {
    let facts = || ModuleFacts {
        is_livepatch: true,
        ..module("own")
    };
    assert_eq!(reasons(kernel(), facts()), [""; 0]);
    let mut without = kernel();
    without.config = Some(kmodule::Config::new(b"CONFIG_MODVERSIONS=y\n".to_vec()));
    assert_eq!(
        reasons(without, facts()),
        ["it is a live patch, which the kernel does not support"]
    );
}

#[test]
fn exports_need_crcs_and_flags_where_the_kernel_asks_for_them() {
    let exported = [("shared", 9, false, None)];
    let without_crcs = || {
        let mut facts = exporting(module("own"), &exported);
        facts.export_tables.crcs = false;
        facts
    };
    let (forced, refused) = both(FORCE_LOAD, without_crcs);
    let reason = "it exports symbols without CRCs".to_owned();
    assert_eq!((forced, refused), (vec![], vec![reason]));

    let mut world = World::new(kernel());
    for name in ["with_flags", "more_flags"] {
        let mut flags = exporting(module(name), &[(name, 9, false, None)]);
        flags.export_tables.flags = true;
        world.add(flags);
    }
    let id = world.add(exporting(module("own"), &exported));
    assert_eq!(
        world.reasons(id),
        ["it exports symbols without the flags in __kflagstab"]
    );
}

#[test]
fn a_symbol_of_the_image_is_not_exported_again() {
    let facts = exporting(module("own"), &[("plain", 1, false, None)]);
    assert_eq!(
        reasons(kernel(), facts),
        ["it exports plain, as the kernel does"]
    );
}

#[test]
fn modprobe_denies_first() {
    let mut world = World::new(configured(SIG_FORCE));
    let id = world.add(ModuleFacts {
        signature: ModuleSignature::Missing,
        ..module("snd_x")
    });
    let scope = world.scope().denying([&b"snd-x"[..]]);
    let verdict = scope.verdict(id);
    let described: Vec<_> = verdict
        .reasons
        .iter()
        .map(|r| scope.describe(id, r))
        .collect();
    assert_eq!(described, ["modprobe.d denies it", "it has no signature"]);
    assert_eq!(verdict.first(), Some(&loader::Reason::Denied));
    assert!(!verdict.loads());
}

/// What most of its modules say is what the kernel is like.
#[test]
fn one_odd_module_of_its_own_does_not_speak_for_the_kernel() {
    let mut world = World::new(configured(SIG_FORCE));
    let odd = world.add(ModuleFacts {
        struct_module_size: Some(8),
        machine: Some(Machine {
            number: 3,
            ..X86_64
        }),
        signature: ModuleSignature::By(vec![key(9)]),
        ..module("odd")
    });
    let even = world.add(module("even"));
    assert_eq!(world.reasons(odd).len(), 3);
    assert_eq!(world.reasons(even), [""; 0]);
}

/// Without modules of its own, configuration and exports, nothing can be said against a module.
#[test]
fn what_is_not_known_is_not_checked() {
    let mut world = World::new(loader::Kernel::new(b"5.0-other"[..].try_into().unwrap()));
    let id = world.add(importing(module("own"), &[("anything", 5)]));
    assert_eq!(world.reasons(id), [""; 0]);
}
