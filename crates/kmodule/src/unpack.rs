//! Decompresses one file after another into the same memory.

use std::fs::File;
use std::io::{BufReader, Read};

use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

use crate::compression::Compression;
use crate::decompress::{Extent, decompress, reserve};
use crate::error::{Problem, Result};
use crate::unpack_as_kmod::{gzip, zstd};

/// How much of a compressed file is in memory at a time if it is read as a stream.
const CHUNK: usize = 64 << 10;

/// The memory of the last file and a decoder, for the next file to use.
#[derive(Default)]
pub(crate) struct Unpacker {
    plain: Vec<u8>,
    packed: Vec<u8>,
    zstd: Option<Decompressor<'static>>,
}

impl Unpacker {
    /// Decompresses a file of `len` bytes. [`Unpacker::reuse`] takes the memory back.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or contains more than `limit` bytes.
    pub(crate) fn unpack_file(
        &mut self,
        format: Compression,
        file: &File,
        len: u64,
        limit: u64,
    ) -> Result<Vec<u8>> {
        if format != Compression::Zstd {
            let plain = std::mem::take(&mut self.plain);
            let input = BufReader::with_capacity(CHUNK, file);
            return decompress(format, input, Extent::Whole, limit, plain);
        }
        let packed = self.packed(format, file, len, limit)?;
        let plain = self.unpack(format, &packed, limit);
        self.packed = packed;
        plain
    }

    /// As [`Unpacker::unpack_file`], what libkmod makes of a file in a format that it knows.
    ///
    /// # Errors
    /// It cannot be read, libkmod would refuse it, or it contains more than `limit` bytes.
    pub(crate) fn unpack_file_as_kmod(
        &mut self,
        format: Compression,
        file: &File,
        len: u64,
        limit: u64,
    ) -> Result<Vec<u8>> {
        match format {
            Compression::Gzip => {
                let input = BufReader::with_capacity(CHUNK, file);
                gzip(input, limit, std::mem::take(&mut self.plain))
            }
            Compression::Zstd => {
                let packed = self.packed(format, file, len, limit)?;
                let mut plain = std::mem::take(&mut self.plain);
                let unpacked = self
                    .zstd_decoder()
                    .and_then(|decoder| zstd(decoder, &packed, limit, &mut plain));
                self.packed = packed;
                unpacked.map(|()| plain)
            }
            format => self.unpack_file(format, file, len, limit),
        }
    }

    /// Reads a compressed file whole.
    fn packed(
        &mut self,
        format: Compression,
        file: &File,
        len: u64,
        limit: u64,
    ) -> Result<Vec<u8>> {
        if len > limit {
            return Err(Problem::GrowsTooLarge { format, limit });
        }
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        reserve(&mut packed, len as usize)?;
        file.take(len).read_to_end(&mut packed)?;
        Ok(packed)
    }

    /// A decoder that serves for all files.
    fn zstd_decoder(&mut self) -> Result<&mut Decompressor<'static>> {
        if self.zstd.is_none() {
            self.zstd = Some(Decompressor::new()?);
        }
        self.zstd.as_mut().ok_or(Problem::Empty)
    }

    /// As [`Unpacker::unpack_file`], from memory.
    pub(crate) fn unpack(
        &mut self,
        format: Compression,
        packed: &[u8],
        limit: u64,
    ) -> Result<Vec<u8>> {
        let mut plain = std::mem::take(&mut self.plain);
        if format == Compression::Zstd
            && self
                .frame_of_known_size(packed, limit, &mut plain)
                .is_some()
        {
            return Ok(plain);
        }
        decompress(format, packed, Extent::Whole, limit, plain)
    }

    /// Takes back what was decompressed, for the next file.
    pub(crate) fn reuse(&mut self, plain: Vec<u8>) {
        if plain.capacity() > self.plain.capacity() {
            self.plain = plain;
        }
    }

    /// Decompresses a zstd frame straight into `plain`, if its header has the size of the contents.
    /// The kernel's build writes such frames. As a stream they would go through a window, at half the
    /// speed. `None` if there is anything else. The caller then reads it as a stream, which says what
    /// is wrong.
    fn frame_of_known_size(
        &mut self,
        packed: &[u8],
        limit: u64,
        plain: &mut Vec<u8>,
    ) -> Option<()> {
        plain.clear();
        let size = get_frame_content_size(packed).ok()??;
        let size = usize::try_from(size).ok().filter(|_| size <= limit)?;
        reserve(plain, size).ok()?;
        let got = self
            .zstd_decoder()
            .ok()?
            .decompress_to_buffer(packed, plain)
            .ok()?;
        (got == size && plain.len() == size).then_some(())
    }
}
