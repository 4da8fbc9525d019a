//! A file in, a hash of its bytes out: it tells a copy of a file from another file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use twox_hash::XxHash3_128;

/// What is read of a file at once.
const PIECE: usize = 1 << 16;

/// A hash of all bytes of a file, XXH3 with 128 bits.
///
/// Two files with the same are taken for the same; it is no protection from somebody who makes
/// such files on purpose, who could as well write what else is in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content(pub(crate) [u8; 16]);

/// Memory to read files through, one after the other.
#[derive(Debug, Default)]
pub struct Piece(Vec<u8>);

impl Piece {
    /// Calls `take` with all bytes of a file, piece by piece.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn each(&mut self, path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        self.0.resize(PIECE, 0);
        let mut file = File::open(path)?;
        loop {
            match file.read(&mut self.0)? {
                0 => return Ok(()),
                read => take(self.0.get(..read).unwrap_or_default()),
            }
        }
    }
}

impl Content {
    /// Reads a file for its hash.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(path: &Path, piece: &mut Piece) -> io::Result<Self> {
        let mut hasher = XxHash3_128::new();
        piece.each(path, |bytes| hasher.write(bytes))?;
        Ok(Self(hasher.finish_128().to_le_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_same_bytes_have_one_hash() {
        let directory = tempfile::tempdir().unwrap();
        let mut piece = Piece::default();
        let mut of = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Content::of_file(&path, &mut piece).unwrap()
        };
        let long = vec![7; 3 * PIECE + 1];
        assert_eq!(of("a", &long), of("b", &long));
        assert_ne!(of("a", &long), of("b", &long[1..]));
        assert_ne!(of("a", b""), of("b", b"\0"));
        let missing = directory.path().join("c");
        assert!(Content::of_file(&missing, &mut piece).is_err());
    }
}
