//! Fixtures, and what kmodule says of them.

use std::path::{Path, PathBuf};

use kmodule::{Arena, Error, Image, KernelImage, Module};
use tempfile::TempDir;

pub use kmpkit_fixtures::Crcs;

/// Those of them every module has, with modversions or without.
#[derive(Debug, PartialEq, Eq)]
pub struct Symbols {
    pub export_names: Vec<String>,
    /// With whether it is weak.
    pub undefined: Vec<(String, bool)>,
}

/// A directory for the files of one test.
pub struct Files(TempDir);

impl Files {
    pub fn new() -> Self {
        Self(TempDir::with_prefix("kmodule-").unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// All facts of a module.
#[derive(Debug, PartialEq, Eq)]
pub struct Facts {
    pub exports: Crcs,
    pub imports: Crcs,
    pub modinfo: Vec<String>,
}

/// Every fact kmodule tells of a module, or the first error.
pub fn facts(path: &Path) -> Result<Facts, Error> {
    facts_of_image(&Image::open(path)?)
}

/// As [`facts`], of bytes.
pub fn facts_of(bytes: &[u8]) -> Result<Facts, Error> {
    facts_of_image(&Image::from_bytes(Path::new("fixture.ko"), bytes)?)
}

fn facts_of_image(image: &Image) -> Result<Facts, Error> {
    let arena = Arena::new();
    let module = Module::parse(image, &arena)?;
    module.vermagic()?;
    module.size()?;
    module.is_signed()?;
    module.export_names()?;
    module.struct_module_size()?;
    module.btf()?;
    // No symbol table, and bytes that are no signature, are no damage to the other facts.
    drop(module.undefined());
    drop(module.signature());
    drop(module.detailed_exports());
    let fields = ["license", "alias", "depends", "vermagic", "softdep"];
    Ok(Facts {
        exports: module
            .exports()?
            .iter()
            .map(|export| (text(export.name), export.crc.unwrap_or(0)))
            .collect(),
        imports: module
            .imports()?
            .iter()
            .map(|import| (text(import.name), import.crc.unwrap_or(0)))
            .collect(),
        modinfo: fields
            .iter()
            .flat_map(|key| {
                let values = module.modinfo().values(key);
                values.map(move |value| format!("{key}={}", text(value)))
            })
            .collect(),
    })
}

/// The names kmodule finds without a look at CRCs.
pub fn symbols_of(bytes: &[u8]) -> Result<Symbols, Error> {
    symbols_of_image(&Image::from_bytes(Path::new("fixture.ko"), bytes)?)
}

/// As [`symbols_of`], of a file.
pub fn symbols(path: &Path) -> Result<Symbols, Error> {
    symbols_of_image(&Image::open(path)?)
}

fn symbols_of_image(image: &Image) -> Result<Symbols, Error> {
    let arena = Arena::new();
    let module = Module::parse(image, &arena)?;
    let names = module.export_names()?;
    let undefined = module.undefined()?;
    Ok(Symbols {
        export_names: names.into_iter().map(text).collect(),
        undefined: undefined
            .iter()
            .map(|symbol| (text(symbol.name), symbol.weak))
            .collect(),
    })
}

/// Kernelrelease and exports of a kernel image.
pub fn kernel(path: &Path) -> Result<(String, Crcs), Error> {
    kernel_of_image(&KernelImage::open(path)?)
}

pub fn kernel_of(bytes: &[u8]) -> Result<(String, Crcs), Error> {
    kernel_of_image(&KernelImage::from_bytes(Path::new("vmlinux"), bytes)?)
}

fn kernel_of_image(image: &KernelImage) -> Result<(String, Crcs), Error> {
    let exports = image.exports(|exports| {
        exports
            .iter()
            .map(|export| (text(export.name), export.crc.unwrap_or(0)))
            .collect()
    })?;
    Ok((image.kernelrelease()?.to_string(), exports))
}

/// The text of an error, after checking that it names `path`.
pub fn complaint<T: std::fmt::Debug>(result: Result<T, Error>, path: &Path) -> String {
    let message = result.unwrap_err().to_string();
    let name = path.display().to_string();
    let reason = message.strip_prefix(&format!("{name}: "));
    reason
        .unwrap_or_else(|| panic!("{message:?} does not name {name}"))
        .to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
