//! Modules of every age and architecture: exact facts, and goblin's agreement.

use kmodule::{Arena, Image, Module};
use object::Endianness;

use crate::common::{Facts, Files, complaint, facts, facts_of};
use kmpkit_fixtures::fixture::{CrcForm, Fixture, Ksymtab, MODINFO, RELEASE, Stripped, Versions};
use kmpkit_fixtures::goblin_reader;
use kmpkit_fixtures::signature::signed;

/// kmodule and goblin both say of the fixture what it was made from.
fn assert_facts(fixture: &Fixture) {
    let bytes = fixture.build();
    let facts = facts_of(&bytes).unwrap_or_else(|error| panic!("{error} in {fixture:#?}"));
    let expected = Facts {
        exports: fixture.exports(),
        imports: fixture.imports(),
        modinfo: MODINFO.map(str::to_owned).to_vec(),
    };
    assert_eq!(facts, expected, "{fixture:#?}");
    let independent = goblin_reader::facts(&bytes).unwrap();
    let imports = facts.imports.into_iter().collect();
    assert_eq!(independent.imports, imports, "{fixture:#?}");
    let fields: Vec<_> = independent
        .modinfo
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(fields, MODINFO, "{fixture:#?}");
    // goblin's reader knows the __crc_ symbols only.
    if fixture.stripped == Stripped::Nothing {
        let exports = facts.exports.into_iter().collect();
        assert_eq!(independent.exports, exports, "{fixture:#?}");
    }
}

/// What differs over architectures and time beside the form of the CRCs: the
/// layout of `__ksymtab` and the relocations.
fn layouts() -> impl Iterator<Item = Fixture> {
    let all = Fixture::architectures().flat_map(|base| {
        [Ksymtab::Distances, Ksymtab::Pointers]
            .into_iter()
            .flat_map(move |ksymtab| {
                let base = base.clone();
                [false, true].into_iter().flat_map(move |namespaces| {
                    let base = base.clone();
                    [false, true].into_iter().map(move |rela| Fixture {
                        ksymtab,
                        namespaces,
                        rela,
                        ..base.clone()
                    })
                })
            })
    });
    // No 64-bit architecture has REL.
    all.filter(|fixture| fixture.rela || !fixture.is_64)
}

fn stripped() -> [Stripped; 3] {
    [
        Stripped::Nothing,
        Stripped::Unneeded,
        Stripped::ToSectionSymbols,
    ]
}

#[test]
fn crcs_in_kcrctab() {
    for layout in layouts() {
        for stripped in stripped() {
            assert_facts(&Fixture {
                crcs: CrcForm::Kcrctab,
                stripped,
                ..layout.clone()
            });
        }
    }
}

#[test]
fn crcs_in_rodata() {
    for layout in layouts() {
        for stripped in stripped() {
            assert_facts(&Fixture {
                crcs: CrcForm::Rodata,
                stripped,
                ..layout.clone()
            });
        }
    }
}

#[test]
fn absolute_crcs() {
    for layout in layouts() {
        for stripped in stripped() {
            assert_facts(&Fixture {
                crcs: CrcForm::Absolute,
                stripped,
                ..layout.clone()
            });
        }
    }
}

#[test]
fn absolute_crcs_of_8_bytes() {
    for endian in [Endianness::Little, Endianness::Big] {
        for stripped in stripped() {
            assert_facts(&Fixture {
                crcs: CrcForm::AbsoluteLong,
                ksymtab: Ksymtab::Pointers,
                namespaces: false,
                stripped,
                ..Fixture::new(true, endian)
            });
        }
    }
}

#[test]
fn a_weak_undefined_crc_is_zero() {
    for crcs in [CrcForm::Absolute, CrcForm::Rodata] {
        for base in Fixture::architectures() {
            let mut fixture = Fixture { crcs, ..base };
            fixture.exports.push(("omega", None, false));
            for stripped in [Stripped::Nothing, Stripped::Unneeded] {
                fixture.stripped = stripped;
                assert_facts(&fixture);
            }
        }
    }
}

#[test]
fn versions_of_every_form() {
    for base in Fixture::architectures() {
        for versions in [
            Versions::None,
            Versions::Basic,
            Versions::Extended,
            Versions::Both,
        ] {
            for dotted in [false, true] {
                assert_facts(&Fixture {
                    versions,
                    dotted,
                    ..base.clone()
                });
            }
        }
    }
}

#[test]
fn kflagstab_is_no_table_of_crcs() {
    for base in Fixture::architectures() {
        assert_facts(&Fixture {
            kflagstab: true,
            ..base
        });
    }
}

#[test]
fn other_sections_do_not_matter() {
    // 32-bit files have no section larger than 4 GiB.
    for base in Fixture::architectures().filter(|base| base.is_64) {
        assert_facts(&Fixture {
            crowded: true,
            ..base
        });
    }
}

/// goblin does not know this section, so there is no second opinion.
#[test]
fn section_indexes_beyond_16_bits() {
    for base in Fixture::architectures() {
        for stripped in [Stripped::Nothing, Stripped::Unneeded] {
            let fixture = Fixture {
                wide_indexes: true,
                stripped,
                ..base.clone()
            };
            let facts = facts_of(&fixture.build()).unwrap();
            assert_eq!(facts.exports, fixture.exports());
        }
    }
}

#[test]
fn a_module_without_exports() {
    for base in Fixture::architectures() {
        for stripped in [Stripped::Nothing, Stripped::SymbolTable] {
            assert_facts(&Fixture {
                exports: Vec::new(),
                stripped,
                ..base.clone()
            });
        }
    }
}

#[test]
fn exports_without_a_symbol_table_are_an_error() {
    let files = Files::new();
    for base in Fixture::architectures() {
        let fixture = Fixture {
            stripped: Stripped::SymbolTable,
            ..base
        };
        let path = files.write("a.ko", &fixture.build());
        assert_eq!(
            complaint(facts(&path), &path),
            "bad __ksymtab section: the symbol table that names its entries is stripped"
        );
    }
}

/// Half of the CRC symbols gone looks like a table of words twice as wide.
#[test]
fn half_of_the_crc_symbols_is_not_all_of_them() {
    for base in Fixture::architectures() {
        let mut fixture = base;
        fixture.exports.truncate(4);
        let bytes = fixture.build();
        let mut hidden = bytes.clone();
        for name in ["__crc_zulu", "__crc_alpha"] {
            let at = memchr::memmem::find(&hidden, name.as_bytes()).unwrap();
            hidden[at..at + 6].copy_from_slice(b"hidden");
        }
        assert_eq!(facts_of(&hidden).unwrap().exports, fixture.exports());
    }
}

#[test]
fn a_signature_behind_the_module_is_ignored() {
    let fixture = Fixture::new(true, Endianness::Little);
    let bytes = signed(&fixture.build(), 700);
    assert_eq!(facts_of(&bytes).unwrap().exports, fixture.exports());
}

#[test]
fn vermagic_names_the_kernel() {
    let files = Files::new();
    let path = files.write("a.ko", &Fixture::new(false, Endianness::Big).build());
    let image = Image::open(&path).unwrap();
    let arena = Arena::new();
    let module = Module::parse(&image, &arena).unwrap();
    let vermagic = module.vermagic().unwrap();
    assert_eq!(vermagic.kernelrelease.as_str(), RELEASE);
    assert!(vermagic.modversions);
}
