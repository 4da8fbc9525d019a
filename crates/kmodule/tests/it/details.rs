//! What the kernel's loader asks of a module beside names and CRCs, of every layout.

use std::path::Path;

use kmodule::{Arena, DetailedExport, Error, Image, KernelImage, Module, Signature, SignerId};
use kmpkit_fixtures::fixture::{CrcForm, Fixture, Ksymtab, Stripped, Versions};
use object::Endianness;
use object::elf::ET_EXEC;

use crate::common::{Files, complaint};

type Details = Vec<(String, Option<u32>, Option<String>, bool)>;

fn details(exports: &[DetailedExport<'_>]) -> Details {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let one = |export: &DetailedExport<'_>| {
        let namespace = export.namespace.map(text);
        (text(export.name), export.crc, namespace, export.gpl_only)
    };
    exports.iter().map(one).collect()
}

fn of<T>(bytes: &[u8], fact: impl FnOnce(&Module<'_>) -> T) -> T {
    let files = Files::new();
    let image = Image::open(&files.write("a.ko", bytes)).unwrap();
    let arena = Arena::new();
    fact(&Module::parse(&image, &arena).unwrap())
}

/// Every form of the tables that a module or a kernel may have.
fn forms() -> Vec<Fixture> {
    let mut forms = Vec::new();
    for base in Fixture::architectures() {
        for crcs in [
            CrcForm::None,
            CrcForm::Kcrctab,
            CrcForm::Rodata,
            CrcForm::Absolute,
        ] {
            for ksymtab in [Ksymtab::Distances, Ksymtab::Pointers] {
                for namespaces in [false, true] {
                    for kflagstab in [false, true] {
                        forms.push(Fixture {
                            crcs,
                            ksymtab,
                            namespaces,
                            kflagstab,
                            ..base.clone()
                        });
                    }
                }
            }
        }
    }
    forms
}

#[test]
fn exports_of_modules_have_namespace_and_gpl_flag() {
    for form in forms() {
        for stripped in [
            Stripped::Nothing,
            Stripped::Unneeded,
            Stripped::ToSectionSymbols,
        ] {
            let mut fixture = Fixture {
                stripped,
                ..form.clone()
            };
            fixture.exports.push(("omega", None, false));
            let bytes = fixture.build();
            let found = of(&bytes, |module| {
                details(&module.detailed_exports().unwrap())
            });
            assert_eq!(found, fixture.detailed_exports(), "{fixture:#?}");
            let tables = of(&bytes, |module| module.export_tables().unwrap());
            let expected = (fixture.crcs != CrcForm::None, fixture.kflagstab);
            assert_eq!((tables.crcs, tables.flags), expected);
        }
    }
}

#[test]
fn exports_of_kernels_have_them_too() {
    let files = Files::new();
    for form in forms() {
        let fixture = form.linked(ET_EXEC);
        let image = KernelImage::open(&files.write("vmlinux", &fixture.build())).unwrap();
        let found = details(&image.detailed_exports().unwrap());
        assert_eq!(found, fixture.detailed_exports(), "{fixture:#?}");
    }
}

/// A table that is there twice, and flags that are too few.
#[test]
fn tables_that_do_not_belong_together_are_an_error() {
    let complain = |bytes: &[u8]| -> String {
        let error: Result<Vec<_>, Error> = of(bytes, |module| {
            module.detailed_exports().map(|exports| details(&exports))
        });
        let text = error.unwrap_err().to_string();
        text.split_once(": ").unwrap().1.to_owned()
    };
    let fixture = Fixture {
        kflagstab: true,
        ..Fixture::new(true, Endianness::Little)
    };
    let good = fixture.build();
    let elf = goblin::elf::Elf::parse(&good).unwrap();
    let header = |name: &str| {
        let named =
            |s: &goblin::elf::SectionHeader| elf.shdr_strtab.get_at(s.sh_name) == Some(name);
        let index = elf.section_headers.iter().position(named).unwrap();
        elf.header.e_shoff as usize + 64 * index
    };
    let (one, other) = (header("__ksymtab"), header(".rodata"));
    let mut twice = good.clone();
    twice.copy_within(one..one + 4, other);
    assert_eq!(complain(&twice), "bad __ksymtab section: it is there twice");
    let size = header("__kflagstab") + 32;
    let mut fewer = good.clone();
    fewer[size] -= 1;
    assert_eq!(
        complain(&fewer),
        "bad __kflagstab section: it has not one byte for each export"
    );
}

#[test]
fn both_forms_of_versions_are_told_apart() {
    for base in Fixture::architectures() {
        for (versions, basic, extended) in [
            (Versions::None, None, None),
            (Versions::Basic, Some(3), None),
            (Versions::Extended, None, Some(3)),
            (Versions::Both, Some(3), Some(3)),
        ] {
            let fixture = Fixture {
                versions,
                ..base.clone()
            };
            let found = of(&fixture.build(), |module| {
                let versions = module.versions().unwrap();
                (
                    versions.basic.map(|basic| basic.len()),
                    versions.extended.map(|extended| extended.len()),
                )
            });
            assert_eq!(found, (basic, extended));
        }
    }
}

#[test]
fn the_size_of_struct_module_is_that_of_its_section() {
    let crowded = Fixture {
        crowded: true,
        ..Fixture::new(true, Endianness::Little)
    };
    let size = |bytes: &[u8]| of(bytes, |module| module.struct_module_size().unwrap());
    assert_eq!(size(&crowded.build()), Some(896));
    assert_eq!(size(&Fixture::new(true, Endianness::Big).build()), None);
}

#[test]
fn btf_is_given_as_it_lies_there() {
    let mut bytes = Fixture::new(true, Endianness::Little).build();
    assert!(of(&bytes, |module| module.btf().unwrap().is_none()));
    let at = memchr::memmem::find(&bytes, b"\0.rodata\0").unwrap();
    bytes[at..at + 9].copy_from_slice(b"\0.BTF\0\0\0\0");
    of(&bytes, |module| {
        assert!(module.btf().unwrap().unwrap().starts_with(b"%s Linux"));
        assert!(!module.has_btf_base());
    });
}

/// A value in DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..=0x7f => vec![tag, len[1]],
        0x80..=0xff => vec![tag, 0x81, len[1]],
        _ => vec![tag, 0x82, len[0], len[1]],
    };
    [head, content].concat()
}

const ISSUER: &[u8] = &[0x30, 4, 0x31, 2, 0x30, 0];

/// SignedData as sign-file writes it, with a signer for each identifier.
fn signed_data(ids: &[Vec<u8>]) -> Vec<u8> {
    let infos: Vec<Vec<u8>> = ids
        .iter()
        .map(|id| der(0x30, &[&[2, 1, 1], id, &[0x30, 0], &[4, 200], &[7; 200]]))
        .collect();
    let infos: Vec<&[u8]> = infos.iter().map(Vec::as_slice).collect();
    let content = der(
        0x30,
        &[
            &[2, 1, 1],
            &[0x31, 2, 0x30, 0],
            &[0x30, 0],
            &[0xa0, 2, 0x30, 0],
            &der(0x31, &infos),
        ],
    );
    let oid = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    der(0x30, &[&oid, &der(0xa0, &[&content])])
}

fn appended(module: &[u8], signature: &[u8], kind: u8, length: u32) -> Vec<u8> {
    let trailer = [0, 0, kind, 0, 0, 0, 0, 0];
    let mark = b"~Module signature appended~\n";
    [module, signature, &trailer, &length.to_be_bytes(), mark].concat()
}

#[test]
fn signers_are_named_by_certificate_or_key() {
    let module = Fixture::new(true, Endianness::Little).build();
    let serial = [0x00, 0xfe, 0x01];
    let by_certificate = der(0x30, &[ISSUER, &der(2, &[&serial])]);
    let by_key = der(0x80, &[&[9; 20]]);
    let data = signed_data(&[by_certificate, by_key]);
    let signed = appended(&module, &data, 2, data.len() as u32);
    let expected = Signature::Pkcs7(vec![
        SignerId::Certificate {
            issuer: ISSUER.into(),
            serial: serial.into(),
        },
        SignerId::Key([9; 20].into()),
    ]);
    let found = |bytes: &[u8]| of(bytes, |module| module.signature().unwrap());
    assert_eq!(found(&signed), Some(expected));
    assert_eq!(found(&module), None);
    let other_kind = appended(&module, &data, 1, data.len() as u32);
    assert_eq!(found(&other_kind), Some(Signature::Unsupported));
}

#[test]
fn damaged_signatures_are_an_error() {
    let module = Fixture::new(true, Endianness::Little).build();
    let data = signed_data(&[der(0x80, &[&[9; 20]])]);
    let files = Files::new();
    let path = files.path("a.ko");
    let complain = |bytes: &[u8]| {
        files.write("a.ko", bytes);
        let image = Image::open(&path).unwrap();
        let arena = Arena::new();
        let module = Module::parse(&image, &arena);
        complaint(module.and_then(|module| module.signature()), &path)
    };
    let longer = complain(&appended(&module, &data, 2, u32::MAX));
    assert!(longer.ends_with("is no signature; the file was cut short or changed"));
    let no_data = "damaged signature: it is no signed data in PKCS#7";
    for end in 0..data.len() {
        assert_eq!(
            complain(&appended(&module, &data[..end], 2, end as u32)),
            no_data
        );
    }
    let empty = signed_data(&[]);
    assert_eq!(
        complain(&appended(&module, &empty, 2, empty.len() as u32)),
        no_data
    );
    let mut fields = appended(&module, &data, 2, data.len() as u32);
    let at = fields.len() - 28 - 12;
    fields[at] = 1;
    assert_eq!(
        complain(&fields),
        "damaged signature: fields of other kinds of signatures are set"
    );
}

/// Any answer but a panic.
#[test]
fn every_byte_of_a_signature_changed() {
    let module = Fixture::new(false, Endianness::Big).build();
    let data = signed_data(&[der(0x30, &[ISSUER, &[2, 1, 5]])]);
    let signed = appended(&module, &data, 2, data.len() as u32);
    for at in module.len()..signed.len() {
        for changed in [0, 0x30, 0x80, 0x84, 0xff] {
            let mut damaged = signed.clone();
            damaged[at] = changed;
            let image = Image::from_bytes(Path::new("a.ko"), &damaged).unwrap();
            let arena = Arena::new();
            if let Ok(module) = Module::parse(&image, &arena) {
                drop(module.signature());
            }
        }
    }
}

#[test]
fn namespaces_that_lead_nowhere_are_an_error() {
    let fixture = Fixture {
        rela: true,
        ..Fixture::new(true, Endianness::Little)
    };
    let mut bytes = fixture.build();
    let elf = goblin::elf::Elf::parse(&bytes).unwrap();
    let symtab = elf.section_headers.iter().find(|s| s.sh_type == 2).unwrap();
    let index = elf
        .syms
        .iter()
        .position(|symbol| elf.strtab.get_at(symbol.st_name) == Some("__kstrtabns_zulu"))
        .unwrap();
    // st_shndx of the namespace of an export: .text.
    let at = symtab.sh_offset as usize + 24 * index + 6;
    bytes[at..at + 2].copy_from_slice(&1_u16.to_le_bytes());
    let error = of(&bytes, |module| {
        module.detailed_exports().map(|exports| details(&exports))
    });
    let message = error.unwrap_err().to_string();
    assert!(
        message.ends_with("bad __ksymtab section: its entries do not lead to namespaces"),
        "{message}"
    );
}
