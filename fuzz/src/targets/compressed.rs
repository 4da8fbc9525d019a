//! Compressed files of every format: what they unpack to, and how much of it.

use std::path::Path;

use kmodule::{Compression, Image, Limits};

use crate::{Memory, Target};

/// Smaller limits than those of the product, which its own tests hold, so that inputs that grow are
/// quick.
pub(super) const LIMITS: Limits = Limits {
    file: 1 << 20,
    memory: 4 << 20,
};

/// What decoders in Rust take; bzip2 needs most.
const DECODER: usize = 4 << 20;

/// Any compressed file.
pub const COMPRESSED: Target = Target {
    name: "compressed",
    check: compressed,
    memory,
};

/// What a file may cost before its contents are looked at.
pub(super) fn memory(input: &[u8]) -> Memory {
    let unpacked = match Compression::detect(input) {
        // Memory grows into a new piece while the old one is there.
        Some(_) => 2 * LIMITS.memory as usize + DECODER,
        None => 0,
    };
    Memory {
        fixed: unpacked + (256 << 10),
        each: 64,
    }
}

fn compressed(input: &[u8]) {
    let mut input = input.to_vec();
    with_right_sums(&mut input);
    let _ = Image::from_bytes_within(Path::new("fuzz.ko"), &input, LIMITS);
}

/// Makes the checksums of an .xz file's first headers right, for a fuzzer does not find them
/// (https://tukaani.org/xz/xz-file-format.txt, 2.1.1 and 3.1).
fn with_right_sums(input: &mut [u8]) -> Option<()> {
    const MAGIC: &[u8] = b"\xfd7zXZ\0";
    const BLOCK: usize = 12;
    if !input.starts_with(MAGIC) {
        return None;
    }
    let flags = crc32fast::hash(input.get(6..8)?);
    input.get_mut(8..12)?.copy_from_slice(&flags.to_le_bytes());
    let end = BLOCK + 4 * usize::from(*input.get(BLOCK)?);
    let header = crc32fast::hash(input.get(BLOCK..end)?);
    input
        .get_mut(end..end + 4)?
        .copy_from_slice(&header.to_le_bytes());
    Some(())
}
