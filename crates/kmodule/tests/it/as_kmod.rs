//! What kmod finds in a module, in its order and with its patience.

use kmodule::{Arena, AsKmod, Image};

use crate::common::Files;
use kmpkit_fixtures::fixture::{BASIC, Fixture, MODINFO, UNDEFINED};

/// Exports with CRCs, imports with CRCs and whether they are weak, .modinfo; or what went wrong.
type Seen = (
    Result<Vec<(String, u64)>, String>,
    Result<Vec<(String, u64, bool)>, String>,
    Vec<String>,
);

fn seen(bytes: &[u8]) -> Option<Seen> {
    let files = Files::new();
    let image = Image::open(&files.write("m.ko", bytes)).ok()?;
    let arena = Arena::new();
    let module = AsKmod::parse(&image, &arena).ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let symbols = module.symbols();
    let exports = symbols.exports.map(|exports| {
        let export = |export: &_| module.crc(export);
        exports.iter().map(|e| (text(e.name), export(e))).collect()
    });
    let imports = symbols.imports.map(|imports| {
        let import = imports.iter().map(|i| (text(i.name), i.crc, i.weak));
        import.collect()
    });
    let fields = module.modinfo().ok()?;
    let fields = fields.map(|(key, value)| format!("{}={}", text(key), text(value)));
    Some((
        exports.map_err(|error| error.to_string()),
        imports.map_err(|error| error.to_string()),
        fields.collect(),
    ))
}

#[test]
fn every_architecture() {
    for fixture in Fixture::architectures() {
        let (exports, imports, modinfo) = seen(&fixture.build()).unwrap();
        let mut exports = exports.unwrap();
        exports.sort();
        let wanted = fixture.exports().into_iter();
        let wanted: Vec<_> = wanted.map(|(name, crc)| (name, u64::from(crc))).collect();
        assert_eq!(exports, wanted, "{fixture:#?}");
        let crc = |name: &str| BASIC.iter().find(|basic| basic.0 == name);
        let crc = |name: &str| crc(name).map_or(0, |basic| u64::from(basic.1));
        let undefined = UNDEFINED.iter().map(|&(name, weak)| (name, weak));
        let wanted: Vec<_> = undefined
            .chain([("module_layout", false)])
            .map(|(name, weak)| (name.to_owned(), crc(name), weak))
            .collect();
        assert_eq!(imports.unwrap(), wanted, "{fixture:#?}");
        assert_eq!(modinfo, MODINFO);
    }
}

#[test]
fn facts_survive_the_loss_of_others() {
    let whole = Fixture::new(true, object::Endianness::Little).build();
    let renamed = |from: &[u8], to: &[u8]| {
        let mut bytes = whole.clone();
        let at = bytes.windows(from.len()).position(|window| window == from);
        bytes[at.unwrap()..][..to.len()].copy_from_slice(to);
        seen(&bytes).unwrap()
    };
    let (exports, imports, modinfo) = renamed(b"\0.symtab\0", b"\0.nothing");
    // All strings, for without a symbol table nobody knows better.
    assert!(exports.unwrap().iter().all(|(_, crc)| *crc == 0));
    assert!(imports.unwrap_err().ends_with("no .symtab section"));
    assert_eq!(modinfo, MODINFO);
    let (exports, imports, modinfo) = renamed(b"\0.modinfo\0", b"\0.nothing!");
    assert!(!exports.unwrap().is_empty() && !imports.unwrap().is_empty());
    assert!(modinfo.is_empty());
    let (_, imports, _) = renamed(b"\0__versions\0", b"\0__nothing..");
    assert_eq!(imports.unwrap().len(), UNDEFINED.len());
}

#[test]
fn changed_bytes_do_not_panic() {
    for fixture in Fixture::architectures() {
        let whole = fixture.build();
        for at in (0..whole.len()).step_by(13) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x81;
            seen(&bytes);
        }
        for end in (0..whole.len()).step_by(101) {
            seen(&whole[..end]);
        }
    }
}
