//! The bytes of a file in, what tells them from others out.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What is read of a file at once.
const PIECE: usize = 1 << 17;

/// Length and checksum of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) length: u64,
    pub(crate) crc: u32,
}

impl Sum {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            length: bytes.len() as u64,
            crc: crc32fast::hash(bytes),
        }
    }

    /// Reads a file for its sum, without keeping it.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut piece = vec![0; PIECE];
        let mut hasher = crc32fast::Hasher::new();
        let mut length = 0;
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                let crc = hasher.finalize();
                return Ok(Self { length, crc });
            }
            hasher.update(piece.get(..read).unwrap_or_default());
            length += read as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_their_bytes_have_one_sum() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for length in [0, 1, PIECE, 2 * PIECE + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(Sum::of_file(&path).unwrap(), Sum::of(&bytes), "{length}");
        }
        assert!(Sum::of_file(directory.path()).is_err());
    }
}
