//! The parsers of what triggers read, for fuzzing.

use std::path::Path;

use super::initrd::{module_list, wanted_files};
use super::releases;
use super::script::Script;

/// Parses the script of a trigger; says whether it is one.
pub fn script(text: &[u8]) -> bool {
    Script::parse(text).is_ok()
}

/// Counts the releases that a list of paths is about.
pub fn paths(paths: &[u8]) -> usize {
    releases::of_paths(paths, Path::new("/lib/modules")).len()
}

/// Counts the modules that a list for initrds names, and the files they need by a modules.dep.
pub fn initrd(list: &[u8], dep: &[u8]) -> (usize, usize) {
    let marked = module_list(Path::new("list"), list).into_iter().collect();
    let files = wanted_files(dep, &marked);
    (marked.len(), files.len())
}
