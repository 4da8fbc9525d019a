//! Reads a kernel image, an ELF vmlinux or a bzImage: its kernelrelease, exports, configuration,
//! BTF and builtin modules.

use std::cell::OnceCell;
use std::path::Path;

use crate::bytes::{Arena, Bytes};
use crate::bzimage::BzImage;
use crate::config::Config;
use crate::elf::Elf;
use crate::embedded_config;
use crate::error::{Error, Problem, Result};
use crate::exports::{self, DetailedExport, Export};
use crate::image::Image;
use crate::limits::Limits;
use crate::modinfo::ModInfo;
use crate::release::Kernelrelease;
use crate::validity::check_kernel;

/// A kernel image. What is packed in it is unpacked once, when something needs it.
pub struct KernelImage {
    image: Image,
    arena: Arena,
    kind: Kind,
}

enum Kind {
    Vmlinux,
    /// With the vmlinux in it, once that was asked for.
    BzImage(OnceCell<Vec<u8>>),
}

impl KernelImage {
    /// Opens a vmlinux (plain or compressed) or bzImage and tells which it is.
    ///
    /// # Errors
    /// The file cannot be read or is neither.
    pub fn open(path: &Path) -> std::result::Result<Self, Error> {
        Self::of(Image::open_within(path, Limits::KERNEL)?)
    }

    /// Takes the bytes of an image instead of reading them; errors name `path`.
    ///
    /// # Errors
    /// As for [`KernelImage::open`].
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> std::result::Result<Self, Error> {
        Self::of(Image::from_bytes_within(path, bytes, Limits::KERNEL)?)
    }

    fn of(image: Image) -> std::result::Result<Self, Error> {
        let arena = Arena::new();
        let kind = Kind::of(image.bytes(&arena));
        let kind = kind.map_err(|problem| Error::new(image.path(), problem))?;
        Ok(Self { image, arena, kind })
    }

    /// The kernelrelease the image names itself.
    ///
    /// # Errors
    /// It names none.
    pub fn kernelrelease(&self) -> std::result::Result<Kernelrelease, Error> {
        let release = match self.kind {
            Kind::BzImage(_) => self
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
    /// The tables are missing or damaged, they have no CRCs though the kernel compares some, or the
    /// image cannot be unpacked.
    pub fn exports<T>(
        &self,
        use_exports: impl FnOnce(&[Export<'_>]) -> T,
    ) -> std::result::Result<T, Error> {
        let result = self
            .elf()
            .and_then(|elf| exports::exports(with_exports(&elf)?, || has_modversions(&elf)))
            .map(|exports| use_exports(&exports));
        result.map_err(|problem| self.error(problem))
    }

    /// The symbols the kernel exports with their details, sorted by name, whether or not it has
    /// modversions.
    ///
    /// # Errors
    /// As for [`KernelImage::exports`].
    pub fn detailed_exports(&self) -> std::result::Result<Vec<DetailedExport<'_>>, Error> {
        self.elf()
            .and_then(|elf| exports::detailed_exports(with_exports(&elf)?))
            .map_err(|problem| self.error(problem))
    }

    /// The configuration it was built with, where it holds that (CONFIG_IKCONFIG).
    ///
    /// # Errors
    /// The configuration is damaged, or the image cannot be unpacked.
    pub fn config(&self) -> std::result::Result<Option<Config>, Error> {
        self.elf()
            .and_then(|elf| match elf.section(".rodata") {
                Some(section) => embedded_config::config(elf.data(section)?),
                None => Ok(None),
            })
            .map_err(|problem| self.error(problem))
    }

    /// The types of the kernel in BTF, which those of modules build upon; `None` for a kernel
    /// without (CONFIG_DEBUG_INFO_BTF).
    ///
    /// # Errors
    /// The image cannot be unpacked.
    pub fn btf(&self) -> std::result::Result<Option<&[u8]>, Error> {
        self.elf()
            .and_then(|elf| match elf.section(".BTF") {
                Some(section) => elf.data(section).map(Some),
                None => Ok(None),
            })
            .map_err(|problem| self.error(problem))
    }

    /// The names of the modules linked into it, sorted; `None` where the image does not hold
    /// them, as any that was stripped of .modinfo.
    ///
    /// # Errors
    /// The image cannot be unpacked.
    pub fn builtin_names(&self) -> std::result::Result<Option<Vec<&[u8]>>, Error> {
        self.elf()
            .and_then(|elf| match elf.section(".modinfo") {
                Some(section) => Ok(Some(ModInfo::new(elf.data(section)?).builtin_names())),
                None => Ok(None),
            })
            .map_err(|problem| self.error(problem))
    }

    fn elf(&self) -> Result<Elf<'_>> {
        let elf = Elf::parse(self.vmlinux()?)?;
        check_kernel(&elf)?;
        Ok(elf)
    }

    /// The ELF file, unpacked once.
    fn vmlinux(&self) -> Result<Bytes<'_>> {
        let Kind::BzImage(unpacked) = &self.kind else {
            return Ok(self.bytes());
        };
        if let Some(vmlinux) = unpacked.get() {
            return Ok(Bytes::Memory(vmlinux));
        }
        let vmlinux = self.bzimage()?.vmlinux()?;
        Ok(Bytes::Memory(unpacked.get_or_init(|| vmlinux)))
    }

    fn error(&self, problem: Problem) -> Error {
        Error::new(self.image.path(), problem)
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
            .map(|_| Self::BzImage(OnceCell::new()))
            .ok_or(NEITHER)
    }
}

/// Every kernel that can load modules has this table. A file without it is something else, such as
/// the BTF of a headers package.
fn with_exports<'e, 'd>(elf: &'e Elf<'d>) -> Result<&'e Elf<'d>> {
    match elf.section("__ksymtab_strings") {
        Some(_) => Ok(elf),
        None => Err(Problem::NoSection("__ksymtab_strings")),
    }
}

/// Whether the vermagic that the kernel compares with those of modules names modversions
/// (linux/kernel/module/main.c, `vermagic`): a text that begins with its release.
fn has_modversions(elf: &Elf<'_>) -> bool {
    let Ok(release) = banner(elf) else {
        return false;
    };
    let Some(Ok(data)) = elf.section(".rodata").map(|section| elf.data(section)) else {
        return false;
    };
    let start = format!("\0{release} ");
    memchr::memmem::find_iter(data, start.as_bytes())
        .filter_map(|at| data.get(at + 1..)?.split(|&byte| byte == 0).next())
        .any(|vermagic| {
            vermagic
                .split(|&byte| byte == b' ')
                .any(|word| word == b"modversions")
        })
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
