//! What the kernel's loader refuses is an error, and what shows that a file was cut or changed; kmod
//! reads most of it.

use std::path::Path;

use goblin::elf::Elf;
use kmodule::{Arena, AsKmod, Image};
use kmpkit_fixtures::fixture::Fixture;
use kmpkit_fixtures::signature::signed;
use object::Endianness;
use object::elf::{ET_CORE, ET_DYN, ET_EXEC, ET_NONE, ET_REL};

use crate::common::{facts_of, kernel_of};

/// The reason, without the file.
fn refusal(bytes: &[u8]) -> String {
    let error = facts_of(bytes).expect_err("accepted");
    error.problem.to_string()
}

fn kmod_reads(bytes: &[u8]) -> bool {
    let image = Image::from_bytes(Path::new("fixture.ko"), bytes).unwrap();
    let arena = Arena::new();
    AsKmod::parse(&image, &arena).is_ok_and(|module| {
        let symbols = module.symbols();
        symbols.exports.is_ok() && symbols.imports.is_ok() && module.modinfo().is_ok()
    })
}

/// A fixture whose header fields can be changed.
#[derive(Clone)]
struct Changed {
    bytes: Vec<u8>,
    is_64: bool,
    endian: Endianness,
}

impl Changed {
    fn all() -> impl Iterator<Item = Self> {
        Fixture::architectures().map(|fixture| Self {
            bytes: fixture.build(),
            is_64: fixture.is_64,
            endian: fixture.endian,
        })
    }

    fn put(&mut self, at: usize, width: usize, value: u64) {
        let bytes = match self.endian {
            Endianness::Little => value.to_le_bytes()[..width].to_vec(),
            Endianness::Big => value.to_be_bytes()[8 - width..].to_vec(),
        };
        self.bytes[at..at + width].copy_from_slice(&bytes);
    }

    /// The indexes, offsets and sizes of sections that have bytes, and their names.
    fn sections(&self) -> Vec<(usize, u64, u64, String)> {
        let elf = Elf::parse(&self.bytes).unwrap();
        let sections = elf.section_headers.iter().enumerate();
        sections
            .filter(|(_, section)| section.sh_type != 8 && section.sh_size > 0)
            .map(|(index, section)| {
                let name = elf.shdr_strtab.get_at(section.sh_name).unwrap().to_owned();
                (index, section.sh_offset, section.sh_size, name)
            })
            .collect()
    }

    fn header(&self, section: usize) -> usize {
        let elf = Elf::parse(&self.bytes).unwrap();
        elf.header.e_shoff as usize + section * elf.header.e_shentsize as usize
    }

    fn with_offset(&self, section: usize, offset: u64) -> Self {
        let word = if self.is_64 { 8 } else { 4 };
        let mut changed = self.clone();
        changed.put(self.header(section) + 8 + 2 * word, word, offset);
        changed
    }

    fn with_type(&self, section: usize, kind: u64) -> Self {
        let mut changed = self.clone();
        changed.put(self.header(section) + 4, 4, kind);
        changed
    }

    fn with_name_of(&self, section: usize, other: usize) -> Self {
        let mut changed = self.clone();
        let (from, to) = (self.header(other), self.header(section));
        changed.bytes.copy_within(from..from + 4, to);
        changed
    }
}

#[test]
fn only_relocatable_files_are_modules() {
    for kind in [ET_NONE, ET_EXEC, ET_DYN, ET_CORE] {
        for mut changed in Changed::all() {
            changed.put(16, 2, kind.0.into());
            let wanted = format!(
                "not a relocatable ELF file, as modules are, but of type {}",
                kind.0
            );
            assert_eq!(refusal(&changed.bytes), wanted);
            assert!(kmod_reads(&changed.bytes));
        }
    }
}

#[test]
fn only_linked_files_are_kernels() {
    let mut fixture = Fixture::new(true, Endianness::Little).linked(ET_EXEC);
    assert!(kernel_of(&fixture.build()).is_ok());
    fixture.kind = ET_REL;
    let error = kernel_of(&fixture.build()).unwrap_err();
    assert_eq!(
        error.problem.to_string(),
        "bad kernel image: an ELF file that is not linked"
    );
}

/// Also a table of CRCs inside one of strings, which would give CRCs made of letters.
#[test]
fn no_two_sections_share_a_byte() {
    for changed in Changed::all() {
        for (one, at, size, name) in changed.sections() {
            for (_, start, length, other) in changed.sections() {
                let inside = start + length.saturating_sub(size);
                if at == start || name == ".shstrtab" || other == ".shstrtab" {
                    continue;
                }
                for offset in [start, inside] {
                    let message = refusal(&changed.with_offset(one, offset).bytes);
                    assert!(
                        message.ends_with("section: it overlaps another, or the headers"),
                        "{name} in {other}: {message}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_section_shares_a_byte_with_the_headers() {
    for changed in Changed::all() {
        let headers = Elf::parse(&changed.bytes).unwrap().header.e_shoff;
        let (section, _, _, _) = changed.sections()[0];
        for offset in [0, 16, headers, headers + 8] {
            let message = refusal(&changed.with_offset(section, offset).bytes);
            assert!(message.contains("overlap"), "{message}");
        }
    }
}

#[test]
fn what_the_loader_takes_once_is_there_once() {
    for changed in Changed::all() {
        let sections = changed.sections();
        let of = |name: &str| sections.iter().find(|section| section.3 == name).unwrap().0;
        let twice = changed.with_name_of(of(".rodata"), of(".modinfo"));
        assert_eq!(
            refusal(&twice.bytes),
            "bad .modinfo section: there is another of the kind"
        );
        let twice = changed.with_type(of(".rodata"), 2);
        assert_eq!(
            refusal(&twice.bytes),
            "bad .symtab section: there is another of the kind"
        );
        assert!(kmod_reads(&twice.bytes));
    }
}

#[test]
fn the_first_section_is_empty() {
    for changed in Changed::all() {
        assert_eq!(
            refusal(&changed.with_type(0, 1).bytes),
            "bad first section: it must be empty"
        );
    }
}

#[test]
fn section_names_have_an_end() {
    for mut changed in Changed::all() {
        let sections = changed.sections();
        let (_, at, size, _) = sections.iter().find(|s| s.3 == ".shstrtab").unwrap();
        changed.bytes[(at + size) as usize - 1] = b'x';
        assert_eq!(
            refusal(&changed.bytes),
            "bad .shstrtab section: a name without an end"
        );
        assert!(!kmod_reads(&changed.bytes));
    }
}

#[test]
fn tables_of_names_are_string_tables() {
    for changed in Changed::all() {
        let sections = changed.sections();
        let of = |name: &str| sections.iter().find(|section| section.3 == name).unwrap();
        assert_eq!(
            refusal(&changed.with_type(of(".shstrtab").0, 1).bytes),
            "bad .shstrtab section: it is no string table"
        );
        let bad = "bad .symtab section: its string table is damaged";
        assert_eq!(refusal(&changed.with_type(of(".strtab").0, 1).bytes), bad);
        let (_, at, size, _) = of(".strtab");
        for at in [at, &(at + size - 1)] {
            let mut changed = changed.clone();
            changed.bytes[*at as usize] = b'x';
            assert_eq!(refusal(&changed.bytes), bad);
        }
    }
}

/// The loader ignores bytes behind a module; they are what is left of a signature, or worse.
#[test]
fn what_follows_the_elf_file_is_a_signature() {
    for fixture in Fixture::architectures() {
        let bare = fixture.build();
        let wanted = format!(
            "what follows the ELF file at byte {} is no signature; the file was cut short or changed",
            bare.len()
        );
        let twice = signed(&signed(&bare, 50), 2000);
        assert!(facts_of(&twice).is_ok());
        for end in bare.len() + 1..twice.len() {
            if end != signed(&bare, 50).len() {
                assert_eq!(refusal(&twice[..end]), wanted, "{end}");
                assert!(kmod_reads(&twice[..end]));
            }
        }
        let longer = |behind: &[u8]| refusal(&[&bare[..], behind].concat());
        assert_eq!(longer(b"\0"), wanted);
        assert_eq!(longer(&[0; 4000]), wanted);
        assert_eq!(longer(b"~Module signature appended~\n"), wanted);
        // A signature longer than what is there, into the module or out of the file.
        for size in [800_u32, u32::MAX] {
            let mut lying = signed(&bare, 700);
            let at = lying.len() - 32;
            lying[at..at + 4].copy_from_slice(&size.to_be_bytes());
            assert_eq!(refusal(&lying), wanted);
        }
    }
}
