//! Modules that gcc and ld make of what modpost writes: the forms of newer kernels that no module
//! of the archive has.

use std::path::PathBuf;
use std::process::Command;

use kmodule::{Arena, Image, Module};

use crate::common::Files;

/// Longer than a name can be in `__versions`, and than 200 letters, as Rust has them.
fn long() -> String {
    format!("_RNv{}", "Nt1a".repeat(60))
}

/// How a module is compiled.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// `-m32`: tables hold addresses instead of distances.
    is_32: bool,
    /// One table with `__kflagstab`.
    flags: bool,
    /// `__versions` beside the extended sections.
    basic: bool,
    /// Where CRCs are, if not in `__kcrctab`: a macro of the source.
    crcs: Option<&'static str>,
    /// What strip takes.
    strip: Option<&'static str>,
}

const ABSOLUTE: &str = "ABSOLUTE_CRCS";

fn forms() -> impl Iterator<Item = Form> {
    let bools = [false, true];
    let strips = [None, Some("--strip-debug"), Some("--strip-unneeded")];
    let crcs = [None, Some(ABSOLUTE), Some("DISTANT_CRCS")];
    bools.into_iter().flat_map(move |is_32| {
        bools.into_iter().flat_map(move |flags| {
            crcs.into_iter().flat_map(move |crcs| {
                strips.into_iter().map(move |strip| Form {
                    is_32,
                    flags,
                    // It makes no difference to the others.
                    basic: flags,
                    crcs,
                    strip,
                })
            })
        })
    })
}

fn run(command: &mut Command) {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.output().unwrap_or_else(|error| {
        panic!("{name}: {error}; run: apt-get install gcc binutils");
    });
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {errors}");
}

fn compile(files: &Files, form: Form) -> PathBuf {
    let source = format!("{}/tests/it/compiled", env!("CARGO_MANIFEST_DIR"));
    let (object, module) = (files.path("a.o"), files.path("a.ko"));
    let mut gcc = Command::new("gcc");
    gcc.args(["-c", "-O1", "-fno-pic", "-fno-asynchronous-unwind-tables"]);
    gcc.arg(format!("-DLONG={}", long()));
    let (reference, emulation) = match form.is_32 {
        true => (r#"-DREF(name)=#name"#, "elf_i386"),
        false => (r#"-DREF(name)=#name " - .""#, "elf_x86_64"),
    };
    gcc.arg(reference);
    gcc.args(form.is_32.then_some("-m32"));
    gcc.args(form.flags.then_some("-DFLAGS"));
    gcc.args(form.basic.then_some("-DBASIC"));
    gcc.args(form.crcs.map(|form| format!("-D{form}")));
    run(gcc
        .arg(format!("{source}/module.mod.c"))
        .arg("-o")
        .arg(&object));
    run(Command::new("ld")
        .args(["-r", "-m", emulation, "-T"])
        .arg(format!("{source}/module.lds"))
        .args((form.crcs == Some(ABSOLUTE)).then(|| format!("{source}/crcs.lds")))
        .arg(&object)
        .arg("-o")
        .arg(&module));
    if let Some(what) = form.strip {
        run(Command::new("strip").arg(what).arg(&module));
    }
    module
}

#[test]
fn every_form_gives_the_same_facts() {
    let files = Files::new();
    for form in forms() {
        let image = Image::open(&compile(&files, form)).unwrap();
        let arena = Arena::new();
        let module = Module::parse(&image, &arena).unwrap();
        exports(&module, form);
        imports(&module, form);
        let spaces: Vec<_> = module.modinfo().values("import_ns").collect();
        assert_eq!(spaces, [&b"SPACE"[..], b"OTHER"]);
        assert_eq!(module.struct_module_size().unwrap(), Some(200));
        let machine = module.machine();
        assert_eq!((machine.is_64, machine.is_big_endian), (!form.is_32, false));
    }
}

fn exports(module: &Module<'_>, form: Form) {
    let found = module
        .detailed_exports()
        .unwrap_or_else(|error| panic!("{error} in {form:?}"));
    let found: Vec<_> = found
        .iter()
        .map(|export| (export.name, export.crc, export.namespace, export.gpl_only))
        .collect();
    let expected = [
        (
            &b"alpha_gpl"[..],
            Some(0x2222_2222),
            Some(&b"module:one,two-*"[..]),
            true,
        ),
        (b"mike", None, Some(b"SPACE"), false),
        (b"zulu", Some(0x1111_1111), None, false),
    ];
    assert_eq!(found, expected, "{form:?}");
    let crcs: Vec<_> = module.exports().unwrap();
    let crcs = crcs.iter().map(|export| (export.name, export.crc));
    assert!(crcs.eq(expected.map(|(name, crc, ..)| (name, crc))));
    assert_eq!(
        module.export_names().unwrap(),
        expected.map(|(name, ..)| name)
    );
    let tables = module.export_tables().unwrap();
    assert_eq!((tables.crcs, tables.flags), (true, form.flags));
}

fn imports(module: &Module<'_>, form: Form) {
    let long = long();
    let expected = [
        (&b"module_layout"[..], 0x3333_3333),
        (b"plain_import", 0x4444_4444),
        (long.as_bytes(), 0x6666_6666),
        (b"weak_import", 0x5555_5555),
    ];
    let imports = module
        .imports()
        .unwrap_or_else(|error| panic!("{error} in {form:?}"));
    let imports: Vec<_> = imports
        .iter()
        .map(|import| (import.name, import.crc.unwrap()))
        .collect();
    assert_eq!(imports, expected, "{form:?}");
    let versions = module.versions().unwrap();
    assert_eq!(versions.extended.unwrap().len(), 4);
    let basic = versions.basic.map(|basic| basic.len());
    assert_eq!(basic, form.basic.then_some(3));
    let mut undefined: Vec<_> = module
        .undefined()
        .unwrap()
        .iter()
        .map(|symbol| (symbol.name, symbol.weak))
        .collect();
    undefined.sort_unstable();
    let mut expected = vec![
        (long.as_bytes(), false),
        (b"plain_import", false),
        (b"weak_import", true),
    ];
    if form.crcs == Some(ABSOLUTE) {
        // The CRC that genksyms could not compute; the loader does without.
        expected.insert(1, (b"__crc_mike", true));
    }
    assert_eq!(undefined, expected);
}
