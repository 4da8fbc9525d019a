//! BTF of modules against that of kernels, as the kernel's verifier sees it.

use loader::{BtfBase, ModuleBtf, ModuleFacts};

use crate::made::{World, configured, kernel, module};

const INT: u32 = 1;
const POINTER: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const ENUM: u32 = 6;
const TYPEDEF: u32 = 8;
const CONST: u32 = 10;
const FUNCTION: u32 = 12;
const PROTO: u32 = 13;
const DATA: u32 = 15;
const TAG: u32 = 17;

/// The types of a kernel or module, with names as offsets into its strings.
#[derive(Clone)]
struct Types {
    types: Vec<u8>,
    strings: Vec<u8>,
    /// The strings of the kernel come before.
    base: usize,
    big_endian: bool,
}

impl Types {
    fn of_kernel(big_endian: bool) -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
            base: 0,
            big_endian,
        }
    }

    fn of_module(kernel: &Types) -> Self {
        Self {
            types: Vec::new(),
            strings: Vec::new(),
            base: kernel.strings.len(),
            big_endian: kernel.big_endian,
        }
    }

    fn word(&self, word: u32) -> [u8; 4] {
        match self.big_endian {
            true => word.to_be_bytes(),
            false => word.to_le_bytes(),
        }
    }

    fn string(&mut self, text: &str) -> u32 {
        let at = self.base + self.strings.len();
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at as u32
    }

    fn add(&mut self, name: u32, kind: u32, count: u32, refers_to: u32, rest: &[u32]) {
        for word in [name, kind << 24 | count, refers_to].iter().chain(rest) {
            let word = self.word(*word);
            self.types.extend(word);
        }
    }

    fn build(&self) -> Vec<u8> {
        let magic: u16 = 0xeb9f;
        let magic = match self.big_endian {
            true => magic.to_be_bytes(),
            false => magic.to_le_bytes(),
        };
        let len = self.types.len() as u32;
        let mut bytes = [&magic[..], &[1, 0]].concat();
        for word in [24, 0, len, len, self.strings.len() as u32] {
            bytes.extend(self.word(word));
        }
        [bytes, self.types.clone(), self.strings.clone()].concat()
    }
}

/// A kernel whose strings begin with `padding`.
fn of_kernel(padding: &str, big_endian: bool) -> Types {
    let mut types = Types::of_kernel(big_endian);
    types.string(padding);
    let int = types.string("int");
    types.add(int, INT, 0, 4, &[32]);
    let task = types.string("task_struct");
    let pid = types.string("pid");
    types.add(task, STRUCT, 1, 4, &[pid, 1, 0]);
    types
}

/// A module of that kernel: a function with a structure of its own and one of the kernel's.
fn of_module(kernel: &Types) -> Types {
    let mut types = Types::of_module(kernel);
    let own = types.string("own_data");
    let member = types.string("value");
    types.add(own, STRUCT, 2, 8, &[member, 1, 0, 0, 2, 32]);
    types.add(0, POINTER, 0, 3, &[]);
    types.add(0, CONST, 0, 3, &[]);
    let alias = types.string("own_t");
    types.add(alias, TYPEDEF, 0, 5, &[]);
    types.add(0, PROTO, 1, 1, &[member, 4]);
    let function = types.string("own_init");
    types.add(function, FUNCTION, 0, 7, &[]);
    let value = types.string("OWN_ONE");
    types.add(0, ENUM, 1, 4, &[value, 1]);
    let section = types.string(".data..percpu x");
    types.add(section, DATA, 1, 8, &[6, 0, 8]);
    types.add(0, ARRAY, 0, 0, &[1, 1, 5]);
    let tag = types.string("!tag");
    types.add(tag, TAG, 0, 3, &[u32::MAX]);
    types
}

#[test]
fn a_module_fits_the_kernel_it_was_made_with() {
    for big_endian in [false, true] {
        let kernel = of_kernel("", big_endian);
        let base = BtfBase::parse(&kernel.build()).unwrap();
        assert!(base.accepts(&of_module(&kernel).build()));
    }
}

#[test]
fn a_module_does_not_fit_a_kernel_with_other_strings() {
    let kernel = of_kernel("", false);
    let module = of_module(&kernel).build();
    for padding in ["a", "something else", "_"] {
        let base = BtfBase::parse(&of_kernel(padding, false).build()).unwrap();
        assert!(!base.accepts(&module), "{padding}");
    }
}

/// What the kernel cannot tell, it takes: here each name has lost its first letter.
#[test]
fn what_happens_to_be_a_name_is_accepted() {
    let module = of_module(&of_kernel("ab", false)).build();
    let shorter = BtfBase::parse(&of_kernel("a", false).build()).unwrap();
    assert!(shorter.accepts(&module));
}

#[test]
fn each_kind_of_name_is_checked() {
    let kernel = of_kernel("", false);
    let base = BtfBase::parse(&kernel.build()).unwrap();
    let accepts = |name: Option<&str>, kind, count, rest: &[u32]| {
        let mut module = Types::of_module(&kernel);
        let name = name.map_or(0, |name| module.string(name));
        module.add(name, kind, count, 1, rest);
        base.accepts(&module.build())
    };
    let long = "a".repeat(513);
    for (name, kind, rest, expected) in [
        (Some("good_name.1"), STRUCT, &[][..], true),
        (None, STRUCT, &[], true),
        (Some("1bad"), STRUCT, &[], false),
        (Some("bad name"), STRUCT, &[], false),
        (Some(long.as_str()), STRUCT, &[], false),
        (Some(&long[..512]), STRUCT, &[], true),
        (Some("bad-name"), INT, &[0], true),
        (Some("name"), POINTER, &[], false),
        (None, POINTER, &[], true),
        (Some("name"), PROTO, &[], false),
        (None, FUNCTION, &[], false),
        (Some("name"), FUNCTION, &[], true),
        (None, TYPEDEF, &[], false),
        (Some(".data x"), DATA, &[], true),
        (Some("\u{1}"), DATA, &[], false),
        (None, DATA, &[], false),
        (Some("any text"), TAG, &[0], true),
        (None, TAG, &[0], false),
    ] {
        let count = 0;
        assert_eq!(
            accepts(name, kind, count, rest),
            expected,
            "{name:?} {kind}"
        );
    }
    // Members: any in a structure, but a name in an enumeration.
    assert!(accepts(None, STRUCT, 1, &[0, 1, 0]));
    assert!(!accepts(None, STRUCT, 1, &[9999, 1, 0]));
    assert!(!accepts(None, ENUM, 1, &[0, 0]));
}

#[test]
fn chains_of_modifiers_end() {
    let kernel = of_kernel("", false);
    let base = BtfBase::parse(&kernel.build()).unwrap();
    let chain = |ids: &[u32]| {
        let mut module = Types::of_module(&kernel);
        for id in ids {
            module.add(0, CONST, 0, *id, &[]);
        }
        base.accepts(&module.build())
    };
    // The module's types begin with 3.
    assert!(chain(&[1, 3, 4]));
    assert!(!chain(&[3]), "a circle");
    assert!(!chain(&[99]), "no such type");
    let down: Vec<u32> = (0..32).map(|number| 4 + number).chain([1]).collect();
    assert!(!chain(&down), "33 steps");
    assert!(chain(
        &down[1..]
            .iter()
            .map(|id| if *id == 1 { 1 } else { id - 1 })
            .collect::<Vec<_>>()
    ));
}

#[test]
fn damaged_btf_fits_nowhere() {
    let kernel = of_kernel("", false);
    let (whole, module) = (kernel.build(), of_module(&kernel).build());
    let base = BtfBase::parse(&whole).unwrap();
    for len in 0..module.len() {
        assert!(!base.accepts(&module[..len]));
    }
    for len in 0..whole.len() {
        assert!(BtfBase::parse(&whole[..len]).is_none());
    }
    // Any answer but a panic.
    for at in 0..module.len() {
        for changed in [0, 1, 0x7f, 0xff] {
            let mut damaged = module.clone();
            damaged[at] = changed;
            base.accepts(&damaged);
        }
    }
}

#[test]
fn the_verdict_counts_where_a_mismatch_is_forbidden() {
    let (own, other) = (of_kernel("", false), of_kernel("other", false));
    let (own, other) = (
        BtfBase::parse(&own.build()).unwrap(),
        BtfBase::parse(&other.build()).unwrap(),
    );
    let with = |accepted: bool| ModuleFacts {
        btf: ModuleBtf::Split(vec![(other.id(), !accepted), (own.id(), accepted)]),
        ..module("own")
    };
    let reasons = |options: &str, btf: Option<&BtfBase>, facts| {
        let mut world = World::new(configured(options));
        world.kernel.btf = btf.cloned();
        let id = world.add(facts);
        world.reasons(id)
    };
    let forbids = "CONFIG_DEBUG_INFO_BTF_MODULES=y\n";
    let allows = "CONFIG_DEBUG_INFO_BTF_MODULES=y\nCONFIG_MODULE_ALLOW_BTF_MISMATCH=y\n";
    let reason = "its BTF was made with another kernel image";
    assert_eq!(reasons(forbids, Some(&own), with(false)), [reason]);
    assert_eq!(reasons(forbids, Some(&own), with(true)), [""; 0]);
    assert_eq!(reasons(forbids, Some(&other), with(true)), [reason]);
    assert_eq!(reasons(allows, Some(&own), with(false)), [""; 0]);
    assert_eq!(reasons("", Some(&own), with(false)), [""; 0]);
    assert_eq!(reasons(forbids, None, with(false)), [""; 0]);
    let based = ModuleFacts {
        btf: ModuleBtf::WithBase,
        ..module("own")
    };
    assert_eq!(reasons(forbids, Some(&own), based), [""; 0]);
    assert!(!kernel().forbids_btf_mismatch());
}
