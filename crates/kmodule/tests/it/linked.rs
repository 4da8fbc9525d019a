//! Kernel images: a vmlinux of any architecture, and the bzImage around one.

use object::Endianness;
use object::elf::{ET_DYN, ET_EXEC};

use crate::common::{Files, complaint, kernel, kernel_of};
use kmpkit_fixtures::boot::{around, bzimage};
use kmpkit_fixtures::fixture::{CrcForm, Fixture, Ksymtab, RELEASE, Stripped};
use kmpkit_fixtures::goblin_reader;
use kmpkit_fixtures::pack::{FORMATS, Packing, pack};

/// Every layout a linked kernel may have.
fn kernels() -> impl Iterator<Item = Fixture> {
    let layouts = Fixture::architectures().flat_map(|base| {
        let new = [
            (Ksymtab::Distances, true),
            (Ksymtab::Distances, false),
            (Ksymtab::Pointers, true),
            (Ksymtab::Pointers, false),
        ];
        new.into_iter().flat_map(move |(ksymtab, namespaces)| {
            let base = base.clone();
            [ET_EXEC, ET_DYN].into_iter().map(move |kind| {
                Fixture {
                    ksymtab,
                    namespaces,
                    ..base.clone()
                }
                .linked(kind)
            })
        })
    });
    layouts.flat_map(|layout| {
        let long = layout.is_64 && layout.ksymtab == Ksymtab::Pointers && !layout.namespaces;
        [
            CrcForm::Kcrctab,
            CrcForm::Absolute,
            CrcForm::Rodata,
            CrcForm::AbsoluteLong,
        ]
        .into_iter()
        .filter(move |form| long || *form != CrcForm::AbsoluteLong)
        .map(move |crcs| Fixture {
            crcs,
            ..layout.clone()
        })
    })
}

#[test]
fn vmlinux_of_every_layout() {
    let files = Files::new();
    for fixture in kernels() {
        for stripped in [Stripped::SymbolTable, Stripped::Nothing] {
            let fixture = Fixture {
                stripped,
                ..fixture.clone()
            };
            let path = files.write("vmlinux", &fixture.build());
            let (release, exports) =
                kernel(&path).unwrap_or_else(|error| panic!("{error} in {fixture:#?}"));
            assert_eq!(release, RELEASE);
            assert_eq!(exports, fixture.exports(), "{fixture:#?}");
            if stripped == Stripped::Nothing {
                let independent = goblin_reader::facts_of_file(&path).unwrap().exports;
                assert_eq!(independent, exports.into_iter().collect(), "{fixture:#?}");
            }
        }
    }
}

#[test]
fn a_kernel_without_modversions_has_no_crcs() {
    let fixture = Fixture {
        exports: Vec::new(),
        ..Fixture::new(true, Endianness::Little).linked(ET_EXEC)
    };
    assert_eq!(kernel_of(&fixture.build()).unwrap().1, []);
}

#[test]
fn compressed_vmlinux() {
    let fixture = Fixture::new(true, Endianness::Big).linked(ET_EXEC);
    let vmlinux = fixture.build();
    for format in FORMATS {
        let (release, exports) = kernel_of(&pack(format, &vmlinux)).unwrap();
        assert_eq!((release.as_str(), exports), (RELEASE, fixture.exports()));
    }
}

#[test]
fn bzimage_of_every_compression() {
    // What the boot stub relocates by follows the ELF file.
    for is_64 in [false, true] {
        let fixture = Fixture::new(is_64, Endianness::Little).linked(ET_EXEC);
        let mut vmlinux = fixture.build();
        vmlinux.extend([7; 100]);
        for format in FORMATS.into_iter().chain([Packing::Lzma]) {
            let image = bzimage(&vmlinux, format, RELEASE);
            let (release, exports) = kernel_of(&image).unwrap();
            assert_eq!((release.as_str(), exports), (RELEASE, fixture.exports()));
        }
    }
}

#[test]
fn bad_bzimages_say_what_is_wrong() {
    let fixture = Fixture::new(true, Endianness::Little).linked(ET_EXEC);
    let good = bzimage(&fixture.build(), Packing::Zstd, RELEASE);
    let with = |at: usize, bytes: &[u8]| {
        let mut image = good.clone();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        image
    };
    let outside = "bad kernel image: its payload lies outside the file";
    let cases = [
        (
            with(0x206, &[7, 2]),
            "bad kernel image: boot protocol older than 2.08",
        ),
        (with(0x248, &u32::MAX.to_le_bytes()), outside),
        (with(0x24c, &u32::MAX.to_le_bytes()), outside),
        (with(0x1f1, &[0xff]), outside),
        (
            with(0x20e, &[0, 0]),
            "bad kernel image: no kernelrelease in its setup header",
        ),
        (
            with(0x300, b"../../"),
            "\"../../50-test\" is no kernelrelease",
        ),
        (
            around(&[0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0], RELEASE),
            "bad kernel image: its payload's compression (LZO or LZ4?) is not supported; \
             give its symvers",
        ),
        (
            around(&pack(Packing::Xz, &fixture.build()), RELEASE),
            "bad kernel image: its payload announces more than 512 MiB",
        ),
        (
            bzimage(b"no ELF file", Packing::Gzip, RELEASE),
            "not an ELF file",
        ),
        (
            b"MZ and nothing more".to_vec(),
            "bad kernel image: neither ELF nor bzImage; give its symvers",
        ),
    ];
    let files = Files::new();
    for (image, reason) in cases {
        let path = files.write("vmlinuz", &image);
        let message = complaint(kernel(&path), &path);
        assert!(message.starts_with(reason), "{message} is not {reason}");
    }
}

/// linux-headers of some distributions carry a vmlinux that holds only BTF.
#[test]
fn a_vmlinux_without_tables_is_an_error() {
    let mut fixture = Fixture::new(true, Endianness::Little)
        .linked(ET_EXEC)
        .build();
    let at = memchr::memmem::find(&fixture, b"__ksymtab_strings").unwrap();
    fixture[at] = b'x';
    let files = Files::new();
    let path = files.write("vmlinux", &fixture);
    assert_eq!(
        complaint(kernel(&path), &path),
        "no __ksymtab_strings section"
    );
}
