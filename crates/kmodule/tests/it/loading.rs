//! What the loader needs of a module, whether or not its kernel has
//! modversions.

use kmodule::{Arena, Image, Module};
use object::Endianness;

use crate::common::{Files, Symbols, complaint, facts_of, symbols, symbols_of};
use kmpkit_fixtures::fixture::{
    BSS, CrcForm, Fixture, Ksymtab, MODINFO, Stripped, TEXT, UNDEFINED, Versions,
};
use kmpkit_fixtures::pack::{FORMATS, Packing, pack};
use kmpkit_fixtures::signature::signed;

/// Every layout of `__ksymtab`, with CRCs and without, stripped or not.
fn fixtures() -> impl Iterator<Item = Fixture> {
    let mut fixtures = Vec::new();
    for base in Fixture::architectures() {
        for crcs in [CrcForm::None, CrcForm::Kcrctab, CrcForm::Absolute] {
            for ksymtab in [Ksymtab::Distances, Ksymtab::Pointers] {
                for namespaces in [false, true] {
                    for stripped in [
                        Stripped::Nothing,
                        Stripped::Unneeded,
                        Stripped::ToSectionSymbols,
                    ] {
                        fixtures.push(Fixture {
                            crcs,
                            ksymtab,
                            namespaces,
                            stripped,
                            ..base.clone()
                        });
                    }
                }
            }
        }
    }
    fixtures.into_iter()
}

fn undefined() -> Vec<(String, bool)> {
    UNDEFINED
        .map(|(name, weak)| (name.to_owned(), weak))
        .to_vec()
}

fn of<T>(bytes: &[u8], fact: impl FnOnce(&Module<'_>) -> T) -> T {
    let files = Files::new();
    let image = Image::open(&files.write("a.ko", bytes)).unwrap();
    let arena = Arena::new();
    fact(&Module::parse(&image, &arena).unwrap())
}

#[test]
fn names_need_no_crcs() {
    for fixture in fixtures() {
        let expected = Symbols {
            export_names: fixture.export_names(),
            undefined: undefined(),
        };
        let found = symbols_of(&fixture.build()).unwrap();
        assert_eq!(found, expected, "{fixture:#?}");
    }
}

/// With one, two, three entries a table's size fits more than one layout.
#[test]
fn the_layout_is_told_by_names_where_sizes_do_not() {
    for fixture in fixtures() {
        for count in 1..=fixture.exports.len() {
            let mut fixture = fixture.clone();
            fixture.exports.truncate(count);
            let found = symbols_of(&fixture.build()).unwrap();
            assert_eq!(found.export_names, fixture.export_names(), "{fixture:#?}");
        }
    }
}

#[test]
fn flags_of_newer_kernels_are_no_names() {
    for base in Fixture::architectures() {
        let fixture = Fixture {
            crcs: CrcForm::None,
            versions: Versions::None,
            kflagstab: true,
            ..base
        };
        let bytes = fixture.build();
        let found = symbols_of(&bytes).unwrap();
        assert_eq!(found.export_names, fixture.export_names());
        let facts = facts_of(&bytes).unwrap();
        assert_eq!((facts.exports, facts.imports), (Vec::new(), Vec::new()));
    }
}

#[test]
fn dots_of_undefined_symbols_are_dropped() {
    for base in Fixture::architectures() {
        let fixture = Fixture {
            dotted: true,
            ..base
        };
        let bytes = fixture.build();
        assert!(memchr::memmem::find(&bytes, b"\0.mach_powermac\0").is_some());
        assert_eq!(symbols_of(&bytes).unwrap().undefined, undefined());
    }
}

#[test]
fn a_module_without_exports_has_no_names() {
    for base in Fixture::architectures() {
        let fixture = Fixture {
            exports: Vec::new(),
            ..base
        };
        let found = symbols_of(&fixture.build()).unwrap();
        assert_eq!(found.export_names, [""; 0]);
        assert_eq!(found.undefined, undefined());
    }
}

#[test]
fn a_symbol_table_that_was_stripped_is_missed() {
    let files = Files::new();
    for base in Fixture::architectures() {
        let mut fixture = Fixture {
            stripped: Stripped::SymbolTable,
            crcs: CrcForm::None,
            ..base
        };
        let path = files.write("a.ko", &fixture.build());
        assert_eq!(
            complaint(symbols(&path), &path),
            "bad __ksymtab section: the symbol table that names its entries is stripped"
        );
        fixture.exports.clear();
        let path = files.write("a.ko", &fixture.build());
        assert_eq!(complaint(symbols(&path), &path), "no .symtab section");
    }
}

/// A `.register` directive leaves an undefined symbol on sparc only.
#[test]
fn registers_are_not_undefined() {
    let mut bytes = Fixture::new(true, Endianness::Big).build();
    let elf = goblin::elf::Elf::parse(&bytes).unwrap();
    let table = elf.section_headers.iter().find(|s| s.sh_type == 2).unwrap();
    let at = elf
        .syms
        .iter()
        .position(|symbol| elf.strtab.get_at(symbol.st_name) == Some("only_basic"))
        .unwrap();
    // st_info: STB_GLOBAL, type 13.
    bytes[table.sh_offset as usize + 24 * at + 4] = 1 << 4 | 13;
    assert_eq!(symbols_of(&bytes).unwrap().undefined, undefined());
    // e_machine: EM_SPARCV9.
    bytes[18..20].copy_from_slice(&43_u16.to_be_bytes());
    assert_eq!(symbols_of(&bytes).unwrap().undefined, undefined()[..2]);
}

#[test]
fn size_is_what_goes_into_memory() {
    let fixture = Fixture {
        exports: Vec::new(),
        versions: Versions::None,
        ..Fixture::new(true, Endianness::Big)
    };
    let rodata = 64;
    let modinfo: usize = MODINFO.iter().map(|field| field.len() + 1).sum();
    let crowd = [36, 57, 101, 16, 30, 77, 40, 896, 33].iter().sum::<usize>();
    let plain = (TEXT + rodata + modinfo) as u64;
    for (crowded, expected) in [(false, plain), (true, plain + crowd as u64 + BSS)] {
        for stripped in [Stripped::Nothing, Stripped::SymbolTable] {
            let fixture = Fixture {
                crowded,
                stripped,
                ..fixture.clone()
            };
            let size = of(&fixture.build(), |module| module.size().unwrap());
            assert_eq!(size, expected, "{fixture:#?}");
        }
    }
}

#[test]
fn sizes_beyond_64_bits_are_an_error() {
    let fixture = Fixture {
        crowded: true,
        ..Fixture::new(true, Endianness::Little)
    };
    let mut bytes = fixture.build();
    let elf = goblin::elf::Elf::parse(&bytes).unwrap();
    let bss = elf.section_headers.iter().position(|s| s.sh_type == 8);
    let at = elf.header.e_shoff as usize + 64 * bss.unwrap() + 32;
    bytes[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    let message = of(&bytes, |module| module.size().unwrap_err().to_string());
    assert!(
        message.ends_with("bad .bss section: larger than any memory"),
        "{message}"
    );
}

#[test]
fn a_signature_is_told_by_the_last_bytes() {
    let is_signed = |bytes: &[u8]| of(bytes, |module| module.is_signed().unwrap());
    for fixture in Fixture::architectures() {
        let bare = fixture.build();
        let whole = signed(&bare, 700);
        assert!(!is_signed(&bare));
        assert!(is_signed(&whole));
        // Modules that are signed again keep the first signature.
        assert!(is_signed(&signed(&whole, 2000)));
        for format in FORMATS {
            assert!(is_signed(&pack(format, &whole)), "{format}");
            assert!(!is_signed(&pack(format, &bare)), "{format}");
        }
        let found = symbols_of(&pack(Packing::Xz, &whole)).unwrap();
        assert_eq!(found, symbols_of(&bare).unwrap());
    }
}

#[test]
fn a_cut_at_every_byte_is_an_error() {
    let files = Files::new();
    for base in [
        Fixture::new(true, Endianness::Little),
        Fixture::new(false, Endianness::Big),
    ] {
        let bytes = Fixture {
            crcs: CrcForm::None,
            versions: Versions::None,
            stripped: Stripped::Unneeded,
            ..base
        }
        .build();
        for end in 0..bytes.len() {
            let path = files.write("cut.ko", &bytes[..end]);
            complaint(symbols(&path), &path);
        }
    }
}
