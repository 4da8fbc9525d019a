//! Finds the configuration that a kernel with CONFIG_IKCONFIG holds.
//!
//! It is a gzip stream between two marks (linux/kernel/configs.c).

use crate::compression::Compression;
use crate::config::Config;
use crate::decompress::{Extent, decompress};
use crate::error::Result;
use crate::limits::Limits;

const START: &[u8] = b"IKCFG_ST\x1f\x8b";
const END: &[u8] = b"IKCFG_ED";

/// The configuration in a kernel's .rodata.
///
/// # Errors
/// What is between the marks cannot be decompressed.
pub(crate) fn config(rodata: &[u8]) -> Result<Option<Config>> {
    let between = || {
        let start = memchr::memmem::find(rodata, START)? + START.len() - 2;
        let rest = rodata.get(start..)?;
        rest.get(..memchr::memmem::find(rest, END)?)
    };
    let unpack = |packed| {
        let (format, limit) = (Compression::Gzip, Limits::TEXT.memory);
        decompress(format, packed, Extent::FirstFrame, limit, Vec::new())
    };
    let text = between().map(unpack);
    Ok(text.transpose()?.map(Config::new))
}
