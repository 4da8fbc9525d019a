//! Decompresses streams into memory that grows no further than a limit.

use std::io::{self, BufRead, Read};

use liblzma::stream::{CONCATENATED, Stream};
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;

use crate::compression::Compression;
use crate::error::{Problem, Result};
use crate::limits::{DECODER_MEMORY, WINDOW_LOG};

/// Where a compressed stream ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The whole input is compressed. Anything behind the last frame is damage.
    Whole,
    /// One frame. What follows is not part of it, such as the size behind a bzImage's payload.
    FirstFrame,
}

/// Decompresses `input` into `memory` and drops what was there.
///
/// # Errors
/// The stream is damaged, contains more than `limit` bytes, or needs too large a dictionary.
pub(crate) fn decompress(
    format: Compression,
    input: impl BufRead,
    extent: Extent,
    limit: u64,
    memory: Vec<u8>,
) -> Result<Vec<u8>> {
    let mut plain = memory;
    plain.clear();
    let bad = |error| problem(format, error);
    let mut decoder = decoder(format, input, extent).map_err(bad)?;
    match read_within(&mut decoder, limit, &mut plain).map_err(bad)? {
        true => Ok(plain),
        false => Err(Problem::GrowsTooLarge { format, limit }),
    }
}

/// Reads to the end into `plain`, unless that would have more than `limit` bytes then. Says whether the
/// end was reached. What was read before an error stays.
///
/// # Errors
/// The decoder failed, or there is not so much memory.
pub(crate) fn read_within(
    decoder: &mut impl Read,
    limit: u64,
    plain: &mut Vec<u8>,
) -> io::Result<bool> {
    while let Some(room) = room(plain, limit)? {
        let got = decoder.by_ref().take(room as u64).read_to_end(plain)?;
        if got < room {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reserves memory and says how many bytes to read next; `None` if there are more than `limit`
/// already. The memory doubles each time, but not beyond the limit.
fn room(plain: &mut Vec<u8>, limit: u64) -> io::Result<Option<usize>> {
    const FIRST: usize = 64 << 10;
    // One byte more than the limit shows that there are too many.
    let most = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let len = plain.len();
    if len == plain.capacity() {
        let wanted = len.saturating_mul(2).max(FIRST).min(most);
        reserve(plain, wanted.saturating_sub(len))?;
    }
    let room = plain.capacity().min(most).saturating_sub(len);
    Ok((room > 0).then_some(room))
}

/// Makes room for exactly as much.
///
/// # Errors
/// There is not so much memory.
pub(crate) fn reserve(memory: &mut Vec<u8>, additional: usize) -> io::Result<()> {
    memory
        .try_reserve_exact(additional)
        .map_err(|_| io::ErrorKind::OutOfMemory.into())
}

fn decoder<'i>(
    format: Compression,
    input: impl BufRead + 'i,
    extent: Extent,
) -> io::Result<Box<dyn Read + 'i>> {
    use bzip2::bufread::{BzDecoder, MultiBzDecoder};
    use flate2::bufread::{GzDecoder, MultiGzDecoder};
    use liblzma::bufread::XzDecoder;

    Ok(match (format, extent) {
        (Compression::Gzip, Extent::Whole) => Box::new(MultiGzDecoder::new(input)),
        (Compression::Gzip, Extent::FirstFrame) => Box::new(GzDecoder::new(input)),
        (Compression::Bzip2, Extent::Whole) => Box::new(MultiBzDecoder::new(input)),
        (Compression::Bzip2, Extent::FirstFrame) => Box::new(BzDecoder::new(input)),
        (Compression::Xz, extent) => {
            let flags = match extent {
                Extent::Whole => CONCATENATED,
                Extent::FirstFrame => 0,
            };
            let stream = Stream::new_stream_decoder(DECODER_MEMORY, flags)?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        (Compression::Lzma, _) => {
            let stream = Stream::new_lzma_decoder(DECODER_MEMORY)?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        (Compression::Zstd, extent) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(WINDOW_LOG)?;
            match extent {
                Extent::Whole => Box::new(decoder),
                Extent::FirstFrame => Box::new(decoder.single_frame()),
            }
        }
    })
}

fn problem(format: Compression, error: io::Error) -> Problem {
    if error.kind() == io::ErrorKind::OutOfMemory {
        return Problem::Io(error);
    }
    match needs_too_much(&error) {
        true => Problem::DictionaryTooLarge {
            format,
            limit: 1 << WINDOW_LOG,
        },
        false => Problem::Compression {
            format,
            reason: error,
        },
    }
}

/// Whether a decoder stopped at [`DECODER_MEMORY`] or [`WINDOW_LOG`].
fn needs_too_much(error: &io::Error) -> bool {
    let Some(inner) = error.get_ref() else {
        return false;
    };
    let of_lzma = inner.downcast_ref::<liblzma::stream::Error>();
    let of_zstd = inner.downcast_ref::<zstd::Error>();
    of_lzma.is_some_and(|error| *error == liblzma::stream::Error::MemLimit)
        || of_zstd
            .is_some_and(|error| error.is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge))
}

#[cfg(test)]
mod tests {
    use kmpkit_fixtures::pack::{FORMATS, pack};

    use super::*;

    fn within(limit: u64, packed: &[u8]) -> Result<Vec<u8>> {
        let format = Compression::detect(packed).unwrap();
        decompress(format, packed, Extent::Whole, limit, Vec::new())
    }

    #[test]
    fn memory_grows_to_the_limit_and_no_further() {
        let size = 3 << 20;
        for format in FORMATS {
            let packed = pack(format, &vec![0; size]);
            let plain = within(size as u64, &packed).unwrap();
            assert_eq!(plain.len(), size, "{format}");
            assert!(plain.capacity() <= size + 1, "{format}");
            let result = within(size as u64 - 1, &packed);
            assert!(
                matches!(result, Err(Problem::GrowsTooLarge { limit, .. }) if limit + 1 == size as u64),
                "{format}"
            );
        }
    }

    #[test]
    fn memory_of_the_last_file_serves_the_next() {
        let packed = pack(FORMATS[0], &[7; 1000]);
        let memory = Vec::with_capacity(5000);
        let format = Compression::Gzip;
        let plain = decompress(format, &packed[..], Extent::Whole, 1000, memory).unwrap();
        assert_eq!((plain.len(), plain.capacity()), (1000, 5000));
        let result = decompress(format, &packed[..], Extent::Whole, 999, plain);
        assert!(matches!(result, Err(Problem::GrowsTooLarge { .. })));
    }
}
