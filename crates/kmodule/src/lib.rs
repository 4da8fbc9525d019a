//! Reads kernel modules, kernel images, symvers files and kernel configurations, and gives
//! borrowed facts of them.
//!
//! ```text
//! path ──> Image (file, or memory where it was compressed)
//!            └─> Bytes (the ranges asked for) ─> Elf ─> Module: modinfo, imports, exports, signature, BTF
//!                                                  └──> KernelImage: kernelrelease, exports, config, BTF
//! ```
//!
//! Nothing here knows of rpm or of a directory tree. Every fact is read when it
//! is asked for, so a caller that wants the modinfo of an uncompressed module
//! costs a few `pread`s and no more. [`Reader`] reads one module after another in
//! the same memory.

mod appended;
mod as_kmod;
mod bytes;
mod bzimage;
mod compression;
mod config;
mod crc;
mod decompress;
mod der;
mod elf;
mod embedded_config;
mod error;
mod export_tables;
mod exports;
#[cfg(test)]
mod growth;
mod image;
mod imports;
mod kcrctab;
mod kernel;
mod ksymtab;
mod limits;
mod modinfo;
mod module;
mod name;
mod pointers;
mod reader;
mod release;
mod section;
mod signature;
mod strictness;
mod strings;
mod symbols;
mod symvers;
mod system_map;
mod undefined;
mod unpack;
mod unpack_as_kmod;
mod validity;
mod work;

pub use as_kmod::{AsKmod, KmodExport, KmodImport, KmodSymbols};
pub use bytes::Arena;
pub use compression::Compression;
pub use config::Config;
pub use crc::Crc;
pub use elf::Machine;
pub use error::{Error, Problem};
pub use export_tables::ExportTables;
pub use exports::{DetailedExport, Export};
pub use image::Image;
pub use imports::{Import, Versions};
pub use kernel::KernelImage;
pub use limits::Limits;
pub use modinfo::{ModInfo, SoftdepOrder, Vermagic};
pub use module::Module;
pub use name::{
    COMPRESSION_SUFFIXES, FileKind, IMAGE_NAMES, KMOD_COMPRESSION_SUFFIXES, MODULE_SUFFIX,
    SYMVERS_NAMES, SymversOf, file_kind, is_same_name, kmod_name, module_name, module_stem,
    module_stem_str, normalized, normalized_str, unambiguous_image_names,
};
pub use reader::Reader;
pub use release::Kernelrelease;
pub use signature::{Signature, SignerId};
pub use symvers::{Symvers, SymversEntry};
pub use system_map::exports_of_system_map;
pub use undefined::Undefined;
