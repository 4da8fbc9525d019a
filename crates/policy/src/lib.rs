//! Turns layers of TOML into a checked policy.
//!
//! `layer` finds the files, `schema` says which keys they may have, `merge`
//! makes one policy of them, `import` reads lists that others keep. `selector`,
//! `template` and `tag` are the small languages inside values. Nothing here
//! knows a tree or rpm: what matches nothing, and what depends on what, is for
//! those who have one.

mod error;
mod import;
mod layer;
mod merge;
mod place;
mod rules;
mod schema;
mod selector;
mod settings;
mod tag;
mod template;
mod text;

pub use error::{Error, Problem};
pub use layer::{Layer, SYSTEM, layers, system_files};
pub use place::Place;
pub use rules::{Base, ModuleRule, Override, Pattern, Policy, Set, Support, Unclaimed};
pub use selector::{Named, Selector};
pub use settings::{By, Depends, Grouping, Naming};
pub use tag::{TagKind, UnknownTag};
pub use template::Template;
