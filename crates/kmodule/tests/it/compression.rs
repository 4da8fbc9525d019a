//! Compressed modules: told by content, whole or an error.

use kmodule::Image;
use object::Endianness;

use crate::common::{Files, complaint, facts};
use kmpkit_fixtures::fixture::Fixture;
use kmpkit_fixtures::goblin_reader;
use kmpkit_fixtures::pack::{FORMATS, pack, pack_in_frames, suffix};

#[test]
fn every_compression_in_one_frame_and_in_many() {
    let files = Files::new();
    for fixture in Fixture::architectures() {
        let plain = fixture.build();
        for format in FORMATS {
            for packed in [pack(format, &plain), pack_in_frames(format, &plain)] {
                // The name claims another format than the content has.
                let path = files.write("module.ko", &packed);
                let facts = facts(&path).unwrap();
                assert_eq!(facts.exports, fixture.exports(), "{format}");
                assert_eq!(facts.imports, fixture.imports(), "{format}");
                let named = files.write(&format!("module.ko.{}", suffix(format)), &packed);
                let independent = goblin_reader::facts_of_file(&named).unwrap();
                assert_eq!(independent.exports, facts.exports.into_iter().collect());
            }
        }
    }
}

#[test]
fn a_cut_at_every_byte_is_an_error() {
    let files = Files::new();
    let fixture = Fixture::new(true, Endianness::Little);
    let plain = fixture.build();
    for format in FORMATS {
        for packed in [pack(format, &plain), pack_in_frames(format, &plain)] {
            for len in 0..packed.len() {
                let path = files.write("module.ko", &packed[..len]);
                complaint(facts(&path), &path);
            }
        }
    }
}

#[test]
fn flipped_bytes_do_not_panic_and_change_no_fact() {
    let files = Files::new();
    let fixture = Fixture::new(false, Endianness::Big);
    let plain = fixture.build();
    for format in FORMATS {
        let packed = pack(format, &plain);
        for at in 0..packed.len() {
            for flipped in [0, 0xff, packed[at] ^ 1] {
                let mut damaged = packed.clone();
                damaged[at] = flipped;
                let path = files.write("module.ko", &damaged);
                // All formats carry a checksum here.
                if let Ok(facts) = facts(&path) {
                    assert_eq!(facts.exports, fixture.exports(), "{format} byte {at}");
                    assert_eq!(facts.imports, fixture.imports(), "{format} byte {at}");
                }
            }
        }
    }
}

#[test]
fn something_else_after_the_magic() {
    let files = Files::new();
    for format in FORMATS {
        let mut packed = pack(format, b"")[..4].to_vec();
        packed.extend(b"xz\0this is not what it claims to be".repeat(20));
        let path = files.write("module.ko", &packed);
        let message = complaint(facts(&path), &path);
        let start = format!("broken {format} compression: ");
        assert!(
            message.starts_with(&start) || message == "not an ELF file",
            "{message}"
        );
    }
}

#[test]
fn bytes_behind_the_last_frame_are_damage() {
    let files = Files::new();
    let plain = Fixture::new(true, Endianness::Little).build();
    for format in FORMATS {
        let mut packed = pack(format, &plain);
        packed.extend(b"rest");
        let path = files.write("module.ko", &packed);
        let message = complaint(facts(&path), &path);
        let start = format!("broken {format} compression: ");
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn a_compressed_text_is_no_module() {
    let files = Files::new();
    for format in FORMATS {
        let path = files.write("module.ko", &pack(format, b"hello\n"));
        assert_eq!(complaint(facts(&path), &path), "not an ELF file");
        let path = files.write("module.ko", &pack(format, b""));
        assert_eq!(complaint(facts(&path), &path), "not an ELF file");
    }
}

#[test]
fn a_module_is_opened_by_its_path() {
    let files = Files::new();
    let path = files.write("module.ko", &pack(FORMATS[0], b"x"));
    assert_eq!(Image::open(&path).unwrap().path(), path);
}
