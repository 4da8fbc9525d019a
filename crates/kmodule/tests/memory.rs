//! Reads hostile files in a process that may allocate no more than SECURITY.md promises. Allocating
//! more ends it, or gives another error than the one that is expected.
//!
//! The limit is the process's, so there is one test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use kmodule::{Arena, AsKmod, Error, Image, KernelImage, Limits, Module, Symvers};
use kmpkit_fixtures::boot::around;
use kmpkit_fixtures::elf::{ElfFile, Place, Relocation, Section, Symbol};
use kmpkit_fixtures::fixture::{Fixture, RELEASE};
use kmpkit_fixtures::pack::{FORMATS, Packing, pack, with_dictionary};
use object::Endianness;
use object::elf::ET_REL;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const MIB: u64 = 1 << 20;

/// What a decoder and the test itself take beside.
const SLACK: u64 = 24 * MIB;

/// What the tables of a module take in memory for each of its bytes.
const TABLES: u64 = 8;

#[test]
fn no_file_takes_more_than_is_promised() {
    what_is_compressed_grows_to_the_limit();
    large_dictionaries_are_refused();
    a_bzimage_is_as_large_as_it_says();
    a_sparse_file_is_not_read_whole();
    tables_take_a_multiple_of_the_file();
}

/// Calls `read` while no more than `more` bytes can be allocated.
fn within<T>(more: u64, read: impl FnOnce() -> T) -> T {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
    let now = pages * rustix::param::page_size() as u64;
    let maximum = getrlimit(Resource::As).maximum;
    let limit = |current| setrlimit(Resource::As, Rlimit { current, maximum }).unwrap();
    limit(Some(now + more));
    let result = read();
    limit(maximum);
    result
}

fn refusal<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error.problem.to_string(),
    }
}

/// A stream that decompresses to so many MiB of zeros, one frame each.
fn bomb(format: Packing, mib: usize) -> Vec<u8> {
    pack(format, &vec![0; MIB as usize]).repeat(mib)
}

fn open(bytes: &[u8], limits: Limits) -> Result<Image, Error> {
    Image::from_bytes_within(Path::new("a.ko"), bytes, limits)
}

fn what_is_compressed_grows_to_the_limit() {
    let small = Limits {
        file: 64 * MIB,
        memory: 64 * MIB,
    };
    for format in FORMATS {
        let packed = bomb(format, 70);
        let reason = within(small.memory + SLACK, || refusal(open(&packed, small)));
        let wanted = "compression contains more than 67108864 bytes; remove debug information \
                      before compressing";
        assert!(reason.ends_with(wanted), "{format}: {reason}");
    }
    let packed = bomb(Packing::Xz, 300);
    let limit = Limits::MODULE.memory;
    let path = Path::new("a.ko");
    let reason = within(limit + SLACK, || refusal(Image::from_bytes(path, &packed)));
    assert!(reason.contains("more than 268435456 bytes"), "{reason}");
    let limit = Limits::TEXT.memory;
    let reason = within(limit + SLACK, || {
        refusal(Symvers::from_bytes(path, &packed))
    });
    assert!(reason.contains("more than 67108864 bytes"), "{reason}");
    // In one frame that says how much is in it, which is decompressed in one piece.
    for size in [300 * MIB, 1 << 40] {
        let mut packed = b"\x28\xb5\x2f\xfd\xe0".to_vec();
        packed.extend(size.to_le_bytes());
        packed.extend([3, 0, 0, 0]);
        let reason = within(SLACK, || refusal(Image::from_bytes(path, &packed)));
        assert!(
            reason.contains("needs a dictionary of more than"),
            "{reason}"
        );
    }
}

fn large_dictionaries_are_refused() {
    for format in [Packing::Xz, Packing::Lzma, Packing::Zstd] {
        let packed = with_dictionary(format, 27);
        let image = within(128 * MIB + SLACK, || open(&packed, Limits::KERNEL));
        assert!(image.is_ok(), "{format}");
        let largest = if format == Packing::Zstd { 31 } else { 32 };
        for log in 28..=largest {
            let packed = with_dictionary(format, log);
            let reason = within(SLACK, || refusal(open(&packed, Limits::KERNEL)));
            let wanted = format!(
                "its {format} compression needs a dictionary of more than 134217728 bytes; \
                 compress it with a smaller one"
            );
            assert_eq!(reason, wanted, "2^{log}");
        }
    }
}

/// However much its payload decompresses to.
fn a_bzimage_is_as_large_as_it_says() {
    let exports = |image: &[u8]| {
        let image = KernelImage::from_bytes(Path::new("vmlinuz"), image)?;
        image.exports(|exports| exports.len())
    };
    let packed = pack(Packing::Zstd, &vec![0; 80 * MIB as usize]);
    let image = |announced: u32| around(&[&packed[..], &announced.to_le_bytes()].concat(), RELEASE);
    let half = image(40 << 20);
    let reason = within(40 * MIB + SLACK, || refusal(exports(&half)));
    assert!(
        reason.ends_with("has not the size it announces"),
        "{reason}"
    );
    let whole = image(80 << 20);
    let reason = within(80 * MIB + SLACK, || refusal(exports(&whole)));
    assert_eq!(reason, "not an ELF file");
    let huge = image(u32::MAX);
    let reason = within(SLACK, || refusal(exports(&huge)));
    assert!(reason.ends_with("announces more than 512 MiB"), "{reason}");
}

/// It takes no room on disk, and its string table could take all memory.
fn a_sparse_file_is_not_read_whole() {
    let mut bytes = Fixture::new(true, Endianness::Little).build();
    let len = bytes.len() as u64;
    let elf = goblin::elf::Elf::parse(&bytes).unwrap();
    let headers = elf.header.e_shoff as usize;
    let sections = elf.section_headers.iter();
    let of_names = elf.header.e_shstrndx as usize;
    let strings = sections
        .enumerate()
        .position(|(at, section)| section.sh_type == 3 && at != of_names)
        .unwrap();
    let place = headers + 64 * strings + 24;
    bytes[place..place + 8].copy_from_slice(&len.to_le_bytes());
    bytes[place + 8..place + 16].copy_from_slice(&(300 * MIB).to_le_bytes());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sparse.ko");
    let file = File::create(&path).unwrap();
    file.set_len(len + 300 * MIB).unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    let arena = Arena::new();
    // Where memory is short the answer is the same, so it must not be short here.
    let image = Image::open(&path).unwrap();
    let wanted = "the sections that are read take more than 268435456 bytes";
    let module = Module::parse(&image, &arena).unwrap();
    assert_eq!(refusal(module.undefined()), wanted);
    let module = AsKmod::parse(&image, &arena).unwrap();
    assert_eq!(refusal(module.symbols().imports), wanted);
}

fn tables_take_a_multiple_of_the_file() {
    for bytes in [undefined_symbols(), relocations(), sections()] {
        let image = Image::from_bytes(Path::new("a.ko"), &bytes).unwrap();
        let arena = Arena::new();
        within(TABLES * bytes.len() as u64 + 4 * MIB, || {
            if let Ok(module) = Module::parse(&image, &arena) {
                drop(module.undefined());
                drop(module.exports());
                drop(module.export_names());
                drop(module.imports());
            }
            drop(AsKmod::parse(&image, &arena).unwrap().symbols());
        });
    }
}

fn file(sections: Vec<Section>, symbols: Vec<Symbol>) -> Vec<u8> {
    let elf = ElfFile {
        is_64: false,
        endian: Endianness::Little,
        kind: ET_REL,
        rela: true,
        sections,
        symbols: Some(symbols),
        wide_indexes: false,
    };
    elf.build()
}

fn section(name: &str, data: Vec<u8>) -> Section {
    Section {
        name: name.to_owned(),
        data,
        ..Section::default()
    }
}

fn symbol(name: String, place: Place) -> Symbol {
    Symbol {
        name,
        place,
        value: 0,
        weak: false,
    }
}

fn modinfo() -> Section {
    section(".modinfo", b"license=GPL\0".to_vec())
}

/// Symbols of which each takes 16 bytes and a name of one letter.
fn undefined_symbols() -> Vec<u8> {
    let mut symbols = vec![symbol("x".to_owned(), Place::Undefined); 200_000];
    symbols.push(symbol("y".repeat(1 << 20), Place::Undefined));
    file(vec![modinfo()], symbols)
}

/// Relocations of twelve bytes, of a table that is much smaller.
fn relocations() -> Vec<u8> {
    let name = |at| Relocation {
        offset: at,
        symbol: 0,
        addend: 0,
    };
    let table = Section {
        relocations: (0..200_000_u64).map(name).collect(),
        ..section("__ksymtab", vec![0; 8])
    };
    let sections = vec![
        modinfo(),
        section("__ksymtab_strings", b"a\0".to_vec()),
        table,
        section("__kcrctab", vec![0; 4]),
    ];
    file(sections, vec![symbol("s".to_owned(), Place::Section(1))])
}

/// Headers of 40 bytes.
fn sections() -> Vec<u8> {
    let mut sections = vec![modinfo()];
    sections.extend((0..60_000).map(|_| section("s", Vec::new())));
    file(sections, Vec::new())
}
