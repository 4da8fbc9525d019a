//! The ELF view of a module in, its facts out, each when it is asked for.

use crate::bytes::{Arena, Image};
use crate::elf::Elf;
use crate::error::{Error, Problem};
use crate::exports::{self, Export};
use crate::imports::{self, Import};
use crate::modinfo::{ModInfo, Vermagic};

/// A kernel module whose section table has been read.
pub struct Module<'d> {
    image: &'d Image,
    elf: Elf<'d>,
    modinfo: ModInfo<'d>,
}

impl<'d> Module<'d> {
    /// Reads the section table and .modinfo of an opened module.
    ///
    /// # Errors
    /// The file is no ELF file, is cut short, or has no .modinfo section, which
    /// every module has.
    pub fn parse(image: &'d Image, arena: &'d Arena) -> Result<Self, Error> {
        let parse = || {
            let elf = Elf::parse(image.bytes(arena))?;
            let section = elf
                .section(".modinfo")
                .ok_or(Problem::NoSection(".modinfo"))?;
            let modinfo = ModInfo::new(elf.data(section)?);
            Ok(Self {
                image,
                elf,
                modinfo,
            })
        };
        parse().map_err(|problem| Error::new(image.path(), problem))
    }

    /// The fields of its .modinfo section.
    pub fn modinfo(&self) -> ModInfo<'d> {
        self.modinfo
    }

    /// The kernel it was built for.
    ///
    /// # Errors
    /// .modinfo has no `vermagic=`, or it names no kernelrelease.
    pub fn vermagic(&self) -> Result<Vermagic, Error> {
        self.modinfo
            .vermagic()
            .map_err(|problem| self.error(problem))
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

    fn error(&self, problem: Problem) -> Error {
        Error::new(self.image.path(), problem)
    }
}
