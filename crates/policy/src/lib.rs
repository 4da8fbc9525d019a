//! Reads the policy: which modules share a package, and what else is decided about them.
//!
//! A policy is made of layers of TOML. `layer` finds the files. `schema` has the keys a file may
//! have. `merge` makes one [`Policy`] of all layers, and `import` adds lists that others keep.
//! `selector`, `template` and `tag` check the values that have a syntax of their own.
//!
//! This crate knows no modules and no rpm. Whether a selector matches anything, and which module
//! needs which, is checked where the modules are known.

mod by_name;
mod checked;
mod dependency;
mod error;
mod file_line;
mod grouping;
mod import;
mod layer;
mod list_lines;
mod merge;
mod modules_list;
mod naming;
mod path_glob;
mod regexes;
mod rules;
mod schema;
mod selector;
mod settings;
mod supported_conf;
mod tag;
mod tag_kind;
mod template;
mod text;

pub use error::{Error, Problem};
pub use file_line::{FileLine, PolicyFile};
pub use grouping::{GroupBy, Grouping, Unclaimed};
#[doc(hidden)]
pub use import::check_list;
pub use layer::{Layer, SYSTEM, layers, system_files};
pub use naming::{Depends, Naming};
pub use rules::{Base, ModuleRule, ModuleSet, Override, Pattern, Policy, Support};
pub use schema::ListFormat;
pub use selector::{ModulePath, Selector};
pub use tag_kind::{TagKind, UnknownTag};
pub use template::Template;
pub use text::{LONGEST_FILE_NAME, check_package_name};
