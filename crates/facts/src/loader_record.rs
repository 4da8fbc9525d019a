//! Writes what the kernel's loader asks of a module as bytes, and reads it again.
//!
//! Lengths and counts are numbers of seven bits a byte, the lowest first; a byte of 128 or more is
//! followed by another. Each name is written where it is used, so a record never stands for more than
//! it has bytes for.

use kmodule::{Crc, ExportTables, Machine, SignerId};
use loader::{
    ExportedSymbol, ImportedSymbol, ModuleBtf, ModuleFacts, ModuleSignature, SymbolList, Version,
    VersionTables,
};

/// Appends the record of a module. `None` if its facts depend on a kernel it was held against: such
/// facts are not kept.
pub(crate) fn put_record(facts: &ModuleFacts, out: &mut Vec<u8>) -> Option<()> {
    // If a field is added, this no longer compiles, and the version of the store must be raised.
    let ModuleFacts {
        name,
        machine,
        vermagic,
        license,
        import_ns,
        is_in_tree,
        is_livepatch,
        struct_module_size,
        signature,
        btf,
        version_tables,
        module_layout,
        export_tables,
        symbols,
    } = facts;
    let mut out = RecordWriter(out);
    out.text(name);
    out.optional(machine.as_ref(), |out, machine| {
        out.0.extend(machine.number.to_le_bytes());
        out.flags([machine.is_64, machine.is_big_endian]);
    });
    out.optional(vermagic.as_deref(), RecordWriter::text);
    out.optional(license.as_deref(), RecordWriter::text);
    out.list(import_ns, |out, space| out.text(space));
    out.flags([
        *is_in_tree,
        *is_livepatch,
        version_tables.basic,
        version_tables.extended,
        export_tables.symbols,
        export_tables.crcs,
        export_tables.flags,
    ]);
    out.optional(*struct_module_size, |out, size| {
        out.0.extend(size.to_le_bytes());
    });
    out.signature(signature)?;
    out.0.push(match btf {
        ModuleBtf::Missing => 0,
        ModuleBtf::WithBase => 1,
        ModuleBtf::Split(kernels) if kernels.is_empty() => 2,
        ModuleBtf::Split(_) => return None,
    });
    out.optional(*module_layout, RecordWriter::version);
    out.number(symbols.imports().count());
    for import in symbols.imports() {
        out.text(import.name);
        out.version(import.version);
        out.flags([import.weak]);
    }
    out.number(symbols.exports().count());
    for export in symbols.exports() {
        out.text(export.name);
        out.optional(export.crc, |out, crc| out.0.extend(crc.to_le_bytes()));
        out.optional(export.namespace, RecordWriter::text);
        out.flags([export.gpl_only]);
    }
    Some(())
}

/// The facts in a record; `None` if it is damaged.
pub(crate) fn facts_of(record: &[u8]) -> Option<ModuleFacts> {
    let mut rest = RecordReader(record);
    let name = rest.boxed()?;
    let machine = rest.optional(|rest| {
        let number = u16::from_le_bytes(rest.array()?);
        let [is_64, is_big_endian] = rest.flags()?;
        Some(Machine {
            number,
            is_64,
            is_big_endian,
        })
    })?;
    let vermagic = rest.optional(RecordReader::boxed)?;
    let license = rest.optional(RecordReader::boxed)?;
    let import_ns = rest.list(RecordReader::boxed)?;
    let [
        is_in_tree,
        is_livepatch,
        basic,
        extended,
        symbols,
        crcs,
        flags,
    ] = rest.flags()?;
    let facts = ModuleFacts {
        name,
        machine,
        vermagic,
        license,
        import_ns,
        is_in_tree,
        is_livepatch,
        version_tables: VersionTables { basic, extended },
        export_tables: ExportTables {
            symbols,
            crcs,
            flags,
        },
        struct_module_size: rest.optional(|rest| Some(u64::from_le_bytes(rest.array()?)))?,
        signature: rest.signature()?,
        btf: match rest.array()? {
            [0] => ModuleBtf::Missing,
            [1] => ModuleBtf::WithBase,
            [2] => ModuleBtf::Split(Vec::new()),
            _ => return None,
        },
        module_layout: rest.optional(RecordReader::version)?,
        symbols: rest.symbols()?,
    };
    rest.0.is_empty().then_some(facts)
}

struct RecordWriter<'o>(&'o mut Vec<u8>);

impl RecordWriter<'_> {
    fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn text(&mut self, text: &[u8]) {
        self.number(text.len());
        self.0.extend_from_slice(text);
    }

    fn flags<const N: usize>(&mut self, flags: [bool; N]) {
        let bits = flags.iter().rev();
        self.0
            .push(bits.fold(0, |byte, &flag| byte << 1 | u8::from(flag)));
    }

    fn optional<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }

    fn list<T>(&mut self, values: &[T], put: impl Fn(&mut Self, &T)) {
        self.number(values.len());
        for value in values {
            put(self, value);
        }
    }

    fn version(&mut self, version: Version) {
        match version {
            Version::Unlisted => self.0.push(0),
            Version::Listed(None) => self.0.push(1),
            Version::Listed(Some(crc)) => {
                self.0.push(2);
                self.0.extend(crc.to_le_bytes());
            }
        }
    }

    fn signature(&mut self, signature: &ModuleSignature) -> Option<()> {
        match signature {
            ModuleSignature::Unread => return None,
            ModuleSignature::Missing => self.0.push(0),
            ModuleSignature::Unsupported => self.0.push(1),
            ModuleSignature::Damaged => self.0.push(2),
            ModuleSignature::By(signers) => {
                self.0.push(3);
                self.list(signers, |out, signer| match signer {
                    SignerId::Certificate { issuer, serial } => {
                        out.0.push(0);
                        out.text(issuer);
                        out.text(serial);
                    }
                    SignerId::Key(key) => {
                        out.0.push(1);
                        out.text(key);
                    }
                });
            }
        }
        Some(())
    }
}

/// What is left of a record.
struct RecordReader<'r>(&'r [u8]);

impl<'r> RecordReader<'r> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0_usize;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            number |= usize::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'r [u8]> {
        let length = self.number()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    fn boxed(&mut self) -> Option<Box<[u8]>> {
        self.text().map(Box::from)
    }

    fn flags<const N: usize>(&mut self) -> Option<[bool; N]> {
        let [byte] = self.array()?;
        Some(std::array::from_fn(|bit| byte >> bit & 1 == 1))
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.array()? {
            [0] => Some(None),
            [1] => read(self).map(Some),
            _ => None,
        }
    }

    /// A list that may be said to be longer than it is: memory is for what is read.
    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for _ in 0..self.number()? {
            list.push(read(self)?);
        }
        Some(list)
    }

    fn crc(&mut self) -> Option<Crc> {
        Some(Crc::from_le_bytes(self.array()?))
    }

    fn version(&mut self) -> Option<Version> {
        Some(match self.array()? {
            [0] => Version::Unlisted,
            [1] => Version::Listed(None),
            [2] => Version::Listed(Some(self.crc()?)),
            _ => return None,
        })
    }

    fn signature(&mut self) -> Option<ModuleSignature> {
        Some(match self.array()? {
            [0] => ModuleSignature::Missing,
            [1] => ModuleSignature::Unsupported,
            [2] => ModuleSignature::Damaged,
            [3] => ModuleSignature::By(self.list(|rest| {
                Some(match rest.array()? {
                    [0] => SignerId::Certificate {
                        issuer: rest.boxed()?,
                        serial: rest.boxed()?,
                    },
                    [1] => SignerId::Key(rest.boxed()?),
                    _ => return None,
                })
            })?),
            _ => return None,
        })
    }

    fn symbols(&mut self) -> Option<SymbolList> {
        let mut symbols = SymbolList::default();
        for _ in 0..self.number()? {
            let name = self.text()?;
            let version = self.version()?;
            let [weak] = self.flags()?;
            symbols.add_import(&ImportedSymbol {
                name,
                version,
                weak,
            });
        }
        for _ in 0..self.number()? {
            let name = self.text()?;
            let crc = self.optional(Self::crc)?;
            let namespace = self.optional(Self::text)?;
            let [gpl_only] = self.flags()?;
            symbols.add_export(&ExportedSymbol {
                name,
                crc,
                namespace,
                gpl_only,
            });
        }
        Some(symbols)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    type Text = Vec<u8>;

    fn text() -> impl Strategy<Value = Text> {
        prop_oneof![vec(any::<u8>(), 0..6), vec(b'a'..=b'z', 120..300)]
    }

    fn signature() -> impl Strategy<Value = ModuleSignature> {
        let boxed = |text: Text| text.into_boxed_slice();
        let signer = prop_oneof![
            text().prop_map(move |key| SignerId::Key(boxed(key))),
            (text(), text()).prop_map(move |(issuer, serial)| SignerId::Certificate {
                issuer: boxed(issuer),
                serial: boxed(serial),
            }),
        ];
        prop_oneof![
            Just(ModuleSignature::Missing),
            Just(ModuleSignature::Unsupported),
            Just(ModuleSignature::Damaged),
            vec(signer, 0..3).prop_map(ModuleSignature::By),
        ]
    }

    fn version() -> impl Strategy<Value = Version> {
        prop_oneof![
            Just(Version::Unlisted),
            any::<Option<Crc>>().prop_map(Version::Listed)
        ]
    }

    fn symbols() -> impl Strategy<Value = SymbolList> {
        let imports = vec((text(), version(), any::<bool>()), 0..9);
        let namespace = proptest::option::of(text());
        let exports = vec(
            (text(), any::<Option<Crc>>(), namespace, any::<bool>()),
            0..9,
        );
        (imports, exports).prop_map(|(imports, exports)| {
            let mut symbols = SymbolList::default();
            for (name, version, weak) in &imports {
                symbols.add_import(&ImportedSymbol {
                    name,
                    version: *version,
                    weak: *weak,
                });
            }
            for (name, crc, namespace, gpl_only) in &exports {
                symbols.add_export(&ExportedSymbol {
                    name,
                    crc: *crc,
                    namespace: namespace.as_deref(),
                    gpl_only: *gpl_only,
                });
            }
            symbols
        })
    }

    fn facts() -> impl Strategy<Value = ModuleFacts> {
        let machine = any::<Option<(u16, bool, bool)>>();
        let optional = || proptest::option::of(text());
        let texts = (text(), optional(), optional(), vec(text(), 0..3));
        let btf = prop_oneof![
            Just(ModuleBtf::Missing),
            Just(ModuleBtf::WithBase),
            Just(ModuleBtf::Split(Vec::new()))
        ];
        let rest = (signature(), btf, proptest::option::of(version()), symbols());
        (
            machine,
            texts,
            any::<[bool; 7]>(),
            any::<Option<u64>>(),
            rest,
        )
            .prop_map(|(machine, texts, flags, struct_module_size, rest)| {
                let (name, vermagic, license, import_ns) = texts;
                let (signature, btf, module_layout, symbols) = rest;
                let [
                    is_in_tree,
                    is_livepatch,
                    basic,
                    extended,
                    exports,
                    crcs,
                    flags,
                ] = flags;
                ModuleFacts {
                    name: name.into(),
                    machine: machine.map(|(number, is_64, is_big_endian)| Machine {
                        number,
                        is_64,
                        is_big_endian,
                    }),
                    vermagic: vermagic.map(Text::into_boxed_slice),
                    license: license.map(Text::into_boxed_slice),
                    import_ns: import_ns.into_iter().map(Text::into_boxed_slice).collect(),
                    is_in_tree,
                    is_livepatch,
                    struct_module_size,
                    signature,
                    btf,
                    version_tables: VersionTables { basic, extended },
                    module_layout,
                    export_tables: ExportTables {
                        symbols: exports,
                        crcs,
                        flags,
                    },
                    symbols,
                }
            })
    }

    proptest! {
        #[test]
        fn facts_come_back(facts in facts()) {
            let mut record = Vec::new();
            put_record(&facts, &mut record).unwrap();
            let read = facts_of(&record).map(|facts| format!("{facts:?}"));
            prop_assert_eq!(read, Some(format!("{facts:?}")));
            for length in 0..record.len() {
                prop_assert!(facts_of(&record[..length]).is_none());
            }
        }

        #[test]
        fn no_bytes_are_more_than_a_record(facts in facts(), at in any::<prop::sample::Index>(), byte: u8) {
            let mut record = Vec::new();
            put_record(&facts, &mut record).unwrap();
            let at = at.index(record.len());
            record[at] = byte;
            let names = |facts: ModuleFacts| -> usize {
                facts.symbols.imports().map(|import| import.name.len()).sum()
            };
            prop_assert!(facts_of(&record).map_or(0, names) <= record.len());
        }
    }

    #[test]
    fn facts_about_one_kernel_are_not_kept() {
        let unread = ModuleFacts::default();
        assert!(put_record(&unread, &mut Vec::new()).is_none());
    }
}
