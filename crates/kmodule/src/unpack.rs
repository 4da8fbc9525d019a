//! Compressed files in, their plain bytes out, in memory that serves the next file too.

use std::fs::File;
use std::io::{BufReader, Read};

use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

use crate::compression::{Compression, Extent, LIMIT};
use crate::error::Result;

/// How much of a compressed file is in memory at a time, where it is read as a
/// stream.
const CHUNK: usize = 64 << 10;

/// Decompresses one file after another.
#[derive(Default)]
pub(crate) struct Unpacker {
    plain: Vec<u8>,
    packed: Vec<u8>,
    zstd: Option<Decompressor<'static>>,
}

impl Unpacker {
    /// All of a file whose first bytes announced a format. [`Unpacker::reuse`]
    /// takes the memory back.
    pub(crate) fn unpack(&mut self, format: Compression, file: File) -> Result<Vec<u8>> {
        let mut plain = std::mem::take(&mut self.plain);
        if format != Compression::Zstd {
            let input = BufReader::with_capacity(CHUNK, file);
            return format.decompress(input, Extent::Whole, plain);
        }
        self.packed.clear();
        file.take(LIMIT + 1).read_to_end(&mut self.packed)?;
        match self.frame_of_known_size(&mut plain) {
            Some(()) => Ok(plain),
            None => format.decompress(&self.packed[..], Extent::Whole, plain),
        }
    }

    /// Takes back what was decompressed, for the next file.
    pub(crate) fn reuse(&mut self, plain: Vec<u8>) {
        if plain.capacity() > self.plain.capacity() {
            self.plain = plain;
        }
    }

    /// One zstd frame that says how large its contents are, as the kernel's build
    /// writes them, straight into `plain`: a stream would go through a window
    /// first, at half the speed. `None` if that is not what there is, so that it
    /// is read as a stream, which tells what is wrong.
    fn frame_of_known_size(&mut self, plain: &mut Vec<u8>) -> Option<()> {
        plain.clear();
        let size = get_frame_content_size(&self.packed).ok()??;
        let size = usize::try_from(size).ok().filter(|_| size <= LIMIT)?;
        plain.try_reserve_exact(size).ok()?;
        if self.zstd.is_none() {
            self.zstd = Decompressor::new().ok();
        }
        let got = self
            .zstd
            .as_mut()?
            .decompress_to_buffer(&self.packed, plain)
            .ok()?;
        (got == size && plain.len() == size).then_some(())
    }
}
