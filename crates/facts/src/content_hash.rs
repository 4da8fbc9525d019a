//! Hashes the bytes of files, which tells a copy of a file from another file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use twox_hash::XxHash3_128;

/// How many bytes of a file are read at once.
const SIZE: usize = 1 << 16;

/// A hash of all bytes of a file, XXH3 with 128 bits.
///
/// Files with equal hashes are taken for equal. It is no protection from somebody who makes such
/// files on purpose; who can do that can write the rest of a store as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash(pub(crate) [u8; 16]);

/// Memory through which files are read, one after the other.
#[derive(Debug, Default)]
pub struct ReadBuffer(Vec<u8>);

impl ReadBuffer {
    /// Calls `take` with all bytes of a file, some at a time.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn for_each(&mut self, path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        self.0.resize(SIZE, 0);
        let mut file = File::open(path)?;
        loop {
            match file.read(&mut self.0)? {
                0 => return Ok(()),
                read => take(self.0.get(..read).unwrap_or_default()),
            }
        }
    }
}

impl ContentHash {
    /// Reads a file and hashes it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(path: &Path, buffer: &mut ReadBuffer) -> io::Result<Self> {
        let mut hasher = XxHash3_128::new();
        buffer.for_each(path, |bytes| hasher.write(bytes))?;
        Ok(Self(hasher.finish_128().to_le_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_same_bytes_have_one_hash() {
        let directory = tempfile::tempdir().unwrap();
        let mut buffer = ReadBuffer::default();
        let mut of = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            ContentHash::of_file(&path, &mut buffer).unwrap()
        };
        let long = vec![7; 3 * SIZE + 1];
        assert_eq!(of("a", &long), of("b", &long));
        assert_ne!(of("a", &long), of("b", &long[1..]));
        assert_ne!(of("a", b""), of("b", b"\0"));
        let missing = directory.path().join("c");
        assert!(ContentHash::of_file(&missing, &mut buffer).is_err());
    }
}
