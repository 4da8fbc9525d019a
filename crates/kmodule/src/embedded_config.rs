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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn rodata(packed: &[u8]) -> Vec<u8> {
        [b"before\0IKCFG_ST", packed, b"IKCFG_ED\0behind"].concat()
    }

    fn packed(text: &str) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn it_lies_between_two_marks() {
        let found = config(&rodata(&packed("CONFIG_MODULES=y\n"))).unwrap();
        assert!(found.unwrap().is_yes("MODULES"));
        assert_eq!(config(b"no mark").unwrap(), None);
        // The mark alone is text of the kernel, too.
        assert_eq!(config(b"IKCFG_ST IKCFG_ED").unwrap(), None);
    }

    #[test]
    fn damage_is_an_error() {
        let mut damaged = packed("CONFIG_MODULES=y\n");
        damaged.truncate(12);
        assert!(config(&rodata(&damaged)).is_err());
    }
}
