//! Gives the facts of a module, each read when it is asked for.

use std::cell::OnceCell;

use crate::bytes::Arena;
use crate::elf::{Elf, Machine};
use crate::error::{Error, Problem};
use crate::export_tables::{ExportTables, export_tables};
use crate::exports::{self, DetailedExport, Export};
use crate::image::Image;
use crate::imports::{self, Import, Versions};
use crate::modinfo::{ModInfo, Vermagic};
use crate::signature::{self, Signature};
use crate::undefined::{self, Undefined};
use crate::validity::check_module;

/// A kernel module whose section table has been read.
pub struct Module<'d> {
    image: &'d Image,
    elf: Elf<'d>,
    modinfo: ModInfo<'d>,
    vermagic: OnceCell<Vermagic>,
}

impl<'d> Module<'d> {
    /// Reads the section table and .modinfo of an opened module.
    ///
    /// # Errors
    /// The file is no relocatable ELF file, is damaged or cut short, or has no .modinfo section,
    /// which every module has.
    pub fn parse(image: &'d Image, arena: &'d Arena) -> Result<Self, Error> {
        let parse = || {
            let elf = Elf::parse(image.bytes(arena))?;
            check_module(&elf)?;
            let section = elf
                .section(".modinfo")
                .ok_or(Problem::NoSection(".modinfo"))?;
            let fields = elf.data(section)?;
            if !fields.is_empty() && !fields.ends_with(b"\0") {
                return Err(section.bad("its last field is cut short"));
            }
            let modinfo = ModInfo::new(fields);
            Ok(Self {
                image,
                elf,
                modinfo,
                vermagic: OnceCell::new(),
            })
        };
        parse().map_err(|problem| Error::new(image.path(), problem))
    }

    /// The metadata of its file when that was opened; `None` if bytes were given.
    pub fn metadata(&self) -> Option<&std::fs::Metadata> {
        self.image.metadata()
    }

    /// The length of its file on disk.
    pub fn file_size(&self) -> u64 {
        self.image.file_size()
    }

    /// The fields of its .modinfo section.
    pub fn modinfo(&self) -> ModInfo<'d> {
        self.modinfo
    }

    /// The kernel it was built for.
    ///
    /// # Errors
    /// .modinfo has no `vermagic=`, or it names no kernelrelease.
    pub fn vermagic(&self) -> Result<&Vermagic, Error> {
        if let Some(vermagic) = self.vermagic.get() {
            return Ok(vermagic);
        }
        let vermagic = self.modinfo.vermagic();
        let vermagic = vermagic.map_err(|problem| self.error(problem))?;
        Ok(self.vermagic.get_or_init(|| vermagic))
    }

    /// The symbols it exports with their CRCs, sorted by name; none where its
    /// kernel has no modversions.
    ///
    /// # Errors
    /// Its tables are damaged, too much of them was stripped, or they have no CRCs though vermagic
    /// says modversions.
    pub fn exports(&self) -> Result<Vec<Export<'d>>, Error> {
        let has_modversions = || self.vermagic().is_ok_and(|vermagic| vermagic.modversions);
        let exports = exports::exports(&self.elf, has_modversions);
        exports.map_err(|problem| self.error(problem))
    }

    /// The symbols it imports with the CRCs it expects, in file order; none
    /// where its kernel has no modversions.
    ///
    /// # Errors
    /// Its version sections are damaged.
    pub fn imports(&self) -> Result<Vec<Import<'d>>, Error> {
        imports::imports(&self.elf).map_err(|problem| self.error(problem))
    }

    /// The two forms of version information it has. The loader reads one of them.
    ///
    /// # Errors
    /// Its version sections are damaged.
    pub fn versions(&self) -> Result<Versions<'d>, Error> {
        imports::versions(&self.elf).map_err(|problem| self.error(problem))
    }

    /// The symbols it exports with CRC, namespace and GPL flag, sorted by name, whether or not
    /// its kernel has modversions.
    ///
    /// # Errors
    /// Its tables are damaged, or too much of them was stripped.
    pub fn detailed_exports(&self) -> Result<Vec<DetailedExport<'d>>, Error> {
        exports::detailed_exports(&self.elf).map_err(|problem| self.error(problem))
    }

    /// Which tables of exports it has.
    ///
    /// # Errors
    /// Its tables are damaged.
    pub fn export_tables(&self) -> Result<ExportTables, Error> {
        let tables = export_tables(&self.elf).map_err(|problem| self.error(problem))?;
        Ok(ExportTables::of(&tables))
    }

    /// The names of the symbols it exports, sorted, also where its kernel has no
    /// modversions.
    ///
    /// # Errors
    /// Its tables are damaged, or too much of them was stripped.
    pub fn export_names(&self) -> Result<Vec<&'d [u8]>, Error> {
        exports::export_names(&self.elf).map_err(|problem| self.error(problem))
    }

    /// The symbols it uses and does not define, in the order of its symbol
    /// table; also those that architectures and the linker resolve, such as
    /// ppc64's `TOC.`.
    ///
    /// # Errors
    /// Its symbol table is damaged, or was stripped, and no kernel loads it.
    pub fn undefined(&self) -> Result<Vec<Undefined<'d>>, Error> {
        undefined::undefined(&self.elf).map_err(|problem| self.error(problem))
    }

    /// The bytes of its sections that go into memory (SHF_ALLOC), those of .bss
    /// included. Compressing, signing and stripping a module do not change it.
    ///
    /// # Errors
    /// The headers claim more than fits into 64 bits.
    pub fn size(&self) -> Result<u64, Error> {
        self.elf.allocated().map_err(|problem| self.error(problem))
    }

    /// Whether a signature is appended to it; whose, and whether it is right, is
    /// not looked at.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_signed(&self) -> Result<bool, Error> {
        signature::is_appended(self.elf.bytes).map_err(|problem| self.error(problem))
    }

    /// Who signed it; `None` for a module without a signature. Whether the signature is right is
    /// not looked at.
    ///
    /// # Errors
    /// The file cannot be read, or the signature is damaged.
    pub fn signature(&self) -> Result<Option<Signature>, Error> {
        signature::signature(self.elf.bytes).map_err(|problem| self.error(problem))
    }

    /// What it was compiled for.
    pub fn machine(&self) -> Machine {
        self.elf.machine()
    }

    /// The size of its `struct module`, which the build puts into a section of its own; `None`
    /// where that is missing.
    ///
    /// # Errors
    /// There are several such sections, or the section is not loaded
    /// (linux/kernel/module/main.c, `elf_validity_cache_index_mod`).
    pub fn struct_module_size(&self) -> Result<Option<u64>, Error> {
        let size = self.elf.loaded_size(".gnu.linkonce.this_module");
        size.map_err(|problem| self.error(problem))
    }

    /// Whether its types are there in BTF.
    pub fn has_btf(&self) -> bool {
        self.elf
            .section(".BTF")
            .is_some_and(|section| section.size > 0)
    }

    /// Its types in BTF; `None` where the build made none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn btf(&self) -> Result<Option<&'d [u8]>, Error> {
        match self.elf.section(".BTF") {
            Some(section) => self.elf.data(section).map(Some),
            None => Ok(None),
        }
        .map_err(|problem| self.error(problem))
    }

    /// Whether it has the types of the kernel that its own types refer to (`.BTF.base`, since
    /// 6.11 in modules built out of tree). Without, its types fit only the kernel image they were
    /// made with.
    pub fn has_btf_base(&self) -> bool {
        self.elf.section(".BTF.base").is_some()
    }

    fn error(&self, problem: Problem) -> Error {
        Error::new(self.image.path(), problem)
    }
}
