//! Decompresses a module as libkmod of kmod 34 does (kmod/libkmod/libkmod-file*.c), which takes more than
//! is whole and less than is right.

use std::io::{BufRead, ErrorKind};

use flate2::bufread::GzDecoder;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

use crate::compression::Compression;
use crate::decompress::{read_within, reserve};
use crate::error::{Problem, Result};

/// How a gzip member begins, for zlib (zlib/gzread.c, `gz_look`).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The formats that kmod knows; it takes a file in another for a plain one.
pub(crate) fn is_known(format: Compression) -> bool {
    matches!(
        format,
        Compression::Gzip | Compression::Xz | Compression::Zstd
    )
}

/// Decompresses gzip as zlib's gzread does: of a stream that is cut it takes what is there, without the
/// checksum, and what follows a member and is none it passes over.
///
/// # Errors
/// A member is damaged, or there are more than `limit` bytes.
pub(crate) fn gzip(mut input: impl BufRead, limit: u64, memory: Vec<u8>) -> Result<Vec<u8>> {
    let format = Compression::Gzip;
    let mut plain = memory;
    plain.clear();
    let bad = |reason| Problem::Compression { format, reason };
    loop {
        let mut member = GzDecoder::new(input);
        match read_within(&mut member, limit, &mut plain) {
            Ok(true) => {}
            Ok(false) => return Err(Problem::GrowsTooLarge { format, limit }),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(plain),
            Err(error) => return Err(bad(error)),
        }
        input = member.into_inner();
        if !input.fill_buf().map_err(bad)?.starts_with(&GZIP) {
            return Ok(plain);
        }
    }
}

/// Decompresses zstd as ZSTD_decompress does into memory for what the first frame says it holds.
///
/// # Errors
/// The first frame does not say what it holds, or says that it is nothing, or there is more; anything
/// is damaged.
pub(crate) fn zstd(
    decoder: &mut Decompressor<'static>,
    packed: &[u8],
    limit: u64,
    plain: &mut Vec<u8>,
) -> Result<()> {
    let format = Compression::Zstd;
    let bad = |reason| Problem::Compression { format, reason };
    plain.clear();
    let size = match get_frame_content_size(packed) {
        Ok(Some(size)) if size > 0 => size,
        _ => {
            let reason = "the first frame does not say how long its contents are";
            return Err(bad(std::io::Error::new(ErrorKind::InvalidData, reason)));
        }
    };
    let room = usize::try_from(size).ok().filter(|_| size <= limit);
    let room = room.ok_or(Problem::GrowsTooLarge { format, limit })?;
    reserve(plain, room)?;
    let got = decoder.decompress_to_buffer(packed, plain).map_err(bad)?;
    // The memory of another file may have room for more.
    match got <= room {
        true => Ok(()),
        false => Err(bad(std::io::Error::new(
            ErrorKind::InvalidData,
            "there is more than the first frame says",
        ))),
    }
}
