//! Sections, symbols and relocations in, an ELF file of any class and byte
//! order out.

use object::Endianness;
use object::elf;
use object::endian::Endian;
use object::write::elf::{FileHeader, Rel, SectionHeader, Sym, Writer};

/// An ELF file under construction.
pub struct ElfFile {
    pub is_64: bool,
    pub endian: Endianness,
    pub kind: elf::FileType,
    /// RELA, else REL with the addends in the sections.
    pub rela: bool,
    pub sections: Vec<Section>,
    /// `None` writes no symbol table.
    pub symbols: Option<Vec<Symbol>>,
    /// The symbols' section indexes are in a section of their own, as in files
    /// of more than 65,279 sections.
    pub wide_indexes: bool,
}

#[derive(Clone, Default)]
pub struct Section {
    pub name: String,
    pub address: u64,
    pub data: Vec<u8>,
    /// Bytes in memory of a section that has none in the file.
    pub nobits: u64,
    pub relocations: Vec<Relocation>,
}

#[derive(Clone)]
pub struct Symbol {
    pub name: String,
    pub place: Place,
    pub value: u64,
    pub weak: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Undefined,
    Absolute,
    /// Index into [`ElfFile::sections`].
    Section(usize),
}

#[derive(Clone)]
pub struct Relocation {
    pub offset: u64,
    /// Index into [`ElfFile::symbols`].
    pub symbol: usize,
    pub addend: i64,
}

impl ElfFile {
    pub fn build(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut header = Vec::new();
        let mut writer = Writer::new_single_phase(self.endian, self.is_64, &mut bytes);
        self.write(&mut writer, &mut header);
        bytes[..header.len()].copy_from_slice(&header);
        bytes
    }

    fn write<'a>(
        &'a self,
        writer: &mut Writer<'a, object::write::elf::SinglePhase>,
        header: &mut Vec<u8>,
    ) {
        writer
            .write_file_header(&FileHeader {
                e_type: self.kind,
                e_machine: self.machine(),
                ..FileHeader::default()
            })
            .unwrap();
        let align = if self.is_64 { 8 } else { 4 };
        let mut headers = Vec::new();
        for section in &self.sections {
            let offset = writer.write_align(align);
            writer.write(&section.data);
            headers.push(SectionHeader {
                sh_name: name(writer, section.name.as_bytes()),
                sh_type: match section.nobits {
                    0 => elf::SHT_PROGBITS,
                    _ => elf::SHT_NOBITS,
                },
                sh_flags: elf::SHF_ALLOC,
                sh_addr: section.address,
                sh_offset: offset,
                sh_size: section.data.len() as u64 + section.nobits,
                sh_addralign: align,
                ..SectionHeader::default()
            });
        }
        let relocated = self.sections.iter().filter(|s| !s.relocations.is_empty());
        // Behind the null section, these, and .strtab.
        let wide = usize::from(self.wide_indexes);
        let symtab = (self.sections.len() + relocated.count() + wide + 2) as u32;
        for (target, section) in (1..).zip(&self.sections) {
            if section.relocations.is_empty() {
                continue;
            }
            let offset = writer.write_align_relocation();
            for relocation in &section.relocations {
                writer.write_relocation(
                    self.rela,
                    &Rel {
                        r_offset: relocation.offset,
                        r_sym: relocation.symbol as u32 + 1,
                        r_type: elf::RelocationType(1),
                        r_addend: relocation.addend,
                    },
                );
            }
            let (kind, word) = match self.rela {
                true => (elf::SHT_RELA, 3),
                false => (elf::SHT_REL, 2),
            };
            headers.push(SectionHeader {
                sh_name: name(writer, b".rel"),
                sh_type: kind,
                sh_offset: offset,
                sh_size: section.relocations.len() as u64 * word * align,
                sh_link: symtab,
                sh_info: target,
                sh_addralign: align,
                sh_entsize: word * align,
                ..SectionHeader::default()
            });
        }
        if let Some(symbols) = &self.symbols {
            writer.write_null_symbol();
            for symbol in symbols {
                let st_name = writer.add_string(symbol.name.as_bytes());
                let (section, st_shndx) = match symbol.place {
                    Place::Section(_) if self.wide_indexes => (None, elf::SHN_XINDEX),
                    Place::Undefined => (None, elf::SHN_UNDEF),
                    Place::Absolute => (None, elf::SHN_ABS),
                    Place::Section(index) => (Some(index as u32 + 1), elf::SHN_UNDEF),
                };
                let binding = match symbol.weak {
                    true => elf::STB_WEAK,
                    false => elf::STB_GLOBAL,
                };
                writer.write_symbol(&Sym {
                    section,
                    st_name: writer.string_offset(Some(st_name)),
                    st_info: elf::SymbolInfo(binding.0 << 4),
                    st_other: elf::SymbolOther(0),
                    st_shndx,
                    st_value: symbol.value,
                    st_size: 0,
                });
            }
            if self.wide_indexes {
                let offset = writer.write_align(4);
                let indexes = self.wide_indexes(symbols);
                writer.write(&indexes);
                headers.push(SectionHeader {
                    sh_name: name(writer, b".symtab_shndx"),
                    sh_type: elf::SHT_SYMTAB_SHNDX,
                    sh_offset: offset,
                    sh_size: indexes.len() as u64,
                    sh_link: symtab,
                    ..SectionHeader::default()
                });
            }
            writer.write_strtab().unwrap();
        }
        writer.write_shstrtab().unwrap();
        writer.write_null_section_header();
        for header in &headers {
            writer.write_section_header(header);
        }
        if self.symbols.is_some() {
            writer.write_strtab_section_header();
            writer.write_symtab_section_header(1);
        }
        writer.write_shstrtab_section_header();
        writer.write_file_header_to(header).unwrap();
    }

    fn wide_indexes(&self, symbols: &[Symbol]) -> Vec<u8> {
        let of = |symbol: &Symbol| match symbol.place {
            Place::Section(index) => index as u32 + 1,
            _ => 0,
        };
        [0].into_iter()
            .chain(symbols.iter().map(of))
            .flat_map(|index| self.endian.write_u32(index))
            .collect()
    }

    fn machine(&self) -> elf::Machine {
        match (self.is_64, self.endian) {
            (true, Endianness::Little) => elf::EM_X86_64,
            (true, Endianness::Big) => elf::EM_S390,
            (false, Endianness::Little) => elf::EM_386,
            (false, Endianness::Big) => elf::EM_PPC,
        }
    }
}

fn name<'a>(writer: &mut Writer<'a, object::write::elf::SinglePhase>, name: &'a [u8]) -> u32 {
    let id = writer.add_section_name(name);
    writer.section_name_offset(Some(id))
}
