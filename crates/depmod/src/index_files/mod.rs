//! Makes the bytes of each index, with one source file for each.

mod alias;
mod alias_bin;
mod builtin_alias_bin;
mod builtin_bin;
mod dep;
mod dep_bin;
mod devname;
pub(crate) mod input;
mod module_texts;
pub(crate) mod output;
mod softdep;
mod symbols;
mod symbols_bin;
mod weakdep;

use kmod_index::{IndexFile, WriteError};
use parallel::map_with;

use self::input::IndexInput;
use self::output::Output;
use crate::error::Error;

#[doc(hidden)]
pub use self::{
    builtin_alias_bin::aliases as builtin_aliases, builtin_bin::names as builtin_names,
};

/// Makes all indexes, in the order kmod writes them.
///
/// # Errors
/// A binary index cannot hold what is to go into it.
pub(crate) fn make_all(input: &IndexInput<'_>) -> Result<Vec<Output>, Error> {
    make(input, |_| true)
}

/// Makes the indexes that are text.
///
/// # Errors
/// None: text holds any bytes.
pub(crate) fn make_texts(input: &IndexInput<'_>) -> Result<Vec<Output>, Error> {
    make(input, |file| !file.is_binary())
}

fn make(input: &IndexInput<'_>, wanted: impl Fn(IndexFile) -> bool) -> Result<Vec<Output>, Error> {
    let files = input.settings.compat.files();
    let mut files: Vec<_> = files.filter(|&file| wanted(file)).collect();
    // What takes longest begins first, so that none is left when the others are done.
    files.sort_by_key(|file| match file {
        IndexFile::AliasBin => 0,
        IndexFile::SymbolsBin => 1,
        IndexFile::DepBin => 2,
        _ => 3,
    });
    let mut outputs = map_with(
        &files,
        || (),
        |(), &file| match bytes(file, input) {
            Ok(bytes) => Ok(Output { file, bytes }),
            Err(source) => Err(Error::Index { file, source }),
        },
    )?;
    outputs.sort_unstable_by_key(|output| output.file);
    Ok(outputs)
}

fn bytes(file: IndexFile, input: &IndexInput<'_>) -> Result<Vec<u8>, WriteError> {
    Ok(match file {
        IndexFile::Dep => input.dep_lines().bytes().to_vec(),
        IndexFile::DepBin => dep_bin::index(input)?,
        IndexFile::Alias => alias::text(input),
        IndexFile::AliasBin => alias_bin::index(input)?,
        IndexFile::Softdep => softdep::text(input),
        IndexFile::Weakdep => weakdep::text(input),
        IndexFile::Symbols => symbols::text(input),
        IndexFile::SymbolsBin => symbols_bin::index(input)?,
        IndexFile::BuiltinBin => builtin_bin::index(input)?,
        IndexFile::BuiltinAliasBin => builtin_alias_bin::index(input)?,
        IndexFile::Devname => devname::text(input),
    })
}
