//! Reads one module after another into the same memory.

use std::path::Path;

use crate::as_kmod::AsKmod;
use crate::bytes::Arena;
use crate::error::Error;
use crate::image::Image;
use crate::limits::Limits;
use crate::module::Module;
use crate::unpack::Unpacker;

/// Reads modules one at a time. It keeps the memory of the largest so far, so a thread that reads
/// thousands needs one of these.
#[derive(Default)]
pub struct Reader {
    arena: Arena,
    unpacker: Unpacker,
}

impl Reader {
    /// A reader that has allocated nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `use_module` with the module at `path`; `None` if that is a
    /// symbolic link.
    ///
    /// # Errors
    /// The file cannot be read or is no module.
    pub fn module_unless_link<T>(
        &mut self,
        path: &Path,
        use_module: impl FnOnce(&Module<'_>) -> T,
    ) -> Result<Option<T>, Error> {
        let image = Image::open_unless_link(path, Limits::MODULE, &mut self.unpacker)
            .map_err(|problem| Error::new(path, problem))?;
        image.map(|image| self.parse(image, use_module)).transpose()
    }

    /// Calls `use_module` with the module at `path`, or at the end of the links
    /// there.
    ///
    /// # Errors
    /// The file cannot be read or is no module.
    pub fn module<T>(
        &mut self,
        path: &Path,
        use_module: impl FnOnce(&Module<'_>) -> T,
    ) -> Result<T, Error> {
        let image = Image::open_with(path, Limits::MODULE, &mut self.unpacker)
            .map_err(|problem| Error::new(path, problem))?;
        self.parse(image, use_module)
    }

    /// Calls `use_module` with the module at `path`, or at the end of the links there, as kmod sees
    /// it.
    ///
    /// # Errors
    /// Those of [`Image::open`] and [`AsKmod::parse`].
    pub fn as_kmod<T>(
        &mut self,
        path: &Path,
        use_module: impl FnOnce(&AsKmod<'_>) -> T,
    ) -> Result<T, Error> {
        let image = Image::open_as_kmod(path, Limits::MODULE, &mut self.unpacker)
            .map_err(|problem| Error::new(path, problem))?;
        let used = AsKmod::parse(&image, &self.arena).map(|module| use_module(&module));
        self.arena.reset();
        self.unpacker.reuse(image.into_memory());
        used
    }

    fn parse<T>(
        &mut self,
        image: Image,
        use_module: impl FnOnce(&Module<'_>) -> T,
    ) -> Result<T, Error> {
        let used = Module::parse(&image, &self.arena).map(|module| use_module(&module));
        self.arena.reset();
        self.unpacker.reuse(image.into_memory());
        used
    }
}
