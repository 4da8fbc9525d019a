//! Tells the bytes of an index from others without keeping them.

use std::io;
use std::path::Path;

use facts::ReadBuffer;

/// Length and checksum of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileChecksum {
    pub(crate) length: u64,
    pub(crate) crc: u32,
}

impl FileChecksum {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            length: bytes.len() as u64,
            crc: crc32fast::hash(bytes),
        }
    }

    /// Reads a file, without keeping it.
    pub(crate) fn of_file(path: &Path, buffer: &mut ReadBuffer) -> io::Result<Self> {
        let mut hasher = crc32fast::Hasher::new();
        let mut length = 0;
        buffer.for_each(path, |bytes| {
            hasher.update(bytes);
            length += bytes.len() as u64;
        })?;
        let crc = hasher.finalize();
        Ok(Self { length, crc })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_their_bytes_have_one_sum() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut buffer = ReadBuffer::default();
        for length in [0, 1, 1 << 16, (1 << 17) + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(
                FileChecksum::of_file(&path, &mut buffer).unwrap(),
                FileChecksum::of(&bytes),
                "{length}"
            );
        }
        assert!(FileChecksum::of_file(directory.path(), &mut buffer).is_err());
    }
}
