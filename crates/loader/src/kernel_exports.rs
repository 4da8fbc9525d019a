//! Lists what a kernel image exports: the one place that decides which file says so.
//!
//! The symvers file comes first, because it has everything and is cheap to read. Without one the
//! image itself is read. System.map comes last: it has names alone.

use std::path::Path;

use hashbrown::HashMap;
use kmodule::{Crc, Error, KernelImage, Symvers, exports_of_system_map};

/// The files of a kernel that may list its exports.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelExportFiles<'p> {
    /// symvers or Module.symvers, whatever its compression.
    pub symvers: Option<&'p Path>,
    /// vmlinux or bzImage.
    pub image: Option<&'p Path>,
    /// System.map.
    pub system_map: Option<&'p Path>,
}

/// Where the exports of a kernel were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelExportSource {
    /// A symvers file.
    Symvers,
    /// The image.
    Image,
    /// System.map, which has no CRCs, namespaces or GPL flags.
    SystemMap,
}

/// A symbol that the kernel image exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelExport {
    /// `None` where the build could not compute one, or the kernel has no modversions.
    pub crc: Option<Crc>,
    /// The namespace that a module must import to use it.
    pub namespace: Option<Box<[u8]>>,
    /// Only modules with a GPL-compatible licence may use it.
    pub gpl_only: bool,
}

/// All symbols that a kernel image exports, by name.
#[derive(Clone, Debug)]
pub struct KernelExports {
    source: KernelExportSource,
    by_name: HashMap<Box<[u8]>, KernelExport>,
    has_modversions: bool,
}

impl KernelExports {
    /// Reads the first of the files that lists exports; `None` if none does.
    ///
    /// An image that cannot be read, such as one of another architecture, is passed over where
    /// System.map lists exports. Distributions may install a System.map without symbols.
    ///
    /// # Errors
    /// The file that counts cannot be read, or is damaged.
    pub fn read(files: &KernelExportFiles<'_>) -> Result<Option<Self>, Error> {
        if let Some(path) = files.symvers {
            return Ok(Some(Self::of_symvers(&Symvers::open(path)?)));
        }
        let image = files.image.map(KernelImage::open);
        let image = image.map(|image| Self::of_image(&image?));
        if let Some(Ok(exports)) = image {
            return Ok(Some(exports));
        }
        let by_map = files.system_map.map(Self::of_system_map_at).transpose()?;
        match (by_map.filter(|exports| !exports.by_name.is_empty()), image) {
            (Some(exports), _) => Ok(Some(exports)),
            (None, image) => image.transpose(),
        }
    }

    fn of_system_map_at(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(|error| Error::new(path, error.into()))?;
        Ok(Self::of_system_map(&text))
    }

    /// Takes the lines of the image from a symvers file.
    pub fn of_symvers(symvers: &Symvers) -> Self {
        let exports = symvers.kernel_entries().map(|entry| {
            let export = KernelExport {
                crc: entry.crc,
                namespace: entry.namespace.map(Into::into),
                gpl_only: entry.gpl_only,
            };
            (entry.name.into(), export)
        });
        let mut exports = Self::new(KernelExportSource::Symvers, exports);
        // The image may export no symbol with a CRC where its modules do.
        exports.has_modversions = symvers.has_modversions();
        exports
    }

    /// Takes the tables of an image.
    ///
    /// # Errors
    /// The tables are missing or damaged, or the image cannot be unpacked.
    pub fn of_image(image: &KernelImage) -> Result<Self, Error> {
        let exports = image.detailed_exports()?;
        let exports = exports.into_iter().map(|export| {
            let details = KernelExport {
                crc: export.crc,
                namespace: export.namespace.map(Into::into),
                gpl_only: export.gpl_only,
            };
            (export.name.into(), details)
        });
        Ok(Self::new(KernelExportSource::Image, exports))
    }

    /// Takes the names from the text of a System.map.
    pub fn of_system_map(text: &[u8]) -> Self {
        let exports = exports_of_system_map(text).map(|name| {
            let export = KernelExport {
                crc: None,
                namespace: None,
                gpl_only: false,
            };
            (name.into(), export)
        });
        Self::new(KernelExportSource::SystemMap, exports)
    }

    fn new(
        source: KernelExportSource,
        exports: impl Iterator<Item = (Box<[u8]>, KernelExport)>,
    ) -> Self {
        let by_name: HashMap<_, _> = exports.collect();
        Self {
            source,
            has_modversions: by_name.values().any(|export| export.crc.is_some()),
            by_name,
        }
    }

    /// Where they were read.
    pub fn source(&self) -> KernelExportSource {
        self.source
    }

    /// Whether there are CRCs.
    pub fn has_modversions(&self) -> bool {
        self.has_modversions
    }

    /// The export of a name.
    pub fn get(&self, name: &[u8]) -> Option<&KernelExport> {
        self.by_name.get(name)
    }

    /// All exports, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &KernelExport)> {
        self.by_name.iter().map(|(name, export)| (&**name, export))
    }
}
