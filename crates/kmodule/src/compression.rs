//! Compressed bytes in, plain bytes out; the format is told by content, as the
//! kernel and kmod do, never by file name.

use std::fmt;
use std::io::{self, BufRead, Read};

use crate::error::{Problem, Result};

/// Far above the largest vmlinux with debug information; a file or stream
/// that grows past it is hostile.
pub(crate) const LIMIT: u64 = 2 << 30;

/// A compression a module or kernel image may be stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// The .xz container.
    Xz,
    /// RFC 8878.
    Zstd,
    /// bzip2.
    Bzip2,
    /// The legacy .lzma container, in kernel images only.
    Lzma,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Lzma => "lzma",
        })
    }
}

/// Where a compressed stream ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The whole input is compressed; anything behind the last frame is damage.
    Whole,
    /// One frame, then bytes that belong to somebody else (a bzImage's payload
    /// carries its plain size behind the frame).
    FirstFrame,
}

impl Compression {
    /// The format the first bytes announce, if any.
    pub fn detect(head: &[u8]) -> Option<Self> {
        const MAGICS: [(&[u8], Compression); 5] = [
            (&[0x1f, 0x8b, 0x08], Compression::Gzip),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Compression::Xz),
            (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
            (b"BZh", Compression::Bzip2),
            (&[0x5d, 0, 0], Compression::Lzma),
        ];
        MAGICS
            .iter()
            .find(|(magic, _)| head.starts_with(magic))
            .map(|&(_, format)| format)
    }

    /// Decompresses the first frame of `input`, whose first bytes announced this
    /// format.
    pub(crate) fn decompress_frame(self, input: &[u8]) -> Result<Vec<u8>> {
        self.decompress_within(LIMIT, input, Extent::FirstFrame, Vec::new())
    }

    /// Decompresses `input`, whose first bytes announced this format, into
    /// `memory`, whose contents are forgotten.
    pub(crate) fn decompress(
        self,
        input: impl BufRead,
        extent: Extent,
        memory: Vec<u8>,
    ) -> Result<Vec<u8>> {
        self.decompress_within(LIMIT, input, extent, memory)
    }

    fn decompress_within(
        self,
        limit: u64,
        input: impl BufRead,
        extent: Extent,
        mut plain: Vec<u8>,
    ) -> Result<Vec<u8>> {
        plain.clear();
        self.decoder(input, extent)
            .and_then(|decoder| decoder.take(limit + 1).read_to_end(&mut plain))
            .map_err(|source| Problem::Compression {
                format: self,
                source,
            })?;
        match plain.len() as u64 > limit {
            true => Err(Problem::TooLarge { limit }),
            false => Ok(plain),
        }
    }

    fn decoder<'i>(
        self,
        input: impl BufRead + 'i,
        extent: Extent,
    ) -> io::Result<Box<dyn Read + 'i>> {
        use bzip2::bufread::{BzDecoder, MultiBzDecoder};
        use flate2::bufread::{GzDecoder, MultiGzDecoder};
        use liblzma::bufread::XzDecoder;
        use liblzma::stream::Stream;
        use zstd::stream::read::Decoder as ZstdDecoder;

        Ok(match (self, extent) {
            (Self::Gzip, Extent::Whole) => Box::new(MultiGzDecoder::new(input)),
            (Self::Gzip, Extent::FirstFrame) => Box::new(GzDecoder::new(input)),
            (Self::Xz, Extent::Whole) => Box::new(XzDecoder::new_multi_decoder(input)),
            (Self::Xz, Extent::FirstFrame) => Box::new(XzDecoder::new(input)),
            (Self::Zstd, Extent::Whole) => Box::new(ZstdDecoder::with_buffer(input)?),
            (Self::Zstd, Extent::FirstFrame) => {
                Box::new(ZstdDecoder::with_buffer(input)?.single_frame())
            }
            (Self::Bzip2, Extent::Whole) => Box::new(MultiBzDecoder::new(input)),
            (Self::Bzip2, Extent::FirstFrame) => Box::new(BzDecoder::new(input)),
            (Self::Lzma, _) => Box::new(XzDecoder::new_stream(
                input,
                Stream::new_lzma_decoder(u64::MAX)?,
            )),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let plain = vec![0; 1 << 20];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(9));
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(9));
        gzip.write_all(&plain).unwrap();
        xz.write_all(&plain).unwrap();
        bzip2.write_all(&plain).unwrap();
        for packed in [
            gzip.finish().unwrap(),
            xz.finish().unwrap(),
            bzip2.finish().unwrap(),
            zstd::encode_all(&plain[..], 3).unwrap(),
        ] {
            let format = Compression::detect(&packed).unwrap();
            let within =
                |limit| format.decompress_within(limit, &packed[..], Extent::Whole, Vec::new());
            assert_eq!(within(1 << 20).unwrap().len(), 1 << 20, "{format}");
            let result = within((1 << 20) - 1);
            assert!(
                matches!(result, Err(Problem::TooLarge { limit: 1048575 })),
                "{format}"
            );
        }
    }
}
