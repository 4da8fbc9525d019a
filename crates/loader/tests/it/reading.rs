//! Facts read from module files: both ways to the symbols, and names nobody exports.

use std::path::Path;

use kmodule::{Arena, Image, Module};
use kmpkit_fixtures::fixture::{BASIC, Fixture, Versions};
use loader::{ModuleBtf, ModuleFacts, ModuleSignature, Reading, SymbolReading, Version};
use object::Endianness;

fn read(bytes: &[u8], symbols: SymbolReading) -> ModuleFacts {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("snd-x.ko");
    std::fs::write(&path, bytes).unwrap();
    let image = Image::open(&path).unwrap();
    let arena = Arena::new();
    let module = Module::parse(&image, &arena).unwrap();
    let reading = Reading {
        symbols,
        ..Reading::default()
    };
    ModuleFacts::read(&module, &path, reading).unwrap()
}

fn imports(facts: &ModuleFacts) -> Vec<(String, Version, bool)> {
    let text = |name: &[u8]| String::from_utf8(name.to_vec()).unwrap();
    let imports = facts.symbols.imports();
    imports
        .map(|import| (text(import.name), import.version, import.weak))
        .collect()
}

#[test]
fn the_symbol_table_has_what_the_loader_meets() {
    let fixture = Fixture::new(true, Endianness::Big);
    let facts = read(&fixture.build(), SymbolReading::SymbolTable);
    let listed = |crc| Version::Listed(Some(crc));
    assert_eq!(
        imports(&facts),
        [
            ("kmalloc_caches".to_owned(), listed(BASIC[1].1), false),
            ("mach_powermac".to_owned(), Version::Unlisted, true),
            ("only_basic".to_owned(), listed(BASIC[2].1), false),
        ]
    );
    assert_eq!(facts.module_layout, Some(listed(BASIC[0].1)));
    assert!(facts.version_tables.basic && !facts.version_tables.extended);
    assert_eq!(&*facts.name, b"snd_x");
    assert_eq!(facts.symbols.exports().count(), fixture.exports.len());
    assert_eq!(facts.signature, ModuleSignature::Missing);
    assert_eq!(facts.btf, ModuleBtf::Missing);
    assert_eq!(facts.struct_module_size, None);
}

#[test]
fn the_version_table_has_the_same_without_weak_symbols() {
    let fixture = Fixture::new(false, Endianness::Little);
    let facts = read(&fixture.build(), SymbolReading::VersionTable);
    let names: Vec<_> = imports(&facts).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["kmalloc_caches", "only_basic"]);
    assert_eq!(facts.module_layout, Some(Version::Listed(Some(BASIC[0].1))));
    // Without a version table there is but the symbol table.
    let fixture = Fixture {
        versions: Versions::None,
        ..fixture
    };
    let facts = read(&fixture.build(), SymbolReading::VersionTable);
    assert_eq!(imports(&facts).len(), 3);
    assert_eq!(facts.module_layout, Some(Version::Unlisted));
}

/// The kernel does not look at `__versions` where there are the extended sections.
#[test]
fn extended_versions_stand_alone() {
    let fixture = Fixture {
        versions: Versions::Both,
        ..Fixture::new(true, Endianness::Little)
    };
    let facts = read(&fixture.build(), SymbolReading::SymbolTable);
    let only_basic = imports(&facts)
        .into_iter()
        .find(|(name, ..)| name == "only_basic");
    assert_eq!(only_basic.unwrap().1, Version::Unlisted);
}

/// A machine's symbols that its loader makes itself are not imports; on others they are.
#[test]
fn symbols_of_the_loader_are_no_imports() {
    let table = "_GLOBAL_OFFSET_TABLE_";
    let cases = [
        (table, 62, true),
        (table, 22, true),
        (table, 21, false),
        ("TOC.", 21, true),
        ("TOC.", 62, false),
    ];
    for (name, machine, is_made) in cases {
        let mut bytes = Fixture::new(true, Endianness::Little).build();
        bytes[18..20].copy_from_slice(&u16::to_le_bytes(machine));
        let bytes = renamed(&bytes, "mach_powermac", name);
        let facts = read(&bytes, SymbolReading::SymbolTable);
        let found = imports(&facts).iter().any(|(found, ..)| found == name);
        assert_eq!(!found, is_made, "{name} on {machine}");
    }
}

/// The name of a symbol replaced, and perhaps the beginning of the next one.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let old = format!("\0{from}\0");
    let is_old = |window: &[u8]| window == old.as_bytes();
    let at = bytes.windows(old.len()).position(is_old).unwrap() + 1;
    let new = format!("{to}\0");
    bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
    bytes
}

#[test]
fn damage_is_an_error_that_names_the_file() {
    let mut bytes = Fixture::new(true, Endianness::Little).build();
    bytes.truncate(bytes.len() - 1);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.ko");
    std::fs::write(&path, &bytes).unwrap();
    let image = Image::open(&path).unwrap();
    let arena = Arena::new();
    let parsed = Module::parse(&image, &arena)
        .and_then(|module| ModuleFacts::read(&module, Path::new("a"), Reading::default()));
    assert!(parsed.is_err());
}
