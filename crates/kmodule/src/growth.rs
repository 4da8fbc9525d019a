//! Shows that the work for a module grows with its size and no faster, whatever it says. Work is
//! counted, not timed: the bytes of names that are looked at, and the sections.

use std::path::Path;

use kmpkit_fixtures::elf::{ElfFile, Place, Relocation, Section, Symbol};
use object::Endianness;
use object::elf::ET_REL;

use crate::{Arena, AsKmod, Image, Module, work};

/// What is looked at of a file, at most, for each of its bytes.
const LOOKS: u64 = 4;

fn section(name: &str, data: Vec<u8>) -> Section {
    Section {
        name: name.to_owned(),
        data,
        ..Section::default()
    }
}

fn symbol(name: String, place: Place, value: u64) -> Symbol {
    Symbol {
        name,
        place,
        value,
        weak: false,
    }
}

fn file(sections: Vec<Section>, symbols: Vec<Symbol>) -> ElfFile {
    ElfFile {
        is_64: true,
        endian: Endianness::Little,
        kind: ET_REL,
        rela: true,
        sections,
        symbols: Some(symbols),
        wide_indexes: false,
    }
}

/// `count` symbols that share one name, which takes as much room as they do.
fn one_name_for_all(count: usize, start: &str, place: Place) -> Vec<u8> {
    let long = start.to_owned() + &"x".repeat(24 * count);
    let mut symbols = vec![symbol(long, place, 0)];
    symbols.extend((1..count).map(|at| symbol(format!("n{at}"), place, 0)));
    let sections = vec![section(".modinfo", b"license=GPL\0".to_vec())];
    let mut bytes = file(sections, symbols).build();
    let elf = goblin::elf::Elf::parse(&bytes).unwrap();
    let table = elf.section_headers.iter().find(|s| s.sh_type == 2).unwrap();
    let first = table.sh_offset as usize + 24;
    for at in 1..count {
        bytes.copy_within(first..first + 4, first + 24 * at);
    }
    bytes
}

/// Reads every fact in both ways. Returns the work, and checks that it gives no more bytes of names
/// than the file has.
fn work_for(bytes: &[u8]) -> u64 {
    let image = Image::from_bytes(Path::new("a.ko"), bytes).unwrap();
    let arena = Arena::new();
    work::done();
    let module = Module::parse(&image, &arena).unwrap();
    let most = bytes.len();
    if let Ok(exports) = module.exports() {
        assert!(exports.iter().map(|e| e.name.len()).sum::<usize>() <= most);
    }
    if let Ok(names) = module.export_names() {
        assert!(names.iter().map(|name| name.len()).sum::<usize>() <= most);
    }
    if let Ok(undefined) = module.undefined() {
        assert!(undefined.iter().map(|u| u.name.len()).sum::<usize>() <= most);
    }
    let module = AsKmod::parse(&image, &arena).unwrap();
    let symbols = module.symbols();
    if let Ok(exports) = symbols.exports {
        assert!(exports.iter().map(|e| e.name.len()).sum::<usize>() <= most);
    }
    if let Ok(imports) = symbols.imports {
        assert!(imports.iter().map(|i| i.name.len()).sum::<usize>() <= most);
    }
    work::done()
}

fn assert_linear(what: &str, of: impl Fn(usize) -> Vec<u8>) {
    for count in [500, 2000] {
        let bytes = of(count);
        let work = work_for(&bytes);
        let most = LOOKS * bytes.len() as u64;
        assert!(work <= most, "{what}: {work} of {} bytes", bytes.len());
    }
}

#[test]
fn symbols_that_share_a_long_name() {
    for start in ["", "__crc_"] {
        for place in [Place::Undefined, Place::Absolute, Place::Section(0)] {
            assert_linear("symbols", |count| one_name_for_all(count, start, place));
        }
    }
}

/// Short names that share their ends: each is new, but they lie in the same bytes.
#[test]
fn symbols_whose_names_overlap() {
    assert_linear("symbols", |count| {
        let mut bytes = one_name_for_all(count, "", Place::Undefined);
        let elf = goblin::elf::Elf::parse(&bytes).unwrap();
        let table = elf.section_headers.iter().find(|s| s.sh_type == 2).unwrap();
        let first = table.sh_offset as usize + 24;
        for at in 0..count {
            let name = 1 + 23 * at as u32;
            bytes[first + 24 * at..][..4].copy_from_slice(&name.to_le_bytes());
        }
        bytes
    });
}

#[test]
fn sections_that_share_a_long_name() {
    let of = |count: usize| {
        let mut sections = vec![section(".modinfo", b"license=GPL\0".to_vec())];
        sections.extend((0..count).map(|at| section(&format!("{at}"), vec![0])));
        sections.push(section(&"y".repeat(4000), vec![0]));
        let mut bytes = file(sections, Vec::new()).build();
        let elf = goblin::elf::Elf::parse(&bytes).unwrap();
        let headers = elf.header.e_shoff as usize;
        let long = headers + 64 * (count + 2);
        for at in 2..count + 2 {
            bytes.copy_within(long..long + 4, headers + 64 * at);
        }
        bytes
    };
    for count in [500, 2000] {
        let bytes = of(count);
        let image = Image::from_bytes(Path::new("a.ko"), &bytes).unwrap();
        let arena = Arena::new();
        work::done();
        let refused = Module::parse(&image, &arena).err().unwrap();
        assert!(refused.to_string().contains("names overlap"), "{refused}");
        assert!(AsKmod::parse(&image, &arena).is_ok());
        assert!(work::done() <= LOOKS * bytes.len() as u64);
    }
}

/// Pairs of tables, each with relocations that must be searched for among all sections.
fn pairs(count: usize) -> Vec<u8> {
    let mut sections = vec![
        section(".modinfo", b"license=GPL\0".to_vec()),
        section("__ksymtab_strings", b"a\0".to_vec()),
    ];
    let symbols = vec![symbol("s".to_owned(), Place::Section(1), 0)];
    for at in 0..count {
        let name = |offset| Relocation {
            offset,
            symbol: 0,
            addend: 0,
        };
        sections.push(Section {
            relocations: vec![name(4)],
            ..section(&format!("__ksymtab{at}"), vec![0; 12])
        });
        sections.push(section(&format!("__kcrctab{at}"), vec![1, 0, 0, 0]));
    }
    file(sections, symbols).build()
}

#[test]
fn tables_of_exports() {
    assert_linear("tables", pairs);
}

/// Each entry leads to the same long name.
#[test]
fn entries_that_share_a_long_name() {
    assert_linear("entries", |count| {
        let mut relocations = Vec::new();
        for at in 0..count as u64 {
            relocations.push(Relocation {
                offset: 12 * at + 4,
                symbol: 0,
                addend: 0,
            });
        }
        let long = "z".repeat(4000) + "\0";
        let sections = vec![
            section(".modinfo", b"license=GPL\0".to_vec()),
            section("__ksymtab_strings", long.into_bytes()),
            Section {
                relocations,
                ..section("__ksymtab", vec![0; 12 * count])
            },
            section("__kcrctab", vec![0; 4 * count]),
        ];
        let symbols = vec![symbol("s".to_owned(), Place::Section(1), 0)];
        file(sections, symbols).build()
    });
}
