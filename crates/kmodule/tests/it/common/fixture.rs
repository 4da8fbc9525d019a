//! A small module or vmlinux of any age and architecture.

use object::Endianness;
use object::elf::{ET_DYN, ET_EXEC, ET_REL, FileType};

use super::Crcs;
use super::elf::{ElfFile, Place, Relocation, Section, Symbol};

/// How the CRC of an export is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrcForm {
    /// `__crc_x` is absolute and `__kcrctab` holds relocations to it.
    Absolute,
    /// The same with an unsigned long a CRC, as before 4.11.
    AbsoluteLong,
    /// `__crc_x` is a place in .rodata and `__kcrctab` the distance to it
    /// (MODULE_REL_CRCS).
    Rodata,
    /// `__crc_x` is a place in `__kcrctab`, which holds the CRC.
    Kcrctab,
    /// There are none: the kernel has no modversions.
    None,
}

/// How an entry of `__ksymtab` points at its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ksymtab {
    /// 32 bits, the distance from the field.
    Distances,
    /// An address.
    Pointers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    None,
    Basic,
    Extended,
    /// Names too long for `__versions` are in the extended sections alone, and
    /// one name is in `__versions` alone.
    Both,
}

/// What `strip` took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stripped {
    Nothing,
    /// What no relocation needs, as `strip --strip-unneeded`.
    Unneeded,
    /// The same, and relocations refer to sections instead of symbols.
    ToSectionSymbols,
    SymbolTable,
}

#[derive(Clone, Debug)]
pub struct Fixture {
    pub is_64: bool,
    pub endian: Endianness,
    pub kind: FileType,
    pub crcs: CrcForm,
    pub ksymtab: Ksymtab,
    /// Entries have a third field, as since 5.4.
    pub namespaces: bool,
    pub rela: bool,
    pub versions: Versions,
    pub stripped: Stripped,
    /// Imports and undefined symbols carry the dot of ppc64 function names.
    pub dotted: bool,
    /// `__kflagstab`, as since 7.0.
    pub kflagstab: bool,
    /// The other sections a linker leaves in a module, around those read.
    pub crowded: bool,
    pub wide_indexes: bool,
    /// Name, CRC (`None`: weak and undefined) and whether it is GPL-only.
    pub exports: Vec<(&'static str, Option<u32>, bool)>,
}

const EXPORTS: [(&str, Option<u32>, bool); 5] = [
    ("zulu", Some(0x1234_abcd), false),
    ("alpha", Some(0x00ba_dc0d), false),
    ("mike_gpl", Some(0xffff_fffe), true),
    ("quebec", Some(0x8000_0001), false),
    ("bravo_gpl", Some(0x0000_0103), true),
];

pub const MODINFO: [&str; 6] = [
    "license=GPL",
    "alias=pci:v00008086d0000100Esv*sd*bc*sc*i*",
    "alias=fs-fixture",
    "depends=usb-common,scsi_mod",
    "vermagic=6.1.0-50-test SMP mod_unload modversions ",
    "softdep=pre: crc32c",
];

pub const BASIC: [(&str, u32); 3] = [
    ("module_layout", 0x0c0f_fee0),
    ("kmalloc_caches", 0xf000_0002),
    ("only_basic", 3),
];

/// The symbols .text refers to, and whether they are weak.
pub const UNDEFINED: [(&str, bool); 3] = [
    ("kmalloc_caches", false),
    ("mach_powermac", true),
    ("only_basic", false),
];

/// What `.text` and, in a crowded file, `.bss` take in memory.
pub const TEXT: usize = 32;
pub const BSS: u64 = 1 << 33;

pub const RELEASE: &str = "6.1.0-50-test";

impl Fixture {
    /// A module as a current kernel builds it.
    pub fn new(is_64: bool, endian: Endianness) -> Self {
        Self {
            is_64,
            endian,
            kind: ET_REL,
            crcs: CrcForm::Kcrctab,
            ksymtab: Ksymtab::Distances,
            namespaces: true,
            rela: is_64,
            versions: Versions::Basic,
            stripped: Stripped::Nothing,
            dotted: false,
            kflagstab: false,
            crowded: false,
            wide_indexes: false,
            exports: EXPORTS.to_vec(),
        }
    }

    /// One for each class and byte order.
    pub fn architectures() -> impl Iterator<Item = Self> {
        [
            (true, Endianness::Little),
            (true, Endianness::Big),
            (false, Endianness::Little),
            (false, Endianness::Big),
        ]
        .into_iter()
        .map(|(is_64, endian)| Self::new(is_64, endian))
    }

    /// A vmlinux instead, without symbol table.
    pub fn linked(self, kind: FileType) -> Self {
        Self {
            kind,
            stripped: Stripped::SymbolTable,
            ..self
        }
    }

    pub fn exports(&self) -> Crcs {
        let mut exports: Crcs = self
            .exports
            .iter()
            .map(|&(name, crc, _)| (name.to_owned(), crc.unwrap_or(0)))
            .collect();
        exports.sort();
        exports
    }

    pub fn export_names(&self) -> Vec<String> {
        self.exports().into_iter().map(|(name, _)| name).collect()
    }

    pub fn imports(&self) -> Crcs {
        let owned = |(name, crc): &(&str, u32)| ((*name).to_owned(), *crc);
        match self.versions {
            Versions::None => Vec::new(),
            Versions::Basic => BASIC.iter().map(owned).collect(),
            Versions::Extended => extended(),
            Versions::Both => extended().into_iter().chain([owned(&BASIC[2])]).collect(),
        }
    }

    pub fn build(&self) -> Vec<u8> {
        Builder::new(self).build()
    }
}

/// The first two of `__versions`, and one too long for it.
fn extended() -> Crcs {
    let long = "_RNv".repeat(30);
    let mut crcs: Crcs = BASIC[..2]
        .iter()
        .map(|&(name, crc)| (name.to_owned(), crc))
        .collect();
    crcs.insert(1, (long, 0x1ee7_1ee7));
    crcs
}

struct Builder<'f> {
    fixture: &'f Fixture,
    sections: Vec<Section>,
    symbols: Vec<Symbol>,
}

/// Where the sections of a linked file start, a page each.
const BASE_64: u64 = 0xffff_ffff_8100_0000;
const BASE_32: u64 = 0xc010_0000;

impl<'f> Builder<'f> {
    fn new(fixture: &'f Fixture) -> Self {
        Self {
            fixture,
            sections: Vec::new(),
            symbols: Vec::new(),
        }
    }

    fn build(mut self) -> Vec<u8> {
        let text = self.section(".text", vec![0x90; TEXT]);
        self.undefined(text);
        self.crowd(&[
            (".note.gnu.build-id", 36),
            (".init.text", 57),
            (".rodata.str1.1", 101),
            ("__mcount_loc", 16),
            (".orc_unwind", 30),
        ]);
        let rodata = self.rodata();
        let modinfo: Vec<u8> = MODINFO.iter().flat_map(|s| cstring(s)).collect();
        self.section(".modinfo", modinfo);
        self.crowd(&[(".data", 77), (".init.data", 0), ("__param", 40)]);
        self.versions();
        let (strings, names) = self.strings();
        for gpl in [false, true] {
            let of_table: Vec<usize> = (0..self.fixture.exports.len())
                .filter(|&at| self.fixture.exports[at].2 == gpl)
                .collect();
            if !of_table.is_empty() {
                self.table(gpl, &of_table, strings, &names, rodata);
            }
        }
        self.crowd(&[(".gnu.linkonce.this_module", 896), (".comment", 33)]);
        if self.fixture.crowded {
            let bss = self.section(".bss", Vec::new());
            self.sections[bss].nobits = BSS;
        }
        self.strip();
        // Offsets so far, which addresses are in a linked file.
        for symbol in &mut self.symbols {
            if let Place::Section(index) = symbol.place {
                symbol.value += self.sections[index].address;
            }
        }
        ElfFile {
            is_64: self.fixture.is_64,
            endian: self.fixture.endian,
            kind: self.fixture.kind,
            rela: self.fixture.rela,
            sections: self.sections,
            wide_indexes: self.fixture.wide_indexes,
            symbols: (self.fixture.stripped != Stripped::SymbolTable).then_some(self.symbols),
        }
        .build()
    }

    fn is_linked(&self) -> bool {
        matches!(self.fixture.kind, ET_EXEC | ET_DYN)
    }

    fn section(&mut self, name: &str, data: Vec<u8>) -> usize {
        let page = 0x1000 * self.sections.len() as u64;
        let address = match (self.is_linked(), self.fixture.is_64) {
            (false, _) => 0,
            (true, true) => BASE_64 + page,
            (true, false) => BASE_32 + page,
        };
        self.sections.push(Section {
            name: name.to_owned(),
            address,
            data,
            ..Section::default()
        });
        self.sections.len() - 1
    }

    fn crowd(&mut self, sections: &[(&str, usize)]) {
        for &(name, size) in sections.iter().filter(|_| self.fixture.crowded) {
            self.section(name, vec![0x5a; size]);
        }
    }

    fn symbol(&mut self, name: &str, place: Place, value: u64) -> usize {
        self.symbols.push(Symbol {
            name: name.to_owned(),
            place,
            value,
            weak: false,
        });
        self.symbols.len() - 1
    }

    /// References to [`UNDEFINED`], as only a file that is not linked has them.
    fn undefined(&mut self, text: usize) {
        if self.is_linked() {
            return;
        }
        let dot = if self.fixture.dotted { "." } else { "" };
        for (at, (name, weak)) in UNDEFINED.iter().enumerate() {
            let symbol = self.symbol(&format!("{dot}{name}"), Place::Undefined, 0);
            self.symbols[symbol].weak = *weak;
            self.sections[text].relocations.push(Relocation {
                offset: 8 * at as u64,
                symbol,
                addend: 0,
            });
        }
    }

    fn word(&self, word: u32) -> Vec<u8> {
        match self.fixture.endian {
            Endianness::Little => word.to_le_bytes().to_vec(),
            Endianness::Big => word.to_be_bytes().to_vec(),
        }
    }

    /// An unsigned long.
    fn long(&self, value: u64) -> Vec<u8> {
        let low = self.word(value as u32);
        let high = self.word((value >> 32) as u32);
        match (self.fixture.is_64, self.fixture.endian) {
            (false, _) => low,
            (true, Endianness::Little) => [low, high].concat(),
            (true, Endianness::Big) => [high, low].concat(),
        }
    }

    /// The banner of a vmlinux, then a CRC for each export.
    fn rodata(&mut self) -> (usize, u64) {
        let mut data =
            b"%s Linux version %s\0Linux version 6.1.0-50-test (a@b) #1 SMP\n\0".to_vec();
        data.resize(data.len().next_multiple_of(4), 0);
        let crcs = data.len() as u64;
        for &(_, crc, _) in &self.fixture.exports {
            data.extend(self.word(crc.unwrap_or(0)));
        }
        (self.section(".rodata", data), crcs)
    }

    fn versions(&mut self) {
        let versions = self.fixture.versions;
        let dot = if self.fixture.dotted { "." } else { "" };
        if matches!(versions, Versions::Basic | Versions::Both) {
            let entries = BASIC.iter().flat_map(|(name, crc)| {
                let mut entry = self.long(u64::from(*crc));
                entry.extend(format!("{dot}{name}").bytes());
                entry.resize(64, 0);
                entry
            });
            let data = entries.collect();
            self.section("__versions", data);
        }
        if matches!(versions, Versions::Extended | Versions::Both) {
            let imports = extended();
            let crcs = imports
                .iter()
                .flat_map(|(_, crc)| self.word(*crc))
                .collect();
            let names = imports
                .iter()
                .flat_map(|(n, _)| cstring(&format!("{dot}{n}")));
            let names = names.collect();
            self.section("__version_ext_crcs", crcs);
            self.section("__version_ext_names", names);
        }
    }

    /// `__ksymtab_strings`: each name followed by its namespace; the offsets of
    /// both.
    fn strings(&mut self) -> (usize, Vec<(u64, u64)>) {
        let mut data = Vec::new();
        let mut places = Vec::new();
        for (name, ..) in &self.fixture.exports {
            let at = data.len() as u64;
            data.extend(cstring(name));
            places.push((at, data.len() as u64));
            data.extend(cstring("NAMESPACE"));
        }
        (self.section("__ksymtab_strings", data), places)
    }

    fn table(
        &mut self,
        gpl: bool,
        exports: &[usize],
        strings: usize,
        names: &[(u64, u64)],
        (rodata, crcs): (usize, u64),
    ) {
        let suffix = if gpl { "_gpl" } else { "" };
        let ksymtab = self.section(&format!("__ksymtab{suffix}"), Vec::new());
        for &export in exports {
            let name = self.fixture.exports[export].0;
            let (name_at, namespace_at) = names[export];
            let code = self.symbol(name, Place::Section(0), 4 * export as u64);
            self.pointer(ksymtab, code);
            let string = self.symbol(
                &format!("__kstrtab_{name}"),
                Place::Section(strings),
                name_at,
            );
            self.pointer(ksymtab, string);
            if self.fixture.namespaces {
                let label = format!("__kstrtabns_{name}");
                let namespace = self.symbol(&label, Place::Section(strings), namespace_at);
                self.pointer(ksymtab, namespace);
            }
        }
        if self.fixture.kflagstab {
            self.section("__kflagstab", vec![u8::from(gpl); exports.len()]);
        }
        if self.fixture.crcs == CrcForm::None {
            return;
        }
        let kcrctab = self.section(&format!("__kcrctab{suffix}"), Vec::new());
        for &export in exports {
            let (name, crc, _) = self.fixture.exports[export];
            let here = self.sections[kcrctab].data.len() as u64;
            let at = crcs + 4 * export as u64;
            let (place, value) = match (crc, self.fixture.crcs) {
                (None, _) => (Place::Undefined, 0),
                (Some(_), CrcForm::Kcrctab) => (Place::Section(kcrctab), here),
                (Some(_), CrcForm::Rodata) => (Place::Section(rodata), at),
                (Some(crc), _) => (Place::Absolute, u64::from(crc)),
            };
            let symbol = self.symbol(&format!("__crc_{name}"), place, value);
            self.symbols[symbol].weak = crc.is_none();
            let crc = crc.unwrap_or(0);
            let word = match (self.is_linked(), self.fixture.crcs) {
                (_, CrcForm::Kcrctab | CrcForm::None) => self.word(crc),
                (true, CrcForm::Absolute) => self.word(crc),
                (true, CrcForm::AbsoluteLong) => self.long(crc.into()),
                (true, CrcForm::Rodata) => {
                    let target = self.sections[rodata].address + at;
                    self.word(target.wrapping_sub(self.sections[kcrctab].address + here) as u32)
                }
                (false, CrcForm::AbsoluteLong) => self.relocated(kcrctab, symbol, true),
                (false, _) => self.relocated(kcrctab, symbol, false),
            };
            self.sections[kcrctab].data.extend(word);
        }
    }

    /// Appends a field that leads to `symbol`.
    fn pointer(&mut self, section: usize, symbol: usize) {
        let long = self.fixture.ksymtab == Ksymtab::Pointers;
        let field = match (self.is_linked(), self.symbols[symbol].place) {
            (true, Place::Section(into)) => {
                let here =
                    self.sections[section].address + self.sections[section].data.len() as u64;
                let target = self.sections[into].address + self.symbols[symbol].value;
                match long {
                    true => self.long(target),
                    false => self.word(target.wrapping_sub(here) as u32),
                }
            }
            _ => self.relocated(section, symbol, long),
        };
        self.sections[section].data.extend(field);
    }

    /// The bytes of a field whose value is left to a relocation.
    fn relocated(&mut self, section: usize, symbol: usize, long: bool) -> Vec<u8> {
        let to_section = self.fixture.stripped == Stripped::ToSectionSymbols;
        let (symbol, addend) = match self.symbols[symbol].place {
            Place::Section(into) if to_section => {
                let addend = self.symbols[symbol].value;
                (self.symbol("", Place::Section(into), 0), addend)
            }
            _ => (symbol, 0),
        };
        let offset = self.sections[section].data.len() as u64;
        self.sections[section].relocations.push(Relocation {
            offset,
            symbol,
            addend: addend as i64,
        });
        let in_place = if self.fixture.rela { 0 } else { addend };
        match long {
            true => self.long(in_place),
            false => self.word(in_place as u32),
        }
    }

    /// Drops the symbols no relocation refers to.
    fn strip(&mut self) {
        if !matches!(
            self.fixture.stripped,
            Stripped::Unneeded | Stripped::ToSectionSymbols
        ) {
            return;
        }
        let relocations = || self.sections.iter().flat_map(|s| &s.relocations);
        let kept: Vec<usize> = (0..self.symbols.len())
            .filter(|&at| relocations().any(|relocation| relocation.symbol == at))
            .collect();
        for relocation in self.sections.iter_mut().flat_map(|s| &mut s.relocations) {
            relocation.symbol = kept.binary_search(&relocation.symbol).unwrap();
        }
        self.symbols = kept.iter().map(|&at| self.symbols[at].clone()).collect();
    }
}

fn cstring(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}
