//! Makes the tags of modules, kernel images and symvers files, and caches those of a whole buildroot.
//!
//! ```text
//! path ─> Tagger (rules, policy, symvers and softdeps of the kernel) ─> FileTags, of the outputs that are wanted
//!            └─> TagCacheWriter: the tags of many files, made on all processors
//! ```
//!
//! [`GENERATORS`] is the table of dependency generators: what each prints of which files. A
//! [`GeneratorOutput`] is what one prints in one run. A generator makes one output, `%kmp_split` all
//! from the same reading of a file.

mod cache;
mod error;
mod file_set;
mod generator;
mod generators;
mod inputs;
mod kernel;
mod link;
mod overrides;
mod softdeps;
mod stamp;
mod symvers;
mod tagged_files;
mod tagger;
mod tags;
mod type_file;

pub use cache::{TagCacheWriter, write_tag_cache};
pub use error::Error;
pub use file_set::{FileDepth, FileLocation, FileNames, FileSet, compression_expression};
pub use generator::{
    Generator, GeneratorOutput, NamedModule, OtherFile, OutputOption, Prints, ReadModule, TagTypes,
    TagWriter,
};
pub use generators::{GENERATORS, all_outputs, file_sets};
pub use inputs::TagInputs;
pub use softdeps::{Softdep, TreeSoftdeps};
pub use tagged_files::tagged_files;
pub use tagger::Tagger;
pub use tags::FileTags;
