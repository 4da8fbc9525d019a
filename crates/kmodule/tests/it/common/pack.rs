//! Plain bytes in, every compression of them out.

use std::io::Write;

use kmodule::Compression;
use liblzma::stream::{LzmaOptions, Stream};
use liblzma::write::XzEncoder;

/// The formats modules are stored in.
pub const FORMATS: [Compression; 4] = [
    Compression::Gzip,
    Compression::Xz,
    Compression::Zstd,
    Compression::Bzip2,
];

/// One frame of `plain`.
pub fn pack(format: Compression, plain: &[u8]) -> Vec<u8> {
    match format {
        Compression::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Xz => xz(XzEncoder::new(Vec::new(), 6), plain),
        Compression::Lzma => {
            let options = LzmaOptions::new_preset(6).unwrap();
            let stream = Stream::new_lzma_encoder(&options).unwrap();
            xz(XzEncoder::new_stream(Vec::new(), stream), plain)
        }
        Compression::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 6).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Bzip2 => {
            let level = bzip2::Compression::new(6);
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// Three frames, as parallel compressors and `cat` make them.
pub fn pack_in_frames(format: Compression, plain: &[u8]) -> Vec<u8> {
    plain
        .chunks(plain.len() / 3 + 1)
        .flat_map(|chunk| pack(format, chunk))
        .collect()
}

pub fn suffix(format: Compression) -> &'static str {
    match format {
        Compression::Gzip => "gz",
        Compression::Xz => "xz",
        Compression::Zstd => "zst",
        Compression::Bzip2 => "bz2",
        Compression::Lzma => "lzma",
    }
}

fn xz(mut encoder: XzEncoder<Vec<u8>>, plain: &[u8]) -> Vec<u8> {
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
