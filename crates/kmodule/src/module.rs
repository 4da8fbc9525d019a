//! The ELF view of a module in, its facts out, each when it is asked for.

use std::cell::OnceCell;

use crate::bytes::{Arena, Bytes, Image};
use crate::elf::Elf;
use crate::error::{Error, Problem};
use crate::exports::{self, Export};
use crate::imports::{self, Import};
use crate::ksymtab;
use crate::modinfo::{ModInfo, Vermagic};
use crate::signature;
use crate::undefined::{self, Undefined};

/// A kernel module whose section table has been read.
pub struct Module<'d> {
    image: &'d Image,
    bytes: Bytes<'d>,
    elf: Elf<'d>,
    modinfo: ModInfo<'d>,
    vermagic: OnceCell<Vermagic>,
}

impl<'d> Module<'d> {
    /// Reads the section table and .modinfo of an opened module.
    ///
    /// # Errors
    /// The file is no ELF file, is cut short, or has no .modinfo section, which
    /// every module has.
    pub fn parse(image: &'d Image, arena: &'d Arena) -> Result<Self, Error> {
        let parse = || {
            let bytes = image.bytes(arena);
            let elf = Elf::parse(bytes)?;
            let section = elf
                .section(".modinfo")
                .ok_or(Problem::NoSection(".modinfo"))?;
            let modinfo = ModInfo::new(elf.data(section)?);
            Ok(Self {
                image,
                bytes,
                elf,
                modinfo,
                vermagic: OnceCell::new(),
            })
        };
        parse().map_err(|problem| Error::new(image.path(), problem))
    }

    /// What the file system said of its file when that was opened.
    pub fn metadata(&self) -> &std::fs::Metadata {
        self.image.metadata()
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
    /// Its tables are damaged, or too much of them was stripped.
    pub fn exports(&self) -> Result<Vec<Export<'d>>, Error> {
        exports::exports(&self.elf).map_err(|problem| self.error(problem))
    }

    /// The symbols it imports with the CRCs it expects, in file order; none
    /// where its kernel has no modversions.
    ///
    /// # Errors
    /// Its version sections are damaged.
    pub fn imports(&self) -> Result<Vec<Import<'d>>, Error> {
        imports::imports(&self.elf).map_err(|problem| self.error(problem))
    }

    /// The names of the symbols it exports, sorted, also where its kernel has no
    /// modversions.
    ///
    /// # Errors
    /// Its tables are damaged, or too much of them was stripped.
    pub fn export_names(&self) -> Result<Vec<&'d [u8]>, Error> {
        ksymtab::export_names(&self.elf).map_err(|problem| self.error(problem))
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
        signature::is_appended(self.bytes).map_err(|problem| self.error(problem))
    }

    fn error(&self, problem: Problem) -> Error {
        Error::new(self.image.path(), problem)
    }
}
