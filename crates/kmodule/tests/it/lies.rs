//! Headers that lie: no panic, no memory or time out of proportion.

use object::Endianness;
use object::elf::ET_EXEC;

use crate::common::{Files, facts, facts_of, kernel_of};
use kmpkit_fixtures::fixture::{CrcForm, Fixture, Ksymtab, MODINFO, Stripped, Versions};

const EXTREMES: [u64; 9] = [
    0,
    1,
    3,
    0x7f,
    0xff00,
    0xfff1,
    0x7fff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// A fixture's bytes, with the places of its header fields.
struct Patient {
    bytes: Vec<u8>,
    is_64: bool,
    endian: Endianness,
    files: Files,
}

impl Patient {
    fn new(fixture: &Fixture) -> Self {
        let bytes = fixture.build();
        Self {
            is_64: fixture.is_64,
            endian: fixture.endian,
            files: Files::new(),
            bytes,
        }
    }

    /// One for each class and byte order, and between them every way to find
    /// names and CRCs.
    fn all() -> impl Iterator<Item = Self> {
        let forms = [
            (CrcForm::Kcrctab, Stripped::Nothing, Ksymtab::Distances),
            (CrcForm::Kcrctab, Stripped::Unneeded, Ksymtab::Pointers),
            (CrcForm::Rodata, Stripped::Unneeded, Ksymtab::Distances),
            (CrcForm::Absolute, Stripped::Nothing, Ksymtab::Pointers),
        ];
        Fixture::architectures()
            .zip(forms)
            .map(|(base, (crcs, stripped, ksymtab))| {
                Self::new(&Fixture {
                    crcs,
                    stripped,
                    ksymtab,
                    versions: Versions::Both,
                    ..base
                })
            })
    }

    /// The answer with the `width` bytes at `at` replaced by each extreme.
    fn lie(&self, at: usize, width: usize) {
        for value in EXTREMES {
            let field = match self.endian {
                Endianness::Little => value.to_le_bytes()[..width].to_vec(),
                Endianness::Big => value.to_be_bytes()[8 - width..].to_vec(),
            };
            let mut lying = self.bytes.clone();
            lying[at..at + width].copy_from_slice(&field);
            // Any answer but a panic: some lies make another valid file.
            drop(facts(&self.files.write("lying.ko", &lying)));
        }
    }

    fn elf(&self) -> goblin::elf::Elf<'_> {
        goblin::elf::Elf::parse(&self.bytes).unwrap()
    }

    fn word(&self) -> usize {
        if self.is_64 { 8 } else { 4 }
    }
}

#[test]
fn in_the_file_header() {
    for patient in Patient::all() {
        let fields: &[(usize, usize)] = match patient.is_64 {
            // e_type, e_ehsize, e_shentsize, e_shnum, e_shstrndx, e_shoff
            true => &[(16, 2), (52, 2), (58, 2), (60, 2), (62, 2), (40, 8)],
            false => &[(16, 2), (40, 2), (46, 2), (48, 2), (50, 2), (32, 4)],
        };
        for &(at, width) in fields {
            patient.lie(at, width);
        }
        for at in 4..16 {
            patient.lie(at, 1);
        }
    }
}

#[test]
fn in_the_section_headers() {
    for patient in Patient::all() {
        let elf = patient.elf();
        let word = patient.word();
        let size = elf.header.e_shentsize as usize;
        for index in 0..elf.section_headers.len() {
            let header = elf.header.e_shoff as usize + index * size;
            patient.lie(header, 4);
            patient.lie(header + 4, 4);
            // sh_flags, sh_addr, sh_offset, sh_size
            for field in 0..4 {
                patient.lie(header + 8 + field * word, word);
            }
            // sh_link, sh_info
            patient.lie(header + 8 + 4 * word, 4);
            patient.lie(header + 12 + 4 * word, 4);
        }
    }
}

#[test]
fn in_the_symbols() {
    for patient in Patient::all() {
        let elf = patient.elf();
        let symtab = elf.section_headers.iter().find(|s| s.sh_type == 2).unwrap();
        let (size, value, section) = match patient.is_64 {
            true => (24, (8, 8), 6),
            false => (16, (4, 4), 14),
        };
        for index in 0..symtab.sh_size as usize / size {
            let symbol = symtab.sh_offset as usize + index * size;
            patient.lie(symbol, 4);
            patient.lie(symbol + value.0, value.1);
            patient.lie(symbol + section, 2);
        }
    }
}

#[test]
fn in_the_relocations() {
    for patient in Patient::all() {
        let elf = patient.elf();
        let word = patient.word();
        for section in &elf.section_headers {
            let fields = match section.sh_type {
                4 => 3,
                9 => 2,
                _ => continue,
            };
            let start = section.sh_offset as usize;
            for at in (start..start + section.sh_size as usize).step_by(word) {
                patient.lie(at, word);
            }
            assert_eq!(section.sh_size as usize % (fields * word), 0);
        }
    }
}

/// Sections that overlap could make a small file cost any amount of memory.
#[test]
fn sections_that_share_their_bytes_are_refused() {
    let patient = Patient::new(&Fixture::new(true, Endianness::Little));
    let elf = patient.elf();
    let text = elf.header.e_shoff as usize + 64;
    let mut lying = patient.bytes.clone();
    lying[text + 32..text + 40].copy_from_slice(&(patient.bytes.len() as u64 - 64).to_le_bytes());
    let message = facts_of(&lying).unwrap_err().to_string();
    assert!(
        message.ends_with("section: it overlaps another, or the headers"),
        "{message}"
    );
}

#[test]
fn a_compressed_section_is_refused() {
    let patient = Patient::new(&Fixture::new(true, Endianness::Little));
    let elf = patient.elf();
    let index = elf
        .section_headers
        .iter()
        .position(|section| elf.shdr_strtab.get_at(section.sh_name) == Some("__versions"))
        .unwrap();
    let flags = elf.header.e_shoff as usize + index * 64 + 8;
    let mut lying = patient.bytes.clone();
    lying[flags..flags + 8].copy_from_slice(&(2_u64 | 1 << 11).to_le_bytes());
    let message = facts_of(&lying).unwrap_err().to_string();
    assert!(
        message.ends_with("bad __versions section: it is compressed"),
        "{message}"
    );
}

/// CRCs without the table that says whose they are would be dropped silently.
#[test]
fn crcs_without_their_ksymtab_are_an_error() {
    let mut bytes = Fixture::new(true, Endianness::Little).build();
    let at = memchr::memmem::find(&bytes, b"\0__ksymtab_gpl\0").unwrap();
    bytes[at + 3] = b'x';
    let message = facts_of(&bytes).unwrap_err().to_string();
    assert!(
        message.ends_with("bad __kcrctab_gpl section: no __ksymtab belongs to it"),
        "{message}"
    );
}

/// A kernel that compares CRCs refuses such a module, and its package would provide no symbol.
#[test]
fn exports_without_the_crcs_that_vermagic_promises_are_an_error() {
    let wanted = "bad __ksymtab section: its exports have no CRCs, but vermagic says modversions";
    let module = Fixture::new(true, Endianness::Little);
    for (fixture, is_kernel) in [(module.clone(), false), (module.linked(ET_EXEC), true)] {
        let mut bytes = fixture.build();
        while let Some(at) = memchr::memmem::find(&bytes, b"\0__kcrctab") {
            bytes[at + 4] = b'x';
        }
        let message = match is_kernel {
            false => facts_of(&bytes).unwrap_err().to_string(),
            true => kernel_of(&bytes).unwrap_err().to_string(),
        };
        assert!(message.ends_with(wanted), "{message}");
    }
}

/// Else a cut that takes `modversions` away would turn all symbols into a release.
#[test]
fn a_cut_vermagic_is_an_error() {
    let mut bytes = Fixture::new(true, Endianness::Little).build();
    let last = MODINFO.last().unwrap();
    let at = memchr::memmem::find(&bytes, last.as_bytes()).unwrap();
    bytes[at + last.len()] = b'x';
    let message = facts_of(&bytes).unwrap_err().to_string();
    let wanted = "bad .modinfo section: its last field is cut short";
    assert!(message.ends_with(wanted), "{message}");
}
