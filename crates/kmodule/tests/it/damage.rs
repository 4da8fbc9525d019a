//! Files cut short, and files that are something else: an error that names
//! the file, never a panic, never fewer facts than the whole file has.

use std::path::Path;

use object::Endianness;
use object::elf::ET_EXEC;

use crate::common::{Files, complaint, facts, kernel};
use kmodule::Image;
use kmpkit_fixtures::boot::bzimage;
use kmpkit_fixtures::fixture::{CrcForm, Fixture, Stripped, Versions};
use kmpkit_fixtures::goblin_reader;
use kmpkit_fixtures::pack::Packing;

/// Fixtures that between them have every section kmodule reads.
fn fixtures() -> impl Iterator<Item = Fixture> {
    Fixture::architectures().flat_map(|base| {
        let forms = [
            (CrcForm::Kcrctab, Versions::Both, Stripped::Nothing),
            (CrcForm::Kcrctab, Versions::Basic, Stripped::Unneeded),
            (CrcForm::Rodata, Versions::Basic, Stripped::Unneeded),
            (CrcForm::Absolute, Versions::Extended, Stripped::Nothing),
        ];
        forms.map(|(crcs, versions, stripped)| Fixture {
            crcs,
            versions,
            stripped,
            crowded: base.is_64,
            ..base.clone()
        })
    })
}

fn section_ends(bytes: &[u8]) -> Vec<usize> {
    let elf = goblin::elf::Elf::parse(bytes).unwrap();
    let mut ends = vec![elf.header.e_shoff as usize, bytes.len() - 1];
    for section in &elf.section_headers {
        let start = section.sh_offset as usize;
        let end = start + section.sh_size as usize;
        ends.extend([start, start + 1, end.saturating_sub(1), end]);
    }
    ends.retain(|&end| end < bytes.len());
    ends
}

#[test]
fn a_cut_at_every_section_boundary() {
    let files = Files::new();
    for fixture in fixtures() {
        let bytes = fixture.build();
        for end in section_ends(&bytes) {
            let path = files.write("cut.ko", &bytes[..end]);
            complaint(facts(&path), &path);
        }
    }
}

#[test]
fn a_cut_at_every_byte() {
    let files = Files::new();
    for fixture in [
        Fixture::new(true, Endianness::Little),
        Fixture::new(false, Endianness::Big),
    ] {
        let bytes = fixture.build();
        for end in 0..bytes.len() {
            let path = files.write("cut.ko", &bytes[..end]);
            complaint(facts(&path), &path);
        }
    }
}

#[test]
fn a_kernel_image_cut_at_every_byte() {
    let files = Files::new();
    let vmlinux = Fixture::new(true, Endianness::Little)
        .linked(ET_EXEC)
        .build();
    for end in 0..vmlinux.len() {
        let path = files.write("vmlinux", &vmlinux[..end]);
        complaint(kernel(&path), &path);
    }
    for format in [
        Packing::Gzip,
        Packing::Xz,
        Packing::Zstd,
        Packing::Bzip2,
        Packing::Lzma,
    ] {
        let image = bzimage(&vmlinux, format, "6.1.0-50-test");
        // What follows the payload is a signature.
        for end in 0..image.len() - 40 {
            let path = files.write("vmlinuz", &image[..end]);
            complaint(kernel(&path), &path);
        }
    }
}

#[test]
fn every_byte_changed() {
    let files = Files::new();
    for fixture in [
        Fixture::new(true, Endianness::Little),
        Fixture {
            stripped: Stripped::Unneeded,
            versions: Versions::Both,
            ..Fixture::new(false, Endianness::Big)
        },
        Fixture {
            crcs: CrcForm::Rodata,
            stripped: Stripped::ToSectionSymbols,
            ..Fixture::new(false, Endianness::Little)
        },
    ] {
        let bytes = fixture.build();
        for at in 0..bytes.len() {
            for changed in [0, 0xff, bytes[at] ^ 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] = changed;
                // Any answer but a panic.
                drop(facts(&files.write("damaged.ko", &damaged)));
            }
        }
    }
}

#[test]
fn every_byte_of_a_kernel_image_changed() {
    let files = Files::new();
    let fixture = Fixture::new(true, Endianness::Little).linked(ET_EXEC);
    let vmlinux = fixture.build();
    let image = bzimage(&vmlinux, Packing::Gzip, "6.1.0-50-test");
    for bytes in [vmlinux, image] {
        for at in 0..bytes.len() {
            for changed in [0, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = changed;
                drop(kernel(&files.write("vmlinuz", &damaged)));
            }
        }
    }
}

#[test]
fn what_is_no_module() {
    let files = Files::new();
    let of = |bytes: &[u8]| {
        let path = files.write("a.ko", bytes);
        complaint(facts(&path), &path)
    };
    assert_eq!(of(b""), "the file is empty");
    assert_eq!(of(b"a text that is named .ko\n"), "not an ELF file");
    assert_eq!(of(b"\x7f"), "not an ELF file");
    assert!(of(b"\x7fELF").starts_with("damaged ELF file: "));
    let no_modinfo = Fixture::new(true, Endianness::Little).build();
    let at = memchr::memmem::find(&no_modinfo, b".modinfo\0").unwrap();
    let renamed = [&no_modinfo[..at], b".xodinfo", &no_modinfo[at + 8..]].concat();
    assert_eq!(of(&renamed), "no .modinfo section");

    let directory = files.path("directory.ko");
    std::fs::create_dir(&directory).unwrap();
    assert_eq!(
        complaint(facts(&directory), &directory),
        "not a regular file"
    );
    let missing = files.path("missing.ko");
    assert!(complaint(facts(&missing), &missing).contains("No such file"));
    let device = Path::new("/dev/null");
    assert_eq!(complaint(facts(device), device), "not a regular file");
}

/// Opening one would wait for a writer.
#[test]
fn a_fifo_is_refused_at_once() {
    let files = Files::new();
    let path = files.path("fifo.ko");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    assert_eq!(complaint(facts(&path), &path), "not a regular file");
}

/// A sparse file costs its maker nothing and must not cost us memory.
#[test]
fn a_file_of_absurd_size_is_refused() {
    let files = Files::new();
    for head in [&b"\x7fELF\x02\x01\x01"[..], b"\xfd7zXZ\0", b"plain"] {
        let path = files.write("sparse.ko", head);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        assert_eq!(
            complaint(Image::open(&path).map(drop), &path),
            "larger than 2147483648 bytes"
        );
    }
}

#[test]
fn the_facts_of_a_program_are_an_error() {
    let own = std::env::current_exe().unwrap();
    assert_eq!(
        complaint(facts(&own), &own),
        "not a relocatable ELF file, as modules are, but of type 3"
    );
    assert!(
        goblin_reader::facts_of_file(&own)
            .unwrap()
            .exports
            .is_empty()
    );
}
