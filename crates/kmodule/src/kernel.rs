//! An ELF vmlinux or a bzImage in, its kernelrelease and exports out.

use std::path::Path;

use crate::bytes::{Arena, Bytes, Image};
use crate::bzimage::BzImage;
use crate::elf::Elf;
use crate::error::{Error, Problem, Result};
use crate::exports::{self, Export};
use crate::release::Kernelrelease;

/// A kernel image, unpacked as far as its exports need it.
pub struct KernelImage {
    image: Image,
    arena: Arena,
    kind: Kind,
}

enum Kind {
    Vmlinux,
    BzImage,
}

impl KernelImage {
    /// Opens a vmlinux (plain or compressed) or bzImage and tells which it is.
    ///
    /// # Errors
    /// The file cannot be read or is neither.
    pub fn open(path: &Path) -> std::result::Result<Self, Error> {
        let image = Image::open(path)?;
        let arena = Arena::new();
        let kind = Kind::of(image.bytes(&arena)).map_err(|problem| Error::new(path, problem))?;
        Ok(Self { image, arena, kind })
    }

    /// The kernelrelease the image names itself.
    ///
    /// # Errors
    /// It names none.
    pub fn kernelrelease(&self) -> std::result::Result<Kernelrelease, Error> {
        let release = match self.kind {
            Kind::BzImage => self
                .bzimage()
                .and_then(|image| image.kernelrelease()?.try_into()),
            Kind::Vmlinux => Elf::parse(self.bytes()).and_then(|elf| banner(&elf)),
        };
        release.map_err(|problem| Error::new(self.image.path(), problem))
    }

    /// Calls `use_exports` with the symbols the kernel exports and their CRCs,
    /// sorted by name; an empty list where it has no modversions.
    ///
    /// # Errors
    /// The tables are missing or damaged, or the image cannot be unpacked.
    pub fn exports<T>(
        &self,
        use_exports: impl FnOnce(&[Export<'_>]) -> T,
    ) -> std::result::Result<T, Error> {
        let result = match self.kind {
            Kind::Vmlinux => kernel_exports(self.bytes()).map(|exports| use_exports(&exports)),
            Kind::BzImage => self
                .bzimage()
                .and_then(|image| image.vmlinux())
                .and_then(|vmlinux| {
                    kernel_exports(Bytes::Memory(&vmlinux)).map(|exports| use_exports(&exports))
                }),
        };
        result.map_err(|problem| Error::new(self.image.path(), problem))
    }

    fn bytes(&self) -> Bytes<'_> {
        self.image.bytes(&self.arena)
    }

    fn bzimage(&self) -> Result<BzImage<'_>> {
        BzImage::detect(self.bytes())?.ok_or(NEITHER)
    }
}

const NEITHER: Problem = Problem::BadKernel("neither ELF nor bzImage; give its symvers");

impl Kind {
    fn of(bytes: Bytes<'_>) -> Result<Self> {
        let head = bytes.range(0, bytes.size().min(4))?;
        if head.starts_with(&object::elf::ELFMAG) {
            return Ok(Self::Vmlinux);
        }
        BzImage::detect(bytes)?
            .map(|_| Self::BzImage)
            .ok_or(NEITHER)
    }
}

fn kernel_exports(bytes: Bytes<'_>) -> Result<Vec<Export<'_>>> {
    let elf = Elf::parse(bytes)?;
    // Every kernel that can load modules has this table; without it the file
    // is something else, such as the BTF of a headers package.
    elf.section("__ksymtab_strings")
        .ok_or(Problem::NoSection("__ksymtab_strings"))?;
    exports::exports(&elf)
}

/// The release after `Linux version ` (linux/init/version.c, `linux_banner`).
fn banner(elf: &Elf<'_>) -> Result<Kernelrelease> {
    const MARK: &[u8] = b"Linux version ";
    let missing = Problem::BadKernel("no Linux version banner in .rodata");
    let Some(section) = elf.section(".rodata") else {
        return Err(Problem::NoSection(".rodata"));
    };
    let data = elf.data(section)?;
    memchr::memmem::find_iter(data, MARK)
        .filter_map(|at| data.get(at + MARK.len()..))
        .filter_map(|rest| rest.get(..rest.iter().position(u8::is_ascii_whitespace)?))
        .find(|release| release.first().is_some_and(u8::is_ascii_digit))
        .ok_or(missing)?
        .try_into()
}
